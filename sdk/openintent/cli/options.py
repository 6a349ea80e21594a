"""Options that several commands have, and how their texts become values."""

import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="Answer one JSON document, for programs: the API's own.")]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most.")]
IntentId = Annotated[
    str, typer.Argument(metavar="INTENT", help="An intent's id, or the beginning or end of it.", show_default=False)
]
MaybeIntentId = Annotated[
    str | None, typer.Argument(metavar="[INTENT]", help="An intent's id, or the beginning or end of it.", show_default=False)
]
OfIntent = Annotated[str | None, typer.Option("--intent", metavar="INTENT", help="Of this intent only.")]
OfPortfolio = Annotated[str | None, typer.Option("--portfolio", metavar="PORTFOLIO", help="Of this portfolio and its members.")]
Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why; it goes into the log.")]


def pairs(given: Sequence[str], option: str) -> dict[str, Any]:
    """`name=value` of each: the value is JSON where it is JSON, else text. Raises BadParameter."""
    return dict(_pair(each, option) for each in given)


def _pair(text: str, option: str) -> tuple[str, Any]:
    name, sign, value = text.partition("=")
    if not (name and sign):
        raise typer.BadParameter(f"{text!r} is not NAME=VALUE.", param_hint=option)
    return name, value_of(value)


def value_of(text: str) -> Any:
    """JSON where it is JSON, else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def only_one(**given: object) -> None:
    """Raises BadParameter if there are several."""
    named = [name for name, value in given.items() if value is not None]
    if len(named) > 1:
        raise typer.BadParameter(f"{' and '.join(named)} cannot be given together.")
