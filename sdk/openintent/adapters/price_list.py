"""The providers' list prices in USD per million tokens of text, each with its page and the day on which that page said so.

The pages were read through `genai-prices` 0.2.3 of November 2026, which records them; that of `gpt-6.2-sol`, and what Anthropic says of
regions and the fast mode, in stored copies. `make prices` shows which models of the installed packages have no price here.

`genai-prices` dates its reading of tiers and batches only, mostly 2026-10-12 to 14: OCTOBER stands for all that it had by then, and NOVEMBER,
of whose day only the month is known, for what it has since or without a date. `us` follows from Anthropic's rule for Opus 4.6, Sonnet 4.6 and
later models.

What is missing on purpose: DeepSeek, whose prices depend on the hour and on holidays in China; sound, images and realtime models;
`gpt-6.2-astra`, whose price for writing to the cache was not to be found. They are recorded in tokens.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal

from .prices import Price, Prices

OPENAI = "https://developers.openai.com/api/docs/pricing"
ANTHROPIC = "https://platform.claude.com/docs/en/about-claude/pricing"
GEMINI = "https://ai.google.dev/gemini-api/docs/pricing"
XAI = "https://docs.x.ai/developers/pricing"

LAST_YEAR = date(2025, 10, 31)
"""Of models that are retired or about to be."""
OCTOBER = date(2026, 10, 14)
NOVEMBER = date(2026, 11, 1)


def _gpt(
    input: str, output: str, cached: str | None = None, *, fast: str = "", flex: bool = False, as_of: date = OCTOBER
) -> Price:
    """Return a price of OpenAI, with the factor of the fast mode, which was called priority processing."""
    times = {name: factor for name, factor in (("fast", fast), ("flex", "0.5" if flex else "")) if factor}
    return Price(input, output, cached, times=times, source=OPENAI, as_of=as_of)


def _gpt_5(input: str, output: str, cached: str | None = None, *, fast: str = "2", flex: bool = True) -> Price:
    """Return a price of OpenAI's later models, with what their web and file search cost."""
    return replace(_gpt(input, output, cached, fast=fast, flex=flex), tools={"web_search": 10, "file_search": "2.5"})


def _long(price: Price) -> Price:
    """Return the price with that of requests beyond 272,000 tokens: twice as much for input, and half as much again for output."""
    beyond = Price(
        Decimal(price.input) * 2,
        Decimal(price.output) * Decimal("1.5"),
        _doubled(price.cached),
        _doubled(price.cache_write),
        _doubled(price.cache_write_hour),
    )
    return replace(price, beyond=(272_000, beyond))


def _doubled(cost: Decimal | str | int | None) -> Decimal | None:
    return None if cost is None else Decimal(cost) * 2


def _gpt_6(input: str, output: str, cached: str, *, hours: str | None = None, as_of: date = OCTOBER) -> Price:
    """Return a price from GPT-5.6 on, which writes to the cache for 30 minutes, and for 12 hours at the price `hours`."""
    written = Decimal(input) * Decimal("1.25")
    return _long(replace(_gpt_5(input, output, cached), cache_write=written, cache_write_hour=hours, as_of=as_of))


def _claude(
    input: str,
    output: str,
    *,
    cached: str = "0.1",
    fast: str = "",
    us: bool = False,
    beyond: tuple[int, Price] | None = None,
    as_of: date = OCTOBER,
) -> Price:
    """Return a price of Claude.

    `cached` is what reading from the cache costs, as a factor; writing costs a quarter more for 5 minutes and twice as much for an
    hour. A batch costs half. `fast` is the factor of the fast mode, and `us` whether inference can be kept in the USA, for a tenth
    more.
    """
    read, write, hour = (Decimal(input) * Decimal(factor) for factor in (cached, "1.25", "2"))
    factors = (("batch", "0.5"), ("fast", fast), ("us", "1.1" if us else ""))
    times = {name: factor for name, factor in factors if factor}
    tools = {"web_search": 10, "web_fetch": 0}
    return Price(input, output, read, write, hour, beyond, times, tools, source=ANTHROPIC, as_of=as_of)


def _gemini(
    input: str,
    output: str,
    cached: str,
    *,
    beyond: tuple[int, Price] | None = None,
    priority: str = "",
    flex: bool = False,
    later: tuple[date, Price] | None = None,
) -> Price:
    times = {name: factor for name, factor in (("priority", priority), ("flex", "0.5" if flex else "")) if factor}
    return Price(input, output, cached, beyond=beyond, times=times, later=later, source=GEMINI, as_of=OCTOBER)


