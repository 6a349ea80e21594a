"""Decorators that declare when a method of an agent is called."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, overload

from ..enums import EventType
from ..errors import InputValidationError
from ..models import Event
from ..validation import validate_lease_acquire
from ..validation.events import validate_event_types

F = TypeVar("F", bound=Callable[..., Any])

PORTFOLIO_KINDS = frozenset({"on_all_complete", "on_progress"})
"""The decorators that only a Coordinator may use."""

_TRIGGERS = "__openintent_calls__"


@dataclass(frozen=True, slots=True)
class Trigger:
    """The condition on which a method is called.

    kind         the decorator's name
    types        the event types after which it is called; none: not after events
    matches      whether it is called after an event of these types, for the agent with this id
    include_own  whether the agent's own events count
    scope        the scope of `on_lease_available`
    names        the names of the questions of `on_answer`; none: all that no other method takes
    """

    kind: str
    types: frozenset[str] = frozenset()
    matches: Callable[[Event, str], bool] = lambda event, agent_id: True
    include_own: bool = True
    scope: str | None = None
    names: frozenset[str] = frozenset()

    def accepts(self, event: Event, agent_id: str) -> bool:
        """Return whether the method is called after this event."""
        is_included = self.include_own or event.actor != agent_id
        return event.event_type in self.types and is_included and self.matches(event, agent_id)


def on_assignment(handler: F) -> F:
    """Call this method with each intent that the agent is assigned to: it does the work.

        @on_assignment
        def research(self, intent):
            return {"findings": f"All about {intent.title}"}

    It gets its arguments by the names of its parameters, in any order: `intent`, `assignment` (an `Assignment`), `event` (which
    assigned it), `lease` (which is held meanwhile) and its `scope`, `agent`, `client`. An unknown name without a default raises
    TypeError when the class is made. Meanwhile the intent is `active`. The result is set in the state, and the intent is completed: a dict sets its keys, None nothing, and a `Done` is explicit. An intent
    that cannot be completed yet, because children are open or a decision is pending, is completed when it can be.

    An exception is recorded as a failure, with its `error_type` attribute, if it has one, or the name of its class. The
    intent's retry policy decides what follows: another attempt later, the fallback agent, or nothing (protocol R-2, R-3).
    Without another attempt, the intent becomes `blocked`. To retry it, set it to `pending`.

    Results are written, and intents completed, once. The handler itself runs at least once: if the process dies within it, another
    one calls it again as soon as the lease has expired. Its other side effects should be idempotent.

    It may be `def`, and runs in a thread, or `async def`. A class has one such method.
    """
    return _register(handler, Trigger("on_assignment"))


@overload
def on_answer(name: F, /) -> F: ...
@overload
def on_answer(name: str, /, *names: str) -> Callable[[F], F]: ...


def on_answer(name: Any, /, *names: str) -> Any:
    """Call this method when a question of `assignment.ask` has ended: the handler that asked need not wait, nor its process live.

        @on_assignment
        def refund(self, intent, assignment):
            assignment.ask("amount", "How much?", schema={"type": "object", "properties": {"euros": {"type": "number"}}})

        @on_answer("amount")
        def pay(self, intent, answer):
            return {"paid": answer["euros"] if answer else 0}

    It can take the `answer`, the `question` (an `Arbitration`), `intent`, `assignment`, `lease`, `scope`, `agent` and `client`. The answer
    is an object that is valid against the question's schema, or without one the decision's text; and None if the question was
    withdrawn or has expired. The names are those of questions; without any, it is called for all that no other method takes.

    What it returns or raises has the effects that it has under `on_assignment`. The intent is completed by the result after which no
    question is left. One that is blocked, as by a `blocking` question that has expired (protocol A-5), waits until somebody resumes it.
    """
    if callable(name):
        return _register(name, Trigger("on_answer"))
    return lambda handler: _register(handler, Trigger("on_answer", names=frozenset((name, *names))))


def on_complete(handler: F) -> F:
    """Call this method with each intent that is completed and that the agent is assigned to or has created.

        @on_complete
        def celebrate(self, intent):
            print(intent.title, intent.state)

    It can take `intent`, `event`, `agent` and `client`. It is called for events while the agent runs: see `BaseAgent.start`. To know
    of the intents that it has created, the agent follows all creations and status changes of the server.
    """
    return _register(
        handler,
        Trigger("on_complete", _type_names(EventType.STATUS_CHANGED), lambda event, _: event.payload.get("to") == "completed"),
    )


def on_event(*event_types: EventType | str, own: bool = False) -> Callable[[F], F]:
    """Call this method with each event of these types, of intents that the agent is assigned to.

        @on_event("comment", EventType.DECISION_RECORDED)
        def listen(self, event):
            print(event.actor, event.payload)

    It can take `event`, the current `intent`, `agent` and `client`. `own`: also with the events that the agent itself has written;
    a method that logs an event of its own types would then never end. It is called for events while the agent runs: see
    `BaseAgent.start`.

    Raises InputValidationError.
    """
    if not event_types:
        raise InputValidationError("on_event needs at least one event type", field="event_types")
    validate_event_types(event_types)
    return lambda handler: _register(handler, Trigger("on_event", _type_names(*event_types), include_own=own))


@overload
def on_state_change(handler: F) -> F: ...
@overload
def on_state_change(handler: Sequence[str], /) -> Callable[[F], F]: ...
@overload
def on_state_change(*, keys: Sequence[str] | None = None) -> Callable[[F], F]: ...


def on_state_change(handler: Any = None, *, keys: Sequence[str] | None = None) -> Any:
    """Call this method when another actor has changed the state of an intent that the agent is assigned to.

        @on_state_change(keys=["budget"])
        def recalculate(self, intent, old, new):
            print(intent.title, old.get("budget"), new.get("budget"))

    It can take the current `intent`, the `event`, `old` and `new` (the whole state before and after the change, from the log),
    `agent` and `client`. With `keys` it is called only for changes of these keys of the state or of values below them. It is called for events while the agent runs: see `BaseAgent.start`.
    """
    if handler is not None and not callable(handler):
        handler, keys = None, handler
    wanted = None if keys is None else frozenset(keys)
    if isinstance(keys, str):
        raise InputValidationError('keys must be a list, as in keys=["budget"]', field="keys")

    def changes_wanted_key(event: Event, _: str) -> bool:
        paths = (patch["path"] for patch in event.payload.get("patches") or [])
        changed = (  # A path is a plain key, or a JSON Pointer if it starts with a slash (protocol I-3).
            path.split("/", 2)[1].replace("~1", "/").replace("~0", "~") if path.startswith("/") else path for path in paths
        )
        return wanted is None or not wanted.isdisjoint(changed)

    trigger = Trigger("on_state_change", _type_names(EventType.STATE_PATCHED), changes_wanted_key, include_own=False)
    return (lambda method: _register(method, trigger)) if handler is None else _register(handler, trigger)


def on_lease_available(scope: str) -> Callable[[F], F]:
    """Call this method when another agent's lease has ended, so that `scope`, or a part of it, is free.

        @on_lease_available("content.draft")
        def edit(self, intent):
            with self.client.lease(intent.id, "content.draft"):
                ...

    This is for intents that the agent is assigned to. It can take `intent`, `event`, `scope` (the one above), `lease` (the one that
    has ended), `agent` and `client`. Other agents may be called too, so the scope may be leased again by then. It is called for events while the agent runs: see `BaseAgent.start`.
    """
    validate_lease_acquire(scope)
    ends = _type_names(EventType.LEASE_RELEASED, EventType.LEASE_EXPIRED, EventType.LEASE_REVOKED)

    def is_free(event: Event, agent_id: str) -> bool:
        levels = zip(scope.split("."), str(event.payload.get("scope")).split("."), strict=False)
        overlaps = all(one == other for one, other in levels)  # Protocol L-1.
        return event.payload.get("agent_id") != agent_id and overlaps

    return lambda handler: _register(handler, Trigger("on_lease_available", ends, is_free, scope=scope))


def on_failure(handler: F) -> F:
    """Call this method when an agent has failed at an intent and will not retry automatically (protocol R-3).

        @on_failure
        def escalate(self, intent, event):
            self.client.request_arbitration(intent.id, reason=event.payload["error_type"])

    It can take `intent`, `event`, `agent` and `client`. For a coordinator it covers the members of its portfolios, for any other agent
    the intents that it is assigned to. It is called for events while the agent runs: see `BaseAgent.start`.
    """
    return _register(
        handler,
        Trigger("on_failure", _type_names(EventType.FAILURE_RECORDED), lambda event, _: not event.payload.get("will_retry")),
    )


def on_all_complete(handler: F) -> F:
    """Call this method of a `Coordinator` with each of its portfolios once all members are closed.

        @on_all_complete
        def celebrate(self, portfolio):
            print(portfolio.name, [each.state for each in portfolio.intents])

    That is when it has no open member, or no member at all, or when the server has completed it by its `auto_complete_threshold`.
    Members may have been abandoned: check their `status`. After the method has returned, an active portfolio is completed, unless
    its policy requires all members completed and one is not. If it raises, or the process dies within it, it is called again at
    the coordinator's next start.
    """
    return _register(handler, Trigger("on_all_complete"))


def on_progress(handler: F) -> F:
    """Call this method of a `Coordinator` with a portfolio when the number of its members of some status has changed.

        @on_progress
        def show(self, portfolio):
            print(portfolio.name, portfolio.aggregate_status.completion_percentage)

    Changes in quick succession may be combined. It is also called when the coordinator begins to follow the portfolio.
    """
    return _register(handler, Trigger("on_progress"))


def declared_triggers(owner: type) -> list[tuple[str, Trigger]]:
    """Return the name and trigger of each decorated method of a class, those of base classes first."""
    names = dict.fromkeys(name for each in reversed(owner.__mro__) for name in vars(each))
    found = ((name, getattr(getattr(owner, name, None), _TRIGGERS, ())) for name in names)
    return [(name, trigger) for name, triggers in found for trigger in triggers]


def _register(handler: F, trigger: Trigger) -> F:
    if not callable(handler):
        raise TypeError(f"@{trigger.kind} must decorate a method")
    function = handler.__func__ if isinstance(handler, staticmethod) else handler
    setattr(function, _TRIGGERS, (*getattr(function, _TRIGGERS, ()), trigger))
    return handler


def _type_names(*types: EventType | str) -> frozenset[str]:
    return frozenset(map(str, types))
