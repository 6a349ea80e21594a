"""Cost reports: `openintent costs`."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.text import Text

from .._call import Call, call_builder
from ..client import OpenIntentClient
from ..models import CostSummary
from ..models.costs import cost_summary
from . import formatting
from .durations import parse_past
from .options import Json, MaybeIntentId, at_most_one
from .output import Cell, Column, Output
from .server_costs import server_summary
from .session import get_session

SPLITS = ("by_type", "by_agent", "by_provider", "by_model")
SHARES = [
    Column("NAME", flexible=True),
    Column("AMOUNT", justify="right"),
    Column("SHARE", justify="right"),
    Column("", min_width=60),
]


def costs(
    ctx: typer.Context,
    intent: MaybeIntentId = None,
    portfolio: Annotated[
        str | None, typer.Option("--portfolio", metavar="PORTFOLIO", help="Costs of all members of this portfolio.")
    ] = None,
    tree: Annotated[bool, typer.Option("--tree", help="Include all descendants.")] = False,
    since: Annotated[
        str | None, typer.Option("--since", metavar="WHEN", help="Of the whole server: only since then: 2h, 7d or a time.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show the costs of an intent, a portfolio or the whole server, in total and by type, agent, provider and model."""
    run = get_session(ctx)
    at_most_one(**{"INTENT": intent, "--portfolio": portfolio, "--since": since})
    if tree and not intent:
        raise typer.BadParameter("--tree needs an INTENT, whose descendants it includes.")
    constraints: Mapping[str, Any] = {}
    if not (intent or portfolio):
        summary = server_summary(run.client, parse_past(since) if since else None)
    elif portfolio:
        id = run.portfolio_id(portfolio)
        constraints = run.client.get_portfolio(id).governance_policy.get("shared_constraints") or {}
        call = Call(
            method="GET",
            path=call_builder(OpenIntentClient.get_portfolio_costs)(id).path,
            params={"limit": 1},  # The summary covers all members, whatever the page.
            parse=lambda answer: cost_summary(answer["summary"]),
            exact_decimals=True,
        )
        summary = run.client.send(call)
    else:
        found = run.intent(str(intent))
        constraints = found.constraints
        summary = run.client.get_cost_summary(found.id, rollup="tree" if tree else None)
    if as_json:
        return run.output.write_json(summary)
    if not summary["count"]:
        return run.output.print_note("No costs yet. Agents record them with client.record_cost(…)")
    run.output.print(*_sections(run.output, summary, constraints))


def amounts(summary: CostSummary) -> str:
    """Format the total; without one, the sum of each unit."""
    if summary["total"] is not None:
        return formatting.amount(summary["total"], summary["unit"])
    return ", ".join(formatting.amount(value, unit) for unit, value in summary["by_unit"].items())


def _sections(output: Output, summary: CostSummary, constraints: Mapping[str, Any]) -> list[RenderableType]:
    total, spent = summary["total"], None
    budget = constraints.get("budget")
    cents = budget.get("max_total_cents") if isinstance(budget, Mapping) else None
    limits = [Decimal(str(cents)) / 100] if _is_number(cents) else []
    limits += [Decimal(str(each)) for each in (constraints.get("max_cost"), budget) if _is_number(each)]
    limit = min(limits, default=None)
    if limit and summary["unit"] == "USD" and total is not None:
        share = float(total / limit)
        style = "red" if share > 1 else "default"
        spent = formatting.bar(share).append(f"  {share:.0%} of {formatting.amount(limit, 'USD')}", style=style)
    shown: list[RenderableType] = [
        output.fields_table([("total", amounts(summary)), ("entries", str(summary["count"])), ("budget", spent)])
    ]
    for by in SPLITS:
        if split := summary[by]:  # type: ignore[literal-required]
            rows: list[list[Cell]] = []
            for name, value in sorted(split.items(), key=lambda item: -item[1]):
                share = float(value / total) if total else 0.0
                rows.append([name or "–", formatting.amount(value, summary["unit"]), f"{share:.0%}", formatting.bar(share)])
            shown += ["", Text(by.replace("_", " ").capitalize(), style="bold underline"), output.table(SHARES, rows)]
    others = {unit: value for unit, value in summary["by_unit"].items() if unit not in (summary["unit"], "USD", "cents")}
    if others and total is not None:
        shown += [
            "",
            output.fields_table([("also", ", ".join(formatting.amount(value, unit) for unit, value in others.items()))]),
        ]
    return shown


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
