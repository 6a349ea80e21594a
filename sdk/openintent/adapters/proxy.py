"""Proxies of a provider's objects."""

from typing import Any


class ObjectProxy:
    """Reports the other object's class, so that `isinstance` holds, and passes on every attribute it does not have."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(self._inner)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_inner"], name)

    def __dir__(self) -> list[str]:
        return dir(self._inner)

    def __repr__(self) -> str:
        return repr(self._inner)


class PatchableProxy(ObjectProxy):
    """A proxy whose attributes are set and deleted on the other object, as `unittest.mock.patch` does. `_own` are its own."""

    _own: frozenset[str] = frozenset({"_inner"})

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self._own:
            object.__setattr__(self, name, value)
        else:
            setattr(self._inner, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._inner, name)
