from collections.abc import Callable, Sequence

from core import registration


class AccessConfig(registration.ProtocolAppConfig):
    name = "access"
    verbose_name = "Access"

    def housekeeping(self) -> Sequence[Callable[[], object]]:
        from access.audit_log import delete_old  # noqa: PLC0415  Models must be loaded first.

        return (delete_old,)
