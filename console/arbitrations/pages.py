"""Arbitration pages: the inbox, and one question with all that is needed to decide it. Fixed numbers of queries."""

import re
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Any
from uuid import UUID

import orjson
from django.db.models import Count, ExpressionWrapper, F, Q, TextField
from django.http import HttpRequest

from access.models import Role
from access.roles import actor_from_user, has_role, role_of
from attachments.models import Attachment
from console.acts import describe_act
from console.attachments.previews import Preview, make_previews
from console.dashboard import URGENT
from console.notices.pages import question_notices
from console.state_diff import Change, diff_states
from core import strict_json
from governance.models import Arbitration, Status
from governance.question_terms import reached
from governance.recipients import includes
from intents import patches
from intents.events import EventType
from intents.models import FINAL, Edge, Event

ATTACHMENTS = 20
PREVIEWED = 3  # Texts among them.
MENTIONED = 50  # Ids in a question that may be those of attachments.
EVENTS = 15
EARLIER = 8
WAITING = 5
CHANGES = 25
PATCHES = 3_000  # Events with patches that are read to find the state of an earlier moment; beyond, it is not shown.
PATCH_BYTES = 16 * 2**20  # The same in bytes.
FETCHED_AT_ONCE = 25
REMEMBERED = 16  # States of earlier moments: a live page asks again and again.
EVIDENCE = range(1, 4)  # The pieces of evidence that a form asks for.
MAX_INLINE_OPTIONS = 6  # Options that a row of the inbox offers.


_ID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)

# --- the inbox -------------------------------------------------------------------------------------------------------

REFUSED = "reject"
"""The label by which a person refuses an act that was asked for without options."""


def list_rows(request: HttpRequest, found: Sequence[Arbitration], now: datetime) -> list[dict[str, Any]]:
    """Return the rows of one page of the inbox, each with the number of intents it blocks and the possible actions."""
    dependents = Edge.objects.filter(awaited_id__in={each.intent_id for each in found if each.blocking})
    open_dependents = dependents.exclude(waiter__status__in=FINAL).order_by().values_list("awaited_id")
    waiting = dict(open_dependents.annotate(Count("pk")))
    decides, me = has_role(request, Role.ARBITER), actor_from_user(request).principal
    return [
        {
            "asked": each,
            "status": str(each.status),
            "is_urgent": is_urgent(each, now),
            "waiting": waiting.get(each.intent_id, 0),
            "is_open": decides and each.status == Status.PENDING,
            "is_own": is_own(request, each),
            "is_mine": each.assignee == me,
            "options": each.options[:MAX_INLINE_OPTIONS] if may_be_answered_inline(each) else [],
            "more": max(0, len(each.options) - MAX_INLINE_OPTIONS),
        }
        for each in found
    ]


