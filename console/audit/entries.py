"""Audit log: what people did, from the event log, and what was done to keys and people, from access.audit_log."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import orjson
from django.db.models import Q, QuerySet
from django.db.models.functions import Left
from django.utils import timezone

from access.models import AuditEntry
from console.event_log.pages import MAX_PAYLOAD, parse_counter, with_portfolio_names
from console.event_text import USER_PREFIX, summarize_event
from console.filters import requested_choice, requested_day
from intents.events import EventType
from intents.models import Event

SHOWN = 50
BATCH = 1_000  # Lines that an export reads at once.
PARAMETERS = ("person", "kind", "from", "until", "before")
"""URL parameters of the page; the export takes all but the last."""

_SIGN_INS = [
    "signed_in",
    "signed_out",
    *(f"{what}_{how}" for what in ("sign_in", "link", "password_change") for how in ("failed", "throttled")),
    "password_set",
    "sign_in_link_printed",
]
_DECISIONS = [
    EventType.DECISION_RECORDED,
    EventType.VOTE_RECORDED,
    EventType.INFORMATION_REQUESTED,
    EventType.PERMIT_REVOKED,
    EventType.OUTCOME_RECORDED,
]
KINDS: dict[str, tuple[str, Q | None, Q | None]] = {
    "": ("Everything", Q(), Q()),
    "sign-ins": ("Signing in and out", Q(action__in=_SIGN_INS), None),
    "access": ("Keys and people", ~Q(action__in=_SIGN_INS), None),
    "decisions": ("Decisions", None, Q(event_type__in=_DECISIONS)),
    "acts": ("Other acts", None, ~Q(event_type__in=_DECISIONS)),
}
"""Kinds with their texts, and the conditions of audit entries and of events. None: it has none of them."""


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One act. `event` is the event that recorded it, `entry` the audit entry: one of them is there."""

    at: datetime
    action: str
    actor: str
    subject: str
    address: str
    details: str
    event: Event | None = None
    entry: AuditEntry | None = None

    @property
    def is_of_person(self) -> bool:
        return self.actor.startswith(USER_PREFIX)


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place in both logs before which lines are read. None: the newest."""

    event: int | None = None
    entry: int | None = None

    @classmethod
    def parse(cls, given: str) -> "Cursor":
        event, _, entry = given.partition("-")
        return cls(parse_counter(event), parse_counter(entry))

    def __str__(self) -> str:
        return f"{self.event or ''}-{self.entry or ''}"


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """The filters of the page. The days are the reader's, both included."""

    person: str = ""
    kind: str = ""
    first: date | None = None
    last: date | None = None

    @classmethod
    def from_params(cls, given: Mapping[str, str]) -> "AuditQuery":
        """Parse the URL parameters. Raise BadRequest for an unknown kind, or what is no date."""
        return cls(
            person=given.get("person", "").replace("\0", "").strip()[:255],
            kind=requested_choice(given, "kind", KINDS, ""),
            first=requested_day(given, "from"),
            last=requested_day(given, "until"),
        )

    def read(self, cursor: Cursor, shown: int) -> tuple[list[AuditLine], Cursor | None]:
        """Return the newest lines before the cursor, and where the next ones begin. None: there are no more."""
        events, entries = self._events(cursor)[: shown + 1], self._entries(cursor)[: shown + 1]
        found = [*map(_of_event, events), *map(_of_entry, entries)]
        lines = sorted(found, key=_place, reverse=True)
        if len(lines) <= shown:
            return lines, None
        lines = lines[:shown]
        read_events = [line.event.row for line in lines if line.event]
        read_entries = [line.entry.pk for line in lines if line.entry]
        return lines, Cursor(min(read_events, default=cursor.event), min(read_entries, default=cursor.entry))

    def read_all(self) -> Iterator[list[AuditLine]]:
        """Yield the lines in batches, each with short queries: a slow reader keeps nothing open."""
        cursor: Cursor | None = Cursor()
        while cursor:
            lines, cursor = self.read(cursor, BATCH)
            yield lines

    def _events(self, cursor: Cursor) -> QuerySet[Event]:
        """Return the acts of people: events without a key, whose actor is a person (access.roles)."""
        condition = KINDS[self.kind][2]
        if condition is None:
            return Event.objects.none()
        actor = Q(actor=f"{USER_PREFIX}{self.person}") if self.person else Q(actor__startswith=USER_PREFIX)
        before = Q(row__lt=cursor.event) if cursor.event else Q()
        found = Event.objects.filter(condition, actor, before, self._period("created_at"), key_id=None).order_by("-row")
        columns = ("row", "uid", "event_type", "actor", "created_at", "intent_id", "portfolio_id", "intent__title")
        return with_portfolio_names(found.select_related("intent").only(*columns).annotate(text=Left("payload", MAX_PAYLOAD + 1)))

    def _entries(self, cursor: Cursor) -> QuerySet[AuditEntry]:
        condition = KINDS[self.kind][1]
        if condition is None:
            return AuditEntry.objects.none()
        name = f"{USER_PREFIX}{self.person}"
        person = Q(actor=name) | Q(subject=name) if self.person else Q()
        before = Q(pk__lt=cursor.entry) if cursor.entry else Q()
        return AuditEntry.objects.filter(condition, person, before, self._period("at")).order_by("-pk")

    def _period(self, column: str) -> Q:
        zone = timezone.get_current_timezone()
        since = Q(**{f"{column}__gte": datetime.combine(self.first, time(), zone)}) if self.first else Q()
        until = Q(**{f"{column}__lt": datetime.combine(self.last + timedelta(days=1), time(), zone)}) if self.last else Q()
        return since & until


def _of_event(event: Any) -> AuditLine:
    subject = event.intent.title if event.intent else event.portfolio_name or ""
    is_whole = len(event.text) <= MAX_PAYLOAD
    details = summarize_event(event.event_type, orjson.loads(event.text)) if is_whole else ""
    return AuditLine(event.created_at, event.event_type, event.actor, subject, "", details, event=event)


def _of_entry(entry: AuditEntry) -> AuditLine:
    details = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in entry.details.items())
    return AuditLine(entry.at, entry.action, entry.actor, entry.subject, entry.address, details, entry=entry)


def _place(line: AuditLine) -> tuple[datetime, int, int]:
    """Return the place of a line: those of one instant keep the order of their log."""
    return line.at, line.event.row if line.event else 0, line.entry.pk if line.entry else 0
