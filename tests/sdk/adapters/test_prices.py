"""Prices of tokens: the price list, and the cost of usage."""

from datetime import date
from decimal import Decimal

import pytest
from openintent.adapters import PRICES, PRICES_AS_OF, AdapterConfig, OpenAIAdapter, Price
from openintent.adapters.parsing import Usage
from openintent.adapters.prices import price_of

from scripts.prices import named_models

from .interfaces import CHAT, MESSAGES

pytestmark = [pytest.mark.rule("K-6"), pytest.mark.database("sqlite")]


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("gpt-4o", "gpt-4o"),
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("gpt-4o-2024-05-13", "gpt-4o-2024-05-13"),
        ("gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("gpt-4-0613", "gpt-4"),
        ("gpt-4o-audio-preview", None),
        ("gpt-4.1-turbo", None),
        ("ft:gpt-4o-mini-2024-07-18:ours::1", None),
        ("", None),
    ],
)
def test_a_dated_name_belongs_to_its_family_and_another_model_does_not(model, family):
    assert price_of(PRICES, "openai", model) is (family and PRICES["openai"][family])


@pytest.mark.parametrize(
    ("provider", "model"),
    [("anthropic", "claude-3-5-haiku-latest"), ("anthropic", "claude-opus-4@20250514"), ("gemini", "gemini-2.5-flash-001")],
)
def test_date_suffixes_of_other_providers_match(provider, model):
    assert price_of(PRICES, provider, model)


@pytest.mark.case("streams 40")
def test_every_price_says_where_it_comes_from_and_of_which_day():
    assert PRICES.keys() == PRICES_AS_OF.keys()
    for models in PRICES.values():
        for price in models.values():
            assert price.source.startswith("https://")
            assert date(2025, 1, 1) < price.as_of < date(2027, 1, 1)


@pytest.mark.case("streams 40")
@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_the_models_of_today_have_a_price(provider):
    models = named_models(provider)

    missing = [model for model in models if price_of(PRICES, provider, model) is None]

    retired = ("audio", "preview", "chat-latest", "chatgpt", "codex", "gpt-3.5", "mythos-preview", "computer-use", "gpt-4-0314")
    special = ("gpt-6.2-astra", "cyber", "rosalind", "daybreak", "gpt-5.1-mini")  # See `price_list`.
    assert [model for model in missing if not any(part in model for part in (*retired, *special))] == []


@pytest.mark.parametrize(
    ("price", "usage", "usd"),
    [
        (Price(2, 10, times={"fast": 2, "us": "1.1"}), Usage(1_000_000, modifiers=("fast", "us")), "4.4"),
        (Price(2, 10, times={"fast": 2}, tools={"web_search": 10}), Usage(1_000_000, modifiers=("fast",), tools={"web_search": 10}), "4.1"),
        (Price(2, 10, times={"fast": 2}, beyond=(10, Price(4, 15))), Usage(1_000_000, modifiers=("fast",)), "8"),
    ],
)  # fmt: skip
def test_modifiers_and_tools_have_their_price(price, usage, usd):
    assert price.of(usage) == Decimal(usd)


def test_usage_with_an_unknown_modifier_has_no_price():
    assert Price(2, 10, times={"fast": 2}).of(Usage(10, modifiers=("flex",))) is None


def test_a_price_changes_on_its_day():
    price = Price(1, 1, later=(date(2027, 1, 1), Price(2, 2)))

    assert price.of(Usage(1_000_000), date(2026, 12, 31)) == 1
    assert price.of(Usage(1_000_000), date(2027, 1, 1)) == 2


@pytest.mark.parametrize(
    ("price", "usage", "usd"),
    [
        (Price("2.50", "10"), Usage(1_000_000, 100_000), "3.5"),
        (Price("2.50", "10", cached="1.25"), Usage(1000, 0, cached=600), "0.00175"),
        (Price("2.50", "10"), Usage(1000, 0, cached=600), "0.0025"),
        (Price("3", "15", "0.30", "3.75", "6"), Usage(1000, 0, 100, 200, 300), "0.00378"),
        (Price("3", "15", cache_write="3.75"), Usage(1000, 0, cache_write_hour=1000), "0.00375"),
        (Price(1, 2, beyond=(200, Price(2, 3))), Usage(200, 10), "0.00022"),
        (Price(1, 2, beyond=(200, Price(2, 3))), Usage(201, 10), "0.000432"),
        (Price(Decimal("0.00000333"), "1"), Usage(1, 0), "0.000000000003"),
    ],
)
def test_the_amount_is_exact(price, usage, usd):
    assert price.of(usage) == Decimal(usd)


def test_prices_can_be_replaced(provider, api, intent):
    prices = {**PRICES, "openai": {"my-model": Price("1", "2")}}
    with CHAT.connect(provider.url, False) as client:
        adapter = OpenAIAdapter(client, api, intent.id, AdapterConfig(prices=prices))
        for model in ("my-model", "gpt-4o"):
            adapter.chat.completions.create(model=model, messages=MESSAGES)

    assert adapter.flush(30)
    assert [(cost.amount, cost.unit) for cost in api.get_costs(intent.id)] == [(Decimal("0.000016"), "USD"), (10, "tokens")]
    assert api.get_cost_summary(intent.id)["total"] == Decimal("0.000016")