def shared_labels(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return the labels that at least two of the open questions offer, the most common first."""
    offered = [
        option["label"]
        for row in rows
        if row["is_open"] and not row["is_own"] and may_be_answered_inline(row["asked"])
        for option in row["asked"].options
    ]
    return sorted({label for label in offered if offered.count(label) > 1}, key=lambda label: (-offered.count(label), label))


def offered_options(asked: Arbitration) -> list[dict[str, Any]]:
    """Return the options that a person chooses from. An act that was asked for without any is permitted or refused (rule A-8)."""
    if asked.options or asked.action is None or asked.response_schema:
        return asked.options
    refusal = [] if REFUSED in asked.grants else [{"label": REFUSED, "rationale": "Permits nothing."}]
    return [*({"label": each, "rationale": "Permits this act, once."} for each in asked.grants), *refusal]


def may_be_answered_inline(asked: Arbitration) -> bool:
    """Return whether the inbox offers its options: an act is read in full first, and a typed answer needs its form."""
    return asked.action is None and not asked.response_schema


def is_urgent(asked: Arbitration, now: datetime) -> bool:
    return asked.expires_at is not None and asked.expires_at <= now + URGENT


def is_own(request: HttpRequest, asked: Arbitration) -> bool:
    """Return whether the person asked the question and so may not decide it (rule A-4)."""
    return asked.principal == actor_from_user(request).principal and role_of(request.user) != Role.OPERATOR


def may_answer(request: HttpRequest, asked: Arbitration) -> bool:
    """Return whether the person may decide the question, as an arbiter or as one of its audience (rule H-5)."""
    if has_role(request, Role.ARBITER):
        return True
    recipients = reached(asked)
    return bool(recipients) and asked.action is None and includes(recipients, actor_from_user(request).principal)


# --- one question ----------------------------------------------------------------------------------------------------


def question_detail(request: HttpRequest, asked: Arbitration, now: datetime) -> dict[str, Any]:
    """Return the context of a question's page. The arbitration was read with its intent and its decision."""
    status = str(asked.status)
    intent = asked.intent
    others = Arbitration.objects.filter(intent=intent).defer("context", "options")
    dependents = Edge.objects.filter(awaited=intent).exclude(waiter__status__in=FINAL).order_by("pk")
    changes: list[Change] | None = []
    if events_since(asked).filter(event_type=EventType.STATE_PATCHED).exists():
        state = _state_at(asked.intent_id, asked.sequence)  # None: too many events lie between.
        changes = None if state is None else [*islice(diff_states(state, intent.state), CHANGES + 1)]
    waiting = [*dependents.values_list("waiter_id", "waiter__title")[: WAITING + 1]]
    return {
        "now": now,
        "asked": asked,
        "status": status,
        "is_urgent": is_urgent(asked, now),
        "is_pending": status == Status.PENDING,
        "may_decide": may_answer(request, asked),
        "is_own": is_own(request, asked),
        "options": offered_options(asked),
        "reached": reached(asked),
        "decision": getattr(asked, "decision", None),
        "withdrawal": withdrawal_event(asked) if status == Status.WITHDRAWN else None,
        "intent": intent,
        "act": describe_act(asked) if asked.action is not None else None,
        "votes": asked.known_votes,
        "me": actor_from_user(request).principal,
        "information": information_rows(asked),
        "attachments": question_attachments(asked),
        "notices": question_notices(asked, now),
        "may_resend": has_role(request, Role.ARBITER),
        "waiting": {"rows": waiting[:WAITING], "is_more": len(waiting) > WAITING},
        "changes": changes,
        "events": [*events_since(asked).order_by("-sequence")[:EVENTS]],
        "event_count": intent.last_sequence - asked.sequence,
        "earlier": [*others.exclude(pk=asked.pk).select_related("decision").order_by("-pk")[:EARLIER]],
        "next": next_question(asked),
        "evidence": [("", "")] * len(EVIDENCE),
    }


def question_attachments(asked: Arbitration) -> list[Preview]:
    """Return the newest files of the intent, and those that the question mentions by id, also of another intent, or by name."""
    told = f"{asked.reason}\n{strict_json.text(asked.context)}"
    ids = {UUID(each) for each in _ID.findall(told)[:MENTIONED]}
    newest = [*Attachment.objects.filter(intent=asked.intent_id).order_by("-pk")[:ATTACHMENTS]]
    missing = ids - {each.pk for each in newest}
    others = [*Attachment.objects.filter(pk__in=missing).order_by("-pk")] if missing else []
    named = {each.pk for each in newest if re.search(rf"(?<![\w.-]){re.escape(each.filename)}(?![\w-])", told)}
    return make_previews([*newest, *others], texts=PREVIEWED, mentioned=ids | named)


def next_question(asked: Arbitration | None) -> Arbitration | None:
    """Return the pending question after this one in the inbox; after the last one, or without one, the first."""
    pending = Arbitration.objects.pending().by_deadline().only("pk", "reason")
    if asked is None:
        return pending.first()
    end = asked.expires_at
    is_later = Q(expires_at=None, pk__gt=asked.pk)
    if end:
        is_later = Q(expires_at=None) | Q(expires_at__gt=end) | Q(expires_at=end, pk__gt=asked.pk)
    is_later &= Q(blocking=asked.blocking)
    if asked.blocking:
        is_later |= Q(blocking=False)
    others = pending.exclude(pk=asked.pk)
    return others.filter(is_later).first() or others.first()


def information_rows(asked: Arbitration) -> list[dict[str, Any]]:
    """Return the questions back, with their times."""
    moments = ("asked_at", "answered_at")
    return [
        {**each, **{name: each[name] and datetime.fromisoformat(each[name]) for name in moments}} for each in asked.information
    ]


def withdrawal_event(asked: Arbitration) -> Event | None:
    """Return the event of the withdrawal, with its actor and reason."""
    for event in events_since(asked).filter(event_type=EventType.ARBITRATION_WITHDRAWN).order_by("sequence"):
        if event.payload["arbitration_id"] == str(asked.pk):
            return event
    return None


def events_since(asked: Arbitration) -> Any:
    """Return the events of the intent after the question."""
    return Event.objects.filter(intent_id=asked.intent_id, sequence__gt=asked.sequence)


@lru_cache(maxsize=REMEMBERED)
def _state_at(intent_id: UUID, sequence: int) -> dict[str, Any] | None:
    """Return the state at an event, replayed from the log. The result is cached: callers must not change it."""
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
