"""Pages of the console in the browser: `openintent open`."""

import webbrowser
from typing import Annotated
from urllib.parse import quote

import typer

from .options import MaybeIntentId, at_most_one
from .session import get_session


def open_page(
    ctx: typer.Context,
    intent: MaybeIntentId = None,
    portfolio: Annotated[str | None, typer.Option("--portfolio", metavar="PORTFOLIO", help="The page of this portfolio.")] = None,
    arbitration: Annotated[
        str | None, typer.Option("--arbitration", metavar="ID", help="The page of this arbitration, or of its intent's.")
    ] = None,
    agent: Annotated[str | None, typer.Option("--agent", metavar="AGENT", help="The page of this agent.")] = None,
    only_print: Annotated[bool, typer.Option("--print", help="Print the address instead of opening it.")] = False,
) -> None:
    """Open the console in the browser, at an intent or another object. The console asks who you are if it does not know you."""
    run = get_session(ctx)
    at_most_one(**{"INTENT": intent, "--portfolio": portfolio, "--arbitration": arbitration, "--agent": agent})
    page = ""
    if intent:
        page = f"intents/intent/{run.intent_id(intent)}/change/"
    elif portfolio:
        page = f"portfolios/portfolio/{run.portfolio_id(portfolio)}/change/"
    elif arbitration:
        page = f"governance/arbitration/{run.arbitration(arbitration).id}/change/"
    elif agent:
        page = f"agents/{quote(agent, safe='')}/"
    address = f"{run.client.base_url}/admin/{page}"
    if only_print or not webbrowser.open(address):
        run.output.print(address)
