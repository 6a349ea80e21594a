"""Prices of tokens, and what a request costs by them. The list of known prices is `openintent.adapters.price_list`.

Models without a price are recorded in tokens, and so is usage with a modifier whose price is not known. To use your own:

    ours = {**PRICES, "openai": {**PRICES["openai"], "gpt-4o": Price("2.20", "8.80", cached="1.10")}}
    OpenAIAdapter(client, openintent, intent.id, config=AdapterConfig(prices=ours))
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from math import prod
from typing import TypeAlias

from .parsing import Usage

MILLION = 1_000_000
DECIMALS = Decimal("1e-12")  # The protocol's amounts have no more.
DATE_SUFFIX = re.compile(r"-\d{4}-\d{2}-\d{2}|[-@]\d{8}|-\d{3,4}|-latest")
"""Suffixes of a family's name: `gpt-4o-2024-08-06` is a gpt-4o, `gpt-4o-audio-preview` is not."""


@dataclass(frozen=True, slots=True)
class Price:
    """USD per million tokens, as Decimal, text or int.

    input, output     input tokens, and output tokens including reasoning
    cached            input read from the provider's cache; None: as input
    cache_write       input written to the cache for 5 minutes; None: as input
    cache_write_hour  input written to the cache for an hour; None: as `cache_write`
    beyond            (tokens, price): the price of the whole request if its input is longer than that
    times             factors by what modifies the price: {"batch": "0.5", "fast": 2}. A modifier without one has no price
    tools             USD per thousand requests to the provider's own tools: {"web_search": 10}
    later             (date, price): the price from that day on
    source, as_of     where it was read, and the day on which that page said so
    """

    input: Decimal | str | int
    output: Decimal | str | int
    cached: Decimal | str | int | None = None
    cache_write: Decimal | str | int | None = None
    cache_write_hour: Decimal | str | int | None = None
    beyond: "tuple[int, Price] | None" = None
    times: Mapping[str, Decimal | str | int] = field(default_factory=dict, hash=False)
    tools: Mapping[str, Decimal | str | int] = field(default_factory=dict, hash=False)
    later: "tuple[date, Price] | None" = None
    source: str = ""
    as_of: date | None = None

    def of(self, usage: Usage, on: date | None = None) -> Decimal | None:
        """Return the price of the usage in USD, to the protocol's 12 decimals; None if a modifier of it is not known.

        `on` is the day, today if it is None.
        """
        if self.later and (on or datetime.now(UTC).date()) >= self.later[0]:
            return self.later[1].of(usage, on)
        if not self.times.keys() >= set(usage.modifiers):
            return None
        used = sum((Decimal(self.tools.get(tool, 0)) * number / 1000 for tool, number in usage.tools.items()), Decimal(0))
        tokens = self.beyond[1] if self.beyond and usage.prompt > self.beyond[0] else self
        factor = prod((Decimal(self.times[modifier]) for modifier in usage.modifiers), start=Decimal(1))
        return (tokens._of_tokens(usage) * factor / MILLION + used).quantize(DECIMALS)

    def _of_tokens(self, usage: Usage) -> Decimal:
        fresh = usage.prompt - usage.cached - usage.cache_write - usage.cache_write_hour
        cache_write = self.input if self.cache_write is None else self.cache_write
        return (
            fresh * Decimal(self.input)
            + usage.cached * Decimal(self.input if self.cached is None else self.cached)
            + usage.cache_write * Decimal(cache_write)
            + usage.cache_write_hour * Decimal(cache_write if self.cache_write_hour is None else self.cache_write_hour)
            + usage.completion * Decimal(self.output)
        )


Prices: TypeAlias = Mapping[str, Mapping[str, Price]]
"""Prices by provider, then by model or family of models."""


def price_of(prices: Prices, provider: str, model: str) -> Price | None:
    """Return the price of the model or, for a dated name, of the family with the longest matching name; None if there is none."""
    families = prices.get(provider, {})
    matching = [
        name for name in families if model == name or (model.startswith(name) and DATE_SUFFIX.fullmatch(model, len(name)))
    ]
    return families[max(matching, key=len)] if matching else None
