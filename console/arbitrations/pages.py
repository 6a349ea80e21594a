"""What the pages of questions show: the inbox, and one question with all that its reader needs to decide. Fixed numbers of queries."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Any
from uuid import UUID

import orjson
from django.db.models import Count, ExpressionWrapper, F, TextField
from django.http import HttpRequest

from access.models import Role
from access.roles import actor_from_user, has_role, role_of
from console.dashboard import URGENT
from console.state_diff import Change, changes
from governance.models import Arbitration, Status
from intents import patches
from intents.events import EventType
from intents.models import FINAL, Edge, Event, Intent

EVENTS = 15
EARLIER = 8
WAITING = 5
CHANGES = 25
PATCHES = 3_000  # Events with patches that are read to find the state of an earlier moment; beyond, it is not shown.
PATCH_BYTES = 16 * 2**20  # The same in bytes.
FETCHED_AT_ONCE = 25
REMEMBERED = 16  # States of earlier moments: a live page asks again and again.
EVIDENCE = range(1, 4)  # The pieces of evidence that a form asks for.
CHIPS = 6  # Options that a row of the inbox offers.


# --- the inbox -------------------------------------------------------------------------------------------------------


def rows(request: HttpRequest, found: Sequence[Arbitration], now: datetime) -> list[dict[str, Any]]:
    """One page of the list, each with what it keeps from going on and what can be done with it."""
    waiting = _waiting_for({each.intent_id for each in found if each.blocking})
    decides = has_role(request, Role.ARBITER)
    return [
        {
            "asked": each,
            "status": str(each.status),
            "is_urgent": is_urgent(each, now),
            "waiting": waiting.get(each.intent_id, 0),
            "is_open": decides and each.status == Status.PENDING,
            "is_own": is_own(request, each),
            "options": each.options[:CHIPS],
            "more": max(0, len(each.options) - CHIPS),
        }
        for each in found
    ]


def shared_labels(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Answers that at least two of the open questions offer, the most common first."""
    offered = [option["label"] for row in rows if row["is_open"] and not row["is_own"] for option in row["asked"].options]
    return sorted({label for label in offered if offered.count(label) > 1}, key=lambda label: (-offered.count(label), label))


def is_urgent(asked: Arbitration, now: datetime) -> bool:
    return asked.expires_at is not None and asked.expires_at <= now + URGENT


def is_own(request: HttpRequest, asked: Arbitration) -> bool:
    """Whether the person asked it and may therefore not decide it (rule A-4)."""
    return asked.principal == actor_from_user(request).principal and role_of(request.user) != Role.OPERATOR


def _waiting_for(intent_ids: set[UUID]) -> dict[UUID, int]:
    """How many open intents wait for each of these."""
    waiting = Edge.objects.filter(awaited_id__in=intent_ids).exclude(waiter__status__in=FINAL).order_by()
    return dict(waiting.values_list("awaited_id").annotate(Count("pk")))


# --- one question ----------------------------------------------------------------------------------------------------


def question(request: HttpRequest, asked: Arbitration, now: datetime) -> dict[str, Any]:
    """Of an arbitration that was read with its intent and its decision."""
    status = str(asked.status)
    intent = asked.intent
    next_one = _next(asked, now)
    return {
        "now": now,
        "asked": asked,
        "status": status,
        "is_urgent": is_urgent(asked, now),
        "is_pending": status == Status.PENDING,
        "may_decide": has_role(request, Role.ARBITER),
        "is_own": is_own(request, asked),
        "decision": getattr(asked, "decision", None),
        "withdrawal": withdrawal(asked) if status == Status.WITHDRAWN else None,
        "intent": intent,
        "waiting": _waiting(intent),
        "changes": _changes(asked),
        "events": [*since(asked).order_by("-sequence")[:EVENTS]],
        "event_count": intent.last_sequence - asked.sequence,
        "earlier": _earlier(asked),
        "next": next_one[0] if next_one else None,
        "evidence": [("", "")] * len(EVIDENCE),
    }


def withdrawal(asked: Arbitration) -> Event | None:
    """The event that says who took it back, and why."""
    for event in since(asked).filter(event_type=EventType.ARBITRATION_WITHDRAWN).order_by("sequence"):
        if event.payload["arbitration_id"] == str(asked.pk):
            return event
    return None


def since(asked: Arbitration) -> Any:
    """What happened to the intent after it was asked."""
    return Event.objects.filter(intent_id=asked.intent_id, sequence__gt=asked.sequence)


def _waiting(intent: Intent) -> dict[str, Any]:
    """The open intents that wait for this one, some of them by name."""
    found = Edge.objects.filter(awaited=intent).exclude(waiter__status__in=FINAL).order_by("pk")
    rows = [*found.values_list("waiter_id", "waiter__title")[: WAITING + 1]]
    return {"rows": rows[:WAITING], "is_more": len(rows) > WAITING}


def _changes(asked: Arbitration) -> list[Change] | None:
    """Between the state when it was asked and now. None: too long a way."""
    if not since(asked).filter(event_type=EventType.STATE_PATCHED).exists():
        return []
    state = _state_at(asked.intent_id, asked.sequence)
    return None if state is None else [*islice(changes(state, asked.intent.state), CHANGES + 1)]


@lru_cache(maxsize=REMEMBERED)
def _state_at(intent_id: UUID, sequence: int) -> dict[str, Any] | None:
    """As the log tells it. Nobody may change what this answers: it is remembered."""
    told = Event.objects.filter(
        intent_id=intent_id, sequence__lte=sequence, event_type__in=[EventType.INTENT_CREATED, EventType.STATE_PATCHED]
    ).order_by("sequence")
    text = ExpressionWrapper(F("payload"), TextField())
    found = told.values_list("event_type", text)[: PATCHES + 1].iterator(chunk_size=FETCHED_AT_ONCE)
    state: dict[str, Any] = {}
    left = PATCH_BYTES
    for number, (event_type, said) in enumerate(found):
        left -= len(said)
        if number == PATCHES or left < 0:
            return None
        payload = orjson.loads(said)
        if event_type == EventType.INTENT_CREATED:
            state = payload["state"]
        else:
            patches.apply_patches(state, payload["patches"])
    return state


def _earlier(asked: Arbitration) -> list[Arbitration]:
    """The other questions about this intent, the newest first."""
    others = Arbitration.objects.filter(intent_id=asked.intent_id).exclude(pk=asked.pk).select_related("decision")
    return [*others.defer("context", "options").order_by("-pk")[:EARLIER]]


def _next(asked: Arbitration, now: datetime) -> list[Arbitration]:
    pending = Arbitration.objects.pending().exclude(pk=asked.pk).by_urgency(now + URGENT)
    return [*pending.only("pk", "reason", "expires_at", "blocking")[:1]]
