"""Show which models of the installed packages have no price in `openintent.adapters.price_list`: `python -m scripts.prices`.

The packages of OpenAI and Anthropic name the models that they know. Prices are shown with the day on which they were read, and their
page; what has none is recorded in tokens.
"""

import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any, get_args

from openintent.adapters import PRICES, Price
from openintent.adapters.prices import price_of

NAMES = {
    "openai": ["openai.types.shared.chat_model.ChatModel", "openai.types.shared.responses_model.ResponsesModel"],
    "anthropic": ["anthropic.types.model.Model"],
}
"""Types that are the names of a provider's models."""


def named_models(provider: str) -> list[str]:
    """Return the names of the models that the provider's package knows, none without the package."""
    found: list[str] = []
    for path in NAMES[provider]:
        module, _, name = path.rpartition(".")
        try:
            found += literals(getattr(import_module(module), name))
        except ImportError:
            print(f"{provider}: the package is not installed", file=sys.stderr)
    return list(dict.fromkeys(found))


def literals(kind: Any) -> Iterator[str]:
    """Yield the texts in a type made of literals, unions and annotations."""
    for each in get_args(kind):
        if isinstance(each, str):
            yield each
        else:
            yield from literals(each)


def describe(price: Price) -> str:
    return f"{price.input} / {price.output} USD, {price.as_of}, {price.source}"


def main() -> None:
    for provider, prices in PRICES.items():
        if provider in NAMES:
            models = named_models(provider)
            missing = [model for model in models if price_of(PRICES, provider, model) is None]
            print(f"{provider}: {len(models) - len(missing)} of {len(models)} models of the package have a price. Without:")
            print("".join(f"    {model}\n" for model in missing) or "    none\n")
        print(f"{provider}: {len(prices)} prices per million tokens, in and out")
        print("".join(f"    {model:28} {describe(price)}\n" for model, price in prices.items()))


if __name__ == "__main__":
    main()
