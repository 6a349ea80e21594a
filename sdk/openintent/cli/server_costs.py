"""Costs of the whole server, summed up from the log."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal, localcontext

from ..client import OpenIntentClient
from ..models import CostSummary, Event

PAGE = 1000
DIGITS = 60
"""Digits of a sum, so that none is rounded away."""

_USD = {"USD": Decimal(1), "cents": Decimal("0.01")}
"""Units of money, in dollars."""

_SPLITS = {"by_type": "cost_type", "by_agent": "agent_id", "by_provider": "provider", "by_model": "model"}


def server_summary(client: OpenIntentClient, since: datetime | None) -> CostSummary:
    """Return the sums of all costs, or of those since then, as the API's summaries are (C-2)."""
    with localcontext(prec=DIGITS):
        return _summarize(_cost_events(client, since))


def _cost_events(client: OpenIntentClient, since: datetime | None) -> Iterator[Event]:
    """Yield the events page by page: there may be many."""
    position = 0
    while page := client.list_events(event_type="cost_recorded", since=since, after=position, limit=PAGE):
        yield from page
        position = page[-1].position or 0


def _summarize(events: Iterable[Event]) -> CostSummary:
    sums: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    by_unit: dict[str, Decimal] = defaultdict(Decimal)
    count = 0
    for event in events:
        kinds = tuple(str(event.payload.get(each) or "") for each in ("unit", *_SPLITS.values()))
        amount = Decimal(str(event.payload["amount"]))
        sums[kinds] += amount
        by_unit[kinds[0]] += amount
        count += 1
    unit: str | None = "USD"
    factors = _USD
    if by_unit and not by_unit.keys() & _USD.keys():
        unit, factors = next(iter(by_unit)), dict.fromkeys(by_unit, Decimal(1))
        if len(by_unit) > 1:  # Different units are never added.
            unit, factors = None, {}
    splits: dict[str, dict[str, Decimal]] = {name: defaultdict(Decimal) for name in _SPLITS}
    counted = {kinds: amount * factors[kinds[0]] for kinds, amount in sums.items() if kinds[0] in factors}
    for (_, *named), amount in counted.items():
        for split, name in zip(splits.values(), named, strict=True):
            if name:
                split[name] += amount
    return CostSummary(
        unit=unit,
        total=None if unit is None else sum(counted.values(), Decimal()),
        by_type=dict(splits["by_type"]),
        by_agent=dict(splits["by_agent"]),
        by_provider=dict(splits["by_provider"]),
        by_model=dict(splits["by_model"]),
        by_unit=dict(by_unit),
        count=count,
    )
