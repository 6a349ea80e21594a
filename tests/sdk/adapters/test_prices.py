"""Prices of tokens: the price list, and the cost of usage."""

from decimal import Decimal

import pytest
from openintent.adapters import PRICES, PRICES_AS_OF, AdapterConfig, OpenAIAdapter, Price
from openintent.adapters.parsing import Usage
from openintent.adapters.prices import price_of

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
        ("gpt-5.1", None),
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


def test_every_provider_with_prices_has_their_date():
    assert PRICES.keys() == PRICES_AS_OF.keys()


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
