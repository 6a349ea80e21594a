"""Event log of intents, append-only (RFC-0002)."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict

from .._call import Call, list_call
from .._parameters import Id, Instant, as_id, as_optional_id, path, to_rfc3339, without_none
from ..enums import EventType
from ..models import Event
from ..validation import validate_event, validate_event_filter, validate_events
from ._transport import Transport


class NewEvent(TypedDict):
    """An event of a batch to log."""

    event_type: EventType | str
    payload: NotRequired[Mapping[str, Any]]
    trace_id: NotRequired[str | None]
    parent_event_id: NotRequired[str | None]


class EventResource(Transport):
    """/intents/{id}/events and /events."""

    def log_event(
        self,
        intent_id: Id,
        event_type: EventType | str,
        payload: Mapping[str, Any] | None = None,
        trace_id: str | None = None,
        parent_event_id: Id | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Event:
        """Append an event to the intent's log. The actor is the key's agent, or the client's `agent_id`.

        The type is your own or a client-logged `EventType`; those that the server writes are rejected (E-4).

        Raises InputValidationError, NotFoundError.
        """
        validate_event(event_type, payload)
        return self.send(
            Call(
                "POST",
                path("intents", intent_id, "events"),
                Event.from_json,
                json=without_none(
                    event_type=event_type, payload=payload, trace_id=trace_id, parent_event_id=as_optional_id(parent_event_id)
                ),
                idempotency_key=idempotency_key,
            )
        )

    def log_events(
        self,
        intent_id: Id,
        events: Sequence[NewEvent],
        *,
        idempotency_key: str | None = None,
    ) -> list[Event]:
        """Append up to 1,000 events in their order, atomically (E-5).

        Raises InputValidationError, NotFoundError.
        """
        validate_events(events)
        return self.send(
            Call(
                "POST",
                path("intents", intent_id, "events", "batch"),
                lambda body: [Event.from_json(event) for event in body["events"]],
                json={"events": list(events)},
                idempotency_key=idempotency_key,
            )
        )

    def get_events(
        self,
        intent_id: Id,
        event_type: EventType | str | None = None,
        since: Instant | None = None,
        limit: int | None = None,
        *,
        after: int | None = None,
        actor: str | None = None,
        order: Literal["asc", "desc"] | None = None,
    ) -> list[Event]:
        """Return the intent's events that match, or the first `limit` of them; the oldest first, unless `order` is "desc".

        `after`: only those with a greater `sequence`. `since`: an aware datetime or RFC 3339 text.
        `event_type`: one type, or several separated by commas.

        Raises InputValidationError, NotFoundError.
        """
        validate_event_filter(event_type)
        return self.send(
            list_call(
                path("intents", intent_id, "events"),
                "events",
                Event,
                limit=limit,
                after=after,
                event_type=event_type,
                actor=actor,
                since=to_rfc3339(since, "since"),
                order=order,
            )
        )

    def list_events(
        self,
        *,
        after: int | None = None,
        event_type: EventType | str | None = None,
        actor: str | None = None,
        trace_id: str | None = None,
        since: Instant | None = None,
        portfolio_id: Id | None = None,
        agent_id: str | None = None,
        order: Literal["asc", "desc"] | None = None,
        limit: int | None = None,
    ) -> list[Event]:
        """Return the events of all intents that match, in the order of `position`, or the first `limit` of them.

        `after`: only those with a greater `position`; to poll the log, pass the last one you have seen. `portfolio_id`, `agent_id`:
        the events of its stream (S-4). `event_type`: one type, or several separated by commas. `order`: "desc" starts with the newest.

        Raises InputValidationError.
        """
        validate_event_filter(event_type)
        return self.send(
            list_call(
                path("events"),
                "events",
                Event,
                limit=limit,
                after=after,
                event_type=event_type,
                actor=actor,
                trace_id=trace_id,
                since=to_rfc3339(since, "since"),
                portfolio_id=portfolio_id and as_id(portfolio_id),
                agent_id=agent_id,
                order=order,
            )
        )
