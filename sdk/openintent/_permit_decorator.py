"""`@permitted`: functions that are an act, each call of which needs a permit (protocol §9)."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")

CLIENT, SELF = "client", "self"
INTENTS = ("intent", "intent_id")


def permitted(
    verb: str, *, target: str = "target", reason: str | None = None, effect_key: str | None = None, timeout: float | None = None
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorator: ask for a permit at each call of the function, spend it, call the function, and record the outcome.

        @permitted("payments.refund", target="order")
        def refund(client, intent, order, amount):
            ...

    The function has a parameter `client`, or is a method of an agent, and one named `intent` (an Intent or its id) or `intent_id`. `target` is the name
    of the parameter that the act is about; all others are the act's parameters, as JSON, and stand in the question. `reason` and
    `effect_key` may have their names in braces: "Refund {order}". Of a coroutine function, `client` is the asynchronous one.

    Raises TypeError at once for a function without these; at a call, what `client.permit` raises.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)
        names = set(signature.parameters)
        if not names & {CLIENT, SELF} or not names & set(INTENTS) or target not in names:
            raise TypeError(f"{function.__name__} needs the parameters client (or self), intent and {target}")
        is_coroutine = inspect.iscoroutinefunction(function)

        def block(args: Any, kwargs: Any) -> Any:
            client, intent, given = _act(signature.bind(*args, **kwargs), is_coroutine=is_coroutine)
            words = {name: str(value) for name, value in given.items()}
            return client.permit(
                intent,
                verb,
                str(given.pop(target)),
                given,
                reason=(reason or f"{verb} {{{target}}}").format(**words),
                effect_key=effect_key.format(**words) if effect_key else None,
                timeout=timeout,
            )

        if is_coroutine:

            @wraps(function)
            async def call_async(*args: P.args, **kwargs: P.kwargs) -> Any:
                async with block(args, kwargs):
                    return await cast(Any, function)(*args, **kwargs)

            return cast(Callable[P, R], call_async)

        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            with block(args, kwargs):
                return function(*args, **kwargs)

        return call

    return decorate


def _act(bound: inspect.BoundArguments, *, is_coroutine: bool) -> tuple[Any, Any, dict[str, Any]]:
    """Return the client, the intent's id, and the other arguments of a call."""
    bound.apply_defaults()
    given = dict(bound.arguments)
    owner, client = given.pop(SELF, None), given.pop(CLIENT, None)
    if client is None:
        client = owner.async_client if is_coroutine else owner.client
    intent = next(given.pop(name) for name in INTENTS if name in given)
    return client, getattr(intent, "id", intent), given
