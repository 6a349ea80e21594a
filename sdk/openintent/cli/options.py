"""Options shared by several commands, and parsing of their values."""

import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document, as in the API.")]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, help="Maximum number of results.")]
IntentId = Annotated[
    str, typer.Argument(metavar="INTENT", help="Id of an intent, or a unique prefix or suffix.", show_default=False)
]
MaybeIntentId = Annotated[
    str | None, typer.Argument(metavar="INTENT", help="Id of an intent, or a unique prefix or suffix.", show_default=False)
]
OfIntent = Annotated[str | None, typer.Option("--intent", metavar="INTENT", help="Only of this intent.")]
OfPortfolio = Annotated[
    str | None, typer.Option("--portfolio", metavar="PORTFOLIO", help="Only of this portfolio and its members.")
]
Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Reason, recorded in the log.")]


def parse_pairs(given: Sequence[str], option: str) -> dict[str, Any]:
    """Parse options of the form `name=value`: the value is JSON if it parses, else text. Raise BadParameter."""
    pairs: dict[str, Any] = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not (name and sign):
            raise typer.BadParameter(f"{text!r} is not NAME=VALUE.", param_hint=option)
        try:
            pairs[name] = json.loads(value)
        except ValueError:
            pairs[name] = value
    return pairs


def at_most_one(**given: object) -> None:
    """Raise BadParameter if several are given."""
    named = [name for name, value in given.items() if value is not None]
    if len(named) > 1:
        raise typer.BadParameter(f"{' and '.join(named)} cannot be combined.")
