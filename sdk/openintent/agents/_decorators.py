"""The decorators that say what a method is called for."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, overload

from ..enums import EventType
from ..errors import InputValidationError
from ..models import Event
from ..validation import validate_lease_acquire
from ..validation.events import validate_event_types

F = TypeVar("F", bound=Callable[..., Any])

PORTFOLIO_KINDS = frozenset({"on_all_complete", "on_progress"})
"""What coordinators alone are told."""

_SAYS = "__openintent_calls__"


@dataclass(frozen=True, slots=True)
class Calling:
    """What a method is called for.

    kind       the decorator's name
    types      the events after which it is; none: not after events
    is_about   whether an event of these types is one of those, for an agent with this id
    hears_own  whether also after what the agent itself did
    """

    kind: str
    types: frozenset[str] = frozenset()
    is_about: Callable[[Event, str], bool] = lambda event, agent_id: True
    hears_own: bool = True

    def wants(self, event: Event, agent_id: str) -> bool:
        is_heard = self.hears_own or event.actor != agent_id
        return event.event_type in self.types and is_heard and self.is_about(event, agent_id)


def on_assignment(handler: F) -> F:
    """The method that does the work: it is called with each intent that the agent is assigned to.

        @on_assignment
        def research(self, intent):
            return {"findings": f"All about {intent.title}"}

    It takes the intent and, if it wants, an `Assignment`. Meanwhile the intent is `active`, and nobody else has its lease. What it
    returns is set in the state, and the intent is completed: a dict its keys, None nothing, a `Done` what it says. An intent that
    cannot be completed yet, since children are open or a decision is pending, is completed when it can be.

    What it raises is recorded as a failure, with the exception's `error_type`, if it has one, or the name of its class, and the
    intent's retry policy says what follows: another attempt at its time, the fallback agent, or nothing (protocol R-2, R-3).
    Where there is no other attempt, the intent becomes `blocked`. To have it tried again, set it to `pending`.

    Results are written, and intents completed, once. The handler itself runs at least once: if the process dies within it, another
    one calls it again, as soon as the lease has run out. What it does to the rest of the world should bear being repeated.

    It may be `def`, and runs in a thread, or `async def`. A class has one such method.
    """
    return _say(handler, Calling("on_assignment"))


def on_complete(handler: F) -> F:
    """A method that is called with each intent that is completed and that the agent is assigned to, or has created, by whomever.

        @on_complete
        def celebrate(self, intent):
            print(intent.title, intent.state)

    It takes the intent and, if it wants, the event. It hears of what happens while the agent runs: see `BaseAgent.start`. To hear of
    those that it has created, the agent follows what is created, and what changes its status, on the whole server.
    """
    return _say(handler, Calling("on_complete", _words(EventType.STATUS_CHANGED), _completes))


def on_event(*event_types: EventType | str, own: bool = False) -> Callable[[F], F]:
    """A method that is called with each event of these types, of intents that the agent is assigned to.

        @on_event("comment", EventType.DECISION_RECORDED)
        def listen(self, event):
            print(event.actor, event.payload)

    It takes the event and, if it wants, the intent as it is now. `own`: also with the events that the agent itself has written;
    mind that a method that logs what it is called for then never ends. It hears of what happens while the agent runs: see
    `BaseAgent.start`.

    Raises InputValidationError.
    """
    if not event_types:
        raise InputValidationError("on_event needs at least one event type", field="event_types")
    validate_event_types(event_types)
    return lambda handler: _say(handler, Calling("on_event", _words(*event_types), hears_own=own))


@overload
def on_state_change(handler: F) -> F: ...
@overload
def on_state_change(*, keys: Sequence[str] | None = None) -> Callable[[F], F]: ...


def on_state_change(handler: Any = None, *, keys: Sequence[str] | None = None) -> Any:
    """A method that is called when somebody else has changed the state of an intent that the agent is assigned to.

        @on_state_change(keys=["budget"])
        def recalculate(self, intent, event):
            print(intent.state["budget"], event.payload["patches"])

    It takes the intent as it is now and, if it wants, the event. With `keys` it is called for changes of these keys of the state,
    or of something below them, only. It hears of what happens while the agent runs: see `BaseAgent.start`.
    """
    wanted = None if keys is None else frozenset(keys)
    if isinstance(keys, str):
        raise InputValidationError('keys must be a list, as in keys=["budget"]', field="keys")

    def touches(event: Event, _: str) -> bool:
        return wanted is None or not wanted.isdisjoint(_key(patch["path"]) for patch in event.payload.get("patches") or [])

    calling = Calling("on_state_change", _words(EventType.STATE_PATCHED), touches, hears_own=False)
    return (lambda method: _say(method, calling)) if handler is None else _say(handler, calling)


def on_lease_available(scope: str) -> Callable[[F], F]:
    """A method that is called when a lease of somebody else has ended, so that `scope`, or some part of it, is free.

        @on_lease_available("content.draft")
        def edit(self, intent):
            with self.client.lease(intent.id, "content.draft"):
                ...

    Intents that the agent is assigned to are watched. It takes the intent and, if it wants, the event. Others may be told too, so
    the lease may be taken again by then. It hears of what happens while the agent runs: see `BaseAgent.start`.
    """
    validate_lease_acquire(scope)
    ends = _words(EventType.LEASE_RELEASED, EventType.LEASE_EXPIRED, EventType.LEASE_REVOKED)

    def is_free(event: Event, agent_id: str) -> bool:
        return event.payload.get("agent_id") != agent_id and _overlap(scope, str(event.payload.get("scope")))

    return lambda handler: _say(handler, Calling("on_lease_available", ends, is_free))


def on_failure(handler: F) -> F:
    """A method that is called when an agent has failed at an intent and will not try again by itself (protocol R-3).

        @on_failure
        def escalate(self, intent, event):
            self.client.request_arbitration(intent.id, reason=event.payload["error_type"])

    It takes the intent and, if it wants, the event. A coordinator hears of the members of its portfolios, any other agent of the
    intents that it is assigned to. It hears of what happens while the agent runs: see `BaseAgent.start`.
    """
    return _say(handler, Calling("on_failure", _words(EventType.FAILURE_RECORDED), _is_final))


def on_all_complete(handler: F) -> F:
    """A method of a `Coordinator` that is called with each of its portfolios once nothing of it is left to do.

        @on_all_complete
        def celebrate(self, portfolio):
            print(portfolio.name, [each.state for each in portfolio.intents])

    That is when it has no open member, none at all included, or when the server has completed it by its `auto_complete_threshold`.
    Members may have been abandoned: look at their `status`. After the method has returned, an active portfolio is completed, unless
    its policy requires all members completed and one is not. If it raises, or the process dies within it, it is called again when the coordinator is started again.
    """
    return _say(handler, Calling("on_all_complete"))


def on_progress(handler: F) -> F:
    """A method of a `Coordinator` that is called with a portfolio when the number of its members of some status has changed.

        @on_progress
        def show(self, portfolio):
            print(portfolio.name, portfolio.aggregate_status.completion_percentage)

    Changes that come quickly may be told together. It is also called when the coordinator begins to follow the portfolio.
    """
    return _say(handler, Calling("on_progress"))


def declared(owner: type) -> list[tuple[str, Calling]]:
    """The methods of a class that are called for something, by name."""
    names = dict.fromkeys(name for each in reversed(owner.__mro__) for name in vars(each))
    found = ((name, getattr(getattr(owner, name, None), _SAYS, ())) for name in names)
    return [(name, calling) for name, callings in found for calling in callings]


def _say(handler: F, calling: Calling) -> F:
    if not callable(handler):
        raise TypeError(f"@{calling.kind} goes above a method")
    setattr(handler, _SAYS, (*getattr(handler, _SAYS, ()), calling))
    return handler


def _words(*types: EventType | str) -> frozenset[str]:
    return frozenset(map(str, types))


def _completes(event: Event, _: str) -> bool:
    return event.payload.get("to") == "completed"


def _is_final(event: Event, _: str) -> bool:
    return not event.payload.get("will_retry")


def _key(path: str) -> str:
    """The key of the state that a patch is about (protocol I-3)."""
    return path.split("/", 2)[1].replace("~1", "/").replace("~0", "~") if path.startswith("/") else path


def _overlap(one: str, other: str) -> bool:
    """Whether two scopes are about the same part (protocol L-1)."""
    pairs: Iterable[tuple[str, str]] = zip(one.split("."), other.split("."), strict=False)
    return all(left == right for left, right in pairs)