def _grok(input: str, output: str, cached: str, *, is_long: bool = True, as_of: date = NOVEMBER) -> Price:
    """Return a price of xAI, where requests from 200,000 tokens on cost twice as much."""
    price = Price(input, output, cached, source=XAI, as_of=as_of)
    doubled = Price(Decimal(input) * 2, Decimal(output) * 2, Decimal(cached) * 2)
    return replace(price, beyond=(199_999, doubled)) if is_long else price


GEMINI_3_6_FLASH = _gemini(
    "0.75", "3.75", "0.075", flex=True, later=(date(2027, 1, 1), _gemini("1.50", "7.50", "0.15", flex=True))
)  # fmt: skip
GEMINI_3_FLASH = _gemini(
    "0.75", "3.75", "0.075", flex=True, priority="1.8",
    later=(date(2027, 1, 1), _gemini("1.50", "7.50", "0.15", flex=True, priority="1.8")),
)  # fmt: skip

PRICES: Prices = {
    "openai": {
        "gpt-6.2-sol": replace(
            _gpt_6("2", "10", "0.10", hours="5", as_of=date(2026, 11, 18)),
            source="https://developers.openai.com/api/docs/models/gpt-6.2-sol",
        ),
        "gpt-6.1-sol": _gpt_6("2", "10", "0.10"),
        "gpt-6.1-terra": _gpt_6("1", "5", "0.05", hours="2.50", as_of=date(2026, 10, 26)),
        "gpt-6-astra": _gpt_6("10", "50", "1"),
        "gpt-6-sol": _gpt_6("2", "10", "0.20"),
        "gpt-6-luna": _gpt_6("0.10", "0.50", "0.01"),
        "gpt-5.6-sol": _gpt_6("4", "20", "0.40"),
        "gpt-5.6-terra": _gpt_6("2", "12", "0.20"),
        "gpt-5.6-luna": _gpt_6("0.20", "1.20", "0.02"),
        "gpt-5.5": _long(_gpt_5("5", "30", "0.50", fast="2.5")),
        "gpt-5.5-pro": _long(_gpt_5("30", "180", fast="")),
        "gpt-5.4": _long(_gpt_5("2.50", "15", "0.25")),
        "gpt-5.4-mini": _gpt_5("0.75", "4.50", "0.075"),
        "gpt-5.4-nano": _gpt_5("0.20", "1.25", "0.02", fast=""),
        "gpt-5.4-pro": _long(_gpt_5("30", "180", fast="")),
        "gpt-5.3-codex": _gpt_5("1.75", "14", "0.175", flex=False),
        "gpt-5.2": _gpt_5("1.75", "14", "0.175"),
        "gpt-5.2-pro": _gpt_5("21", "168", fast="", flex=False),
        "gpt-5.1": _gpt_5("1.25", "10", "0.125"),
        "gpt-5": _gpt_5("1.25", "10", "0.125"),
        "gpt-5-mini": _gpt_5("0.25", "2", "0.025", fast="1.8"),
        "gpt-5-nano": _gpt_5("0.05", "0.40", "0.005", fast=""),
        "gpt-5-pro": _gpt_5("15", "120", fast="", flex=False),
        "gpt-4.1": _gpt("2", "8", "0.50", fast="1.75"),
        "gpt-4.1-mini": _gpt("0.40", "1.60", "0.10", fast="1.75"),
        "gpt-4.1-nano": _gpt("0.10", "0.40", "0.025", fast="2"),
        "gpt-4o": _gpt("2.50", "10", "1.25", fast="1.7"),
        "gpt-4o-2024-05-13": _gpt("5", "15", fast="1.75"),
        "gpt-4o-mini": _gpt("0.15", "0.60", "0.075"),
        "gpt-4-turbo": _gpt("10", "30"),
        "gpt-4": _gpt("30", "60"),
        "gpt-4-32k": _gpt("60", "120", as_of=LAST_YEAR),
        "gpt-3.5-turbo": _gpt("0.50", "1.50"),
        "gpt-3.5-turbo-1106": _gpt("1", "2"),
        "gpt-3.5-turbo-0613": _gpt("1.50", "2", as_of=LAST_YEAR),
        "o1": _gpt("15", "60", "7.50"),
        "o1-mini": _gpt("1.10", "4.40", "0.55"),
        "o1-preview": _gpt("15", "60", "7.50"),
        "o1-pro": _gpt("150", "600"),
        "o3": _gpt_5("2", "8", "0.50", fast="1.75"),
        "o3-mini": _gpt("1.10", "4.40", "0.55"),
        "o3-pro": _gpt("20", "80"),
        "o3-deep-research": _gpt_5("10", "40", "2.50", fast="", flex=False),
        "o4-mini": _gpt_5("1.10", "4.40", "0.275", fast=""),
        "o4-mini-deep-research": _gpt_5("2", "8", "0.50", fast="", flex=False),
    },
    "anthropic": {
        "claude-fable-5-2": _claude("8", "40", cached="0.025", fast="2", us=True, as_of=NOVEMBER),
        "claude-mythos-5-2": _claude("8", "40", cached="0.025", fast="2", us=True, as_of=NOVEMBER),
        "claude-fable-5-1": _claude("10", "50", cached="0.025", us=True),
        "claude-mythos-5-1": _claude("10", "50", cached="0.025", us=True),
        "claude-fable-5": _claude("10", "50", us=True),
        "claude-mythos-5": _claude("10", "50", us=True),
        "claude-opus-5-5": _claude("4", "20", cached="0.05", fast="2", us=True),
        "claude-opus-5": _claude("5", "25", fast="2", us=True),
        "claude-opus-4-8": _claude("5", "25", fast="2", us=True),
        "claude-opus-4-7": _claude("5", "25", us=True),
        "claude-opus-4-6": _claude("5", "25", us=True),
        "claude-opus-4-5": _claude("5", "25"),
        "claude-opus-4-1": _claude("15", "75"),
        "claude-opus-4": _claude("15", "75"),
        "claude-sonnet-5-5": _claude("2", "10", cached="0.05", us=True),
        "claude-sonnet-5": _claude("2", "10", us=True),
        "claude-sonnet-4-6": _claude("3", "15", us=True),
        "claude-sonnet-4-5": _claude("3", "15"),
        "claude-sonnet-4": _claude("3", "15"),
        "claude-haiku-5-5": _claude("0.10", "0.50", us=True, beyond=(100_000, _claude("0.50", "2.50"))),
        "claude-haiku-4-5": _claude("1", "5"),
        "claude-3-5-haiku": _claude("0.80", "4"),
        "claude-3-opus": _claude("15", "75"),
        "claude-3-haiku": Price("0.25", "1.25", "0.03", "0.30", "0.50", source=ANTHROPIC, as_of=OCTOBER),
    },
    "gemini": {
        "gemini-4-argon": _gemini(
            "2", "10", "0.10", flex=True, priority="1.8",
            later=(date(2026, 12, 1), _gemini("4", "20", "0.20", flex=True, priority="1.8")),
        ),
        "gemini-3.8-flash": GEMINI_3_FLASH,
        "gemini-3.7-flash": GEMINI_3_FLASH,
        "gemini-3.6-flash": GEMINI_3_6_FLASH,
        "gemini-3.5-flash": _gemini("1.50", "9", "0.15", flex=True),
        "gemini-3.5-flash-lite": _gemini("0.30", "2.50", "0.03", flex=True),
        "gemini-3.1-flash-lite": _gemini("0.25", "1.50", "0.025"),
        "gemini-3.1-pro-preview": _gemini("2", "12", "0.20", beyond=(200_000, Price("4", "18", "0.40"))),
        "gemini-3-flash-preview": _gemini("0.50", "3", "0.05"),
        "gemini-2.5-pro": _gemini("1.25", "10", "0.125", beyond=(200_000, Price("2.50", "15", "0.25"))),
        "gemini-2.5-flash": _gemini("0.30", "2.50", "0.03"),
        "gemini-2.5-flash-lite": _gemini("0.10", "0.40", "0.01"),
    },
    "grok": {
        "grok-4.7": _grok("2", "6", "0.50"),
        "grok-4.6": _grok("2", "6", "0.50"),
        "grok-4.5": _grok("2", "6", "0.30"),
        "grok-4.3": _grok("1.25", "2.50", "0.20"),
        "grok-4.20": _grok("1.25", "2.50", "0.20"),
        "grok-build-0.1": _grok("1", "2", "0.20"),
        "grok-4-1-fast-reasoning": _grok("0.20", "0.50", "0.05", is_long=False),
        "grok-4-1-fast-non-reasoning": _grok("0.20", "0.50", "0.05", is_long=False),
        "grok-code-fast-1": _grok("0.20", "1.50", "0.02", is_long=False),
        "grok-4": Price("3", "15", "0.75", beyond=(128_000, Price("6", "30")), source=XAI, as_of=LAST_YEAR),
        "grok-3": _grok("3", "15", "0.75", is_long=False, as_of=LAST_YEAR),
        "grok-3-mini": _grok("0.30", "0.50", "0.075", is_long=False, as_of=LAST_YEAR),
    },
}  # fmt: skip
"""By provider and model, or family of models."""

PRICES_AS_OF: Mapping[str, date] = {
    provider: max(price.as_of for price in models.values() if price.as_of) for provider, models in PRICES.items()
}
"""The date of each provider's latest price. Each `Price` has its own."""
