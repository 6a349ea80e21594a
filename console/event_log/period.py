"""The range of time of a page, the event log's or a timeline's: two dates or times in the reader's zone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Q
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from core.ids import first_id_at
from intents.models import Event

PARAMETERS = ("from", "to")
YEARS = range(2000, 2200)
SLACK = timedelta(minutes=1)  # For which an event's id, made by the server's clock, may differ from its time, of the database's.
EARLIEST = datetime(YEARS[0], 1, 1, tzinfo=UTC)
YEARS_SAID = f"Use a year from {YEARS[0]} to {YEARS[-1]}."
FORMS = "Use a date such as 2026-11-29, or a time such as 2026-11-29T14:30."


@dataclass(frozen=True, slots=True)
class Period:
    """From `since` on, and before `until`, each None if it is open. `problem` says what is wrong with the parameters, if anything."""

    since: datetime | None = None
    until: datetime | None = None
    problem: str = ""
    wrong: str = ""
    """The parameter that the problem is about."""

    @classmethod
    def from_params(cls, query: Mapping[str, str]) -> "Period":
        """Parse `from` and `to`. A date as `to` includes its whole day."""
        moments: list[datetime | None] = []
        for name in PARAMETERS:
            given = query.get(name, "").strip()
            moment = _parse_moment(given, is_end=name == "to") if given else None
            if given and moment is None:
                return cls(problem=f"“{name.capitalize()}” is no date: {given[:40]!r}. {FORMS}", wrong=name)
            if moment and moment.year not in YEARS:
                return cls(problem=f"“{name.capitalize()}” is out of range: {given[:40]!r}. {YEARS_SAID}", wrong=name)
            moments.append(moment)
        since, until = moments
        if since and until and since >= until:
            return cls(since, until, "“From” is not before “To”. Choose an earlier start or a later end.", "from")
        return cls(since, until)

    @property
    def params(self) -> dict[str, str]:
        """The parameters that mean this period, as the fields of the page have them."""
        moments = zip(PARAMETERS, (self.since, self.until), strict=True)
        return {name: timezone.localtime(each).strftime("%Y-%m-%dT%H:%M:%S") for name, each in moments if each}

    def q(self) -> Q:
        since = Q(created_at__gte=self.since) if self.since else Q()
        return since & (Q(created_at__lt=self.until) if self.until else Q())

    def positions(self, end: int) -> tuple[int, int]:
        """Return the positions from which and before which the events are, of a log that ends before `end`.

        Times have no index, but ids grow with time. The range has more events than the period, those of SLACK on each side.
        """
        first = _position_at(self.since - SLACK, end) if self.since else 1
        return first, _position_at(self.until + SLACK, end) if self.until else end


ANY_TIME = Period()


def _position_at(moment: datetime, end: int) -> int:
    later = Event.objects.filter(uid__gte=first_id_at(moment), position__isnull=False).order_by("uid")
    return later.values_list("position", flat=True).first() or end


def _parse_moment(given: str, *, is_end: bool) -> datetime | None:
    """Return the moment of a date or a time. One without a zone is the reader's. None: it is neither."""
    try:
        is_time = "T" in given or ":" in given
        moment = (
            parse_datetime(given) if is_time else datetime.combine(date.fromisoformat(given) + timedelta(days=is_end), time())
        )
    except ValueError:
        return None
    except OverflowError:
        return datetime.max  # The last day ends after it.
    return moment and (moment if moment.tzinfo else timezone.make_aware(moment))
