"""Errors of intents, their graph and their log."""

from collections.abc import Collection, Iterable
from typing import Any, cast

from core.errors import ObjectNotFound, ProtocolError


class IntentNotFound(ObjectNotFound):
    message = "No intent has the id"


class VersionConflict(ProtocolError):
    """The intent or portfolio has changed since you read it. Read it again (its `version` is `current_version`), check whether your change still makes sense, and send it with that version."""

    code, title, status = "version_conflict", "Version conflict", 409

    def __init__(self, current: int, expected: int, *, of: str = "Intent") -> None:
        super().__init__(f"{of} is at version {current}; If-Match said {expected}.", current_version=current)


class IllegalTransition(ProtocolError):
    """An intent or a portfolio cannot go from its status to that one (rules I-5, P-2). `allowed` lists the statuses that it can change to; completed and abandoned are final."""

    code, title, status = "illegal_transition", "Illegal transition", 400

    def __init__(self, current: str, target: str, allowed: Collection[str], *, of: str = "An intent") -> None:
        options = ", ".join(allowed) or "none, it is final"
        super().__init__(
            f"{of} that is {current} cannot become {target}; allowed: {options}.",
            **cast(Any, {"from": current, "to": target, "allowed": list(allowed)}),  # `from` is a keyword.
        )


class InvalidPatch(ProtocolError):
    """A patch of the state cannot be applied (rule I-3). `index` is its number, counted from 0. None of the patches was applied."""

    code, title, status = "invalid_patch", "Invalid patch", 400

    def __init__(self, index: int, detail: str) -> None:
        super().__init__(f"Patch {index}: {detail}", index=index)


class DependencyCycle(ProtocolError):
    """The dependency would close a cycle of intents that wait for each other: `cycle` is the path. A parent waits for its children, so a descendant cannot depend on its ancestor either."""

    code, title, status = "dependency_cycle", "Dependency cycle", 400

    def __init__(self, cycle: Iterable[Any]) -> None:
        path = [str(intent_id) for intent_id in cycle]
        super().__init__(f"This would make intents wait for each other: {' → '.join(path[:20])}.", cycle=path)


class CompletionGate(ProtocolError):
    """The intent or portfolio still waits for others: `waiting_for` lists them. Complete them, or remove the dependency or the member, first."""

    code, title, status = "completion_gate", "Completion gate", 409

    def __init__(self, waiting_for: Iterable[Any], detail: str) -> None:
        super().__init__(detail, waiting_for=[str(intent_id) for intent_id in waiting_for])


class IntentClosed(ProtocolError):
    """The intent is completed or abandoned, which is final: it takes no new dependencies or children."""

    code, title, status = "intent_closed", "Intent closed", 409

    def __init__(self, intent_id: Any, status: str) -> None:
        super().__init__(f"Intent {intent_id} is {status}, which is final.", intent_id=str(intent_id))


class ReservedEventType(ProtocolError):
    """Events of this type are written by the server only. Use the endpoint that causes the event, or another type."""

    code, title, status = "reserved_event_type", "Reserved event type", 403

    def __init__(self, event_type: str) -> None:
        super().__init__(f"Events of the type {event_type!r} are written by the server only.")
