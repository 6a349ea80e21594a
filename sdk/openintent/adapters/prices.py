"""Prices of tokens: the providers' published list prices, in USD per million tokens, for text at the standard tier.

They are as of the dates in `PRICES_AS_OF`. Providers publish changes on their pages: developers.openai.com/api/docs/pricing,
platform.claude.com/docs/en/about-claude/pricing, ai.google.dev/gemini-api/docs/pricing, docs.x.ai/developers/models,
api-docs.deepseek.com/quick_start/pricing. Only prices that were certain are listed: none of DeepSeek, whose prices depend on the hour,
and no temporary ones. Models without a price are recorded in tokens. To use your own:

    ours = {**PRICES, "openai": {**PRICES["openai"], "gpt-4o": Price("2.20", "8.80", cached="1.10")}}
    OpenAIAdapter(client, openintent, intent.id, config=AdapterConfig(prices=ours))
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from .parsing import Usage

PRICES_AS_OF: Mapping[str, date] = {
    "openai": date(2025, 10, 31),
    "anthropic": date(2026, 10, 24),
    "gemini": date(2026, 9, 20),
    "grok": date(2025, 10, 31),
}
"""The date of each provider's prices."""

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
    """

    input: Decimal | str | int
    output: Decimal | str | int
    cached: Decimal | str | int | None = None
    cache_write: Decimal | str | int | None = None
    cache_write_hour: Decimal | str | int | None = None
    beyond: "tuple[int, Price] | None" = None

    def of(self, usage: Usage) -> Decimal:
        """Return the price of the usage in USD, to the protocol's 12 decimals."""
        if self.beyond and usage.prompt > self.beyond[0]:
            return self.beyond[1].of(usage)
        fresh = usage.prompt - usage.cached - usage.cache_write - usage.cache_write_hour
        cache_write = self.input if self.cache_write is None else self.cache_write
        total = (
            fresh * Decimal(self.input)
            + usage.cached * Decimal(self.input if self.cached is None else self.cached)
            + usage.cache_write * Decimal(cache_write)
            + usage.cache_write_hour * Decimal(cache_write if self.cache_write_hour is None else self.cache_write_hour)
            + usage.completion * Decimal(self.output)
        )
        return (total / MILLION).quantize(DECIMALS)


Prices: TypeAlias = Mapping[str, Mapping[str, Price]]
"""Prices by provider, then by model or family of models."""


def price_of(prices: Prices, provider: str, model: str) -> Price | None:
    """Return the price of the model or, for a dated name, of the family with the longest matching name; None if there is none."""
    families = prices.get(provider, {})
    matching = [
        name for name in families if model == name or (model.startswith(name) and DATE_SUFFIX.fullmatch(model, len(name)))
    ]
    return families[max(matching, key=len)] if matching else None


def _claude(input: str, output: str, beyond: tuple[int, Price] | None = None) -> Price:
    """Return a price of Claude: reading from the cache costs a tenth, writing for 5 minutes a quarter more, for an hour twice as much."""
    read, write, hour = (Decimal(input) * Decimal(times) for times in ("0.1", "1.25", "2"))
    return Price(input, output, read, write, hour, beyond)


PRICES: Prices = {
    "openai": {
        "gpt-5": Price("1.25", "10", "0.125"),
        "gpt-5-mini": Price("0.25", "2", "0.025"),
        "gpt-5-nano": Price("0.05", "0.40", "0.005"),
        "gpt-4.1": Price("2", "8", "0.50"),
        "gpt-4.1-mini": Price("0.40", "1.60", "0.10"),
        "gpt-4.1-nano": Price("0.10", "0.40", "0.025"),
        "gpt-4o": Price("2.50", "10", "1.25"),
        "gpt-4o-2024-05-13": Price("5", "15"),
        "gpt-4o-mini": Price("0.15", "0.60", "0.075"),
        "gpt-4-turbo": Price("10", "30"),
        "gpt-4": Price("30", "60"),
        "gpt-4-32k": Price("60", "120"),
        "gpt-3.5-turbo": Price("0.50", "1.50"),
        "gpt-3.5-turbo-1106": Price("1", "2"),
        "gpt-3.5-turbo-0613": Price("1.50", "2"),
        "o1": Price("15", "60", "7.50"),
        "o1-mini": Price("1.10", "4.40", "0.55"),
        "o1-pro": Price("150", "600"),
        "o3": Price("2", "8", "0.50"),
        "o3-mini": Price("1.10", "4.40", "0.55"),
        "o3-pro": Price("20", "80"),
        "o4-mini": Price("1.10", "4.40", "0.275"),
    },
    "anthropic": {
        "claude-fable-5-1": Price("10", "50", "0.25", "12.50", "20"),
        "claude-fable-5": _claude("10", "50"),
        "claude-opus-5": _claude("5", "25"),
        "claude-opus-4-8": _claude("5", "25"),
        "claude-opus-4-7": _claude("5", "25"),
        "claude-opus-4-6": _claude("5", "25"),
        "claude-opus-4-5": _claude("5", "25"),
        "claude-opus-4-1": _claude("15", "75"),
        "claude-opus-4": _claude("15", "75"),
        "claude-sonnet-5-5": Price("2", "10", "0.10", "2.50", "4"),
        "claude-sonnet-5": _claude("2", "10"),
        "claude-sonnet-4-5": _claude("3", "15"),
        "claude-haiku-5-5": _claude("0.10", "0.50", (100_000, _claude("0.50", "2.50"))),
        "claude-haiku-4-5": _claude("1", "5"),
        "claude-3-5-haiku": _claude("0.80", "4"),
        "claude-3-opus": _claude("15", "75"),
        "claude-3-haiku": Price("0.25", "1.25", "0.03", "0.30"),
    },
    "gemini": {
        "gemini-3.5-flash": Price("1.50", "9"),
        "gemini-3.1-pro-preview": Price("2", "12", beyond=(200_000, Price("4", "18"))),
        "gemini-2.5-pro": Price("1.25", "10", beyond=(200_000, Price("2.50", "15"))),
        "gemini-2.5-flash": Price("0.30", "2.50"),
        "gemini-2.5-flash-lite": Price("0.10", "0.40"),
    },
    "grok": {
        "grok-4": Price("3", "15", "0.75", beyond=(128_000, Price("6", "30"))),
        "grok-3": Price("3", "15", "0.75"),
        "grok-3-mini": Price("0.30", "0.50", "0.075"),
    },
}
