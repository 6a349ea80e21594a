"""Webhooks: subscriptions with a callback, their deliveries, and their events forwarded to this machine."""

from typing import Annotated

import typer
from rich.text import Text

from ..enums import DeliveryStatus
from ..models import Delivery, Subscription
from . import formatting
from .durations import ago, parse_future, time_left
from .help import Program
from .listen import listen
from .options import Json, Limit, OfIntent, OfPortfolio, at_most_one
from .output import Cell, Column, Output
from .sanitize import escape
from .session import get_session

COLUMNS = [
    Column("ID"),
    Column("STATUS"),
    Column("URL", flexible=True),
    Column("OF", min_width=60, flexible=True),
    Column("TYPES", min_width=100, flexible=True),
    Column("LAST DELIVERY", min_width=80),
]
DELIVERIES = [
    Column("ID"),
    Column("STATUS"),
    Column("EVENT", flexible=True),
    Column("ATTEMPTS", min_width=60, justify="right"),
    Column("LAST ANSWER", flexible=True),
    Column("NEXT", min_width=80),
    Column("CREATED", min_width=80),
]

SubscriptionId = Annotated[
    str, typer.Argument(metavar="WEBHOOK", help="Id of a webhook, or a unique prefix or suffix.", show_default=False)
]

app = Program(invoke_without_command=True, help="List webhooks and their deliveries; create, delete and try them.")


@app.callback()
def webhooks(
    ctx: typer.Context, intent: OfIntent = None, portfolio: OfPortfolio = None, limit: Limit = 100, as_json: Json = False
) -> None:
    """List webhooks and their deliveries; create, delete and try them."""
    if ctx.invoked_subcommand:
        return
    run = get_session(ctx)
    at_most_one(**{"--intent": intent, "--portfolio": portfolio})
    found = run.client.list_subscriptions(
        intent_id=intent and run.intent_id(intent), portfolio_id=portfolio and run.portfolio_id(portfolio), limit=limit
    )
    if as_json:
        return run.output.write_json({"subscriptions": found})
    if not found:
        return run.output.print_note("No webhooks. Create one with: openintent webhooks create URL")
    run.output.print(run.output.table(COLUMNS, [_row(run.output, each) for each in found]))


def _row(output: Output, each: Subscription) -> list[Cell]:
    topic = "all intents"
    if each.intent_id or each.portfolio_id:
        topic = (
            f"intent {output.short_id(each.intent_id)}"
            if each.intent_id
            else f"portfolio {output.short_id(each.portfolio_id or '')}"
        )
    last = each.last_delivery
    return [
        output.short_id(each.id),
        formatting.status(each.status),
        each.callback_url or "",
        topic,
        ", ".join(each.event_types) or "all",
        f"{last.status} {ago(last.at)}" if last else "never",
    ]


@app.command()
def create(
    ctx: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="Address that the server calls.", show_default=False)],
    intent: OfIntent = None,
    portfolio: OfPortfolio = None,
    types: Annotated[
        list[str] | None, typer.Option("--type", "-t", metavar="TYPE", help="Only events of this type; may be repeated.")
    ] = None,
    expires: Annotated[str | None, typer.Option("--expires", metavar="WHEN", help="Expiry: 2h, 7d or a time.")] = None,
    as_json: Json = False,
) -> None:
    """Send events to a URL from now on, signed. The secret is printed only here, alone on stdout."""
    run = get_session(ctx)
    at_most_one(**{"--intent": intent, "--portfolio": portfolio})
    made = run.client.create_subscription(
        intent_id=intent and run.intent_id(intent),
        portfolio_id=portfolio and run.portfolio_id(portfolio),
        callback_url=url,
        event_types=types or None,
        expires_at=expires and parse_future(expires),
    )
    if as_json:
        return run.output.write_json(made)
    run.output.print(Text(made.secret or ""))
    run.output.print_note(f"Webhook {made.id}. Store the secret now: it is not shown again.")


@app.command()
def delete(ctx: typer.Context, webhook: SubscriptionId, as_json: Json = False) -> None:
    """Delete a webhook, with its pending deliveries. For the key that created it, and operators."""
    run = get_session(ctx)
    id = run.subscription_id(webhook)
    run.client.delete_subscription(id)
    if as_json:
        return run.output.write_json({"deleted": id})
    run.output.print(Text(f"Deleted {id}."))


@app.command("test")
def send_test(ctx: typer.Context, webhook: SubscriptionId, as_json: Json = False) -> None:
    """Send a test event to a webhook, whatever types it hears, signed. For the key that created it, and operators."""
    run = get_session(ctx)
    id = run.subscription_id(webhook)
    made = run.client.test_subscription(id)
    if as_json:
        return run.output.write_json(made)
    run.output.print(Text(f"Sending a test: event {made.id}."))
    run.output.print_note(f"Its outcome: openintent webhooks deliveries {id}")


@app.command()
def deliveries(
    ctx: typer.Context,
    webhook: SubscriptionId,
    status: Annotated[DeliveryStatus | None, typer.Option("--status", "-s", help="Only with this status.")] = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List the deliveries of a webhook, the newest first, with what the callback answered."""
    run = get_session(ctx)
    found = run.client.list_deliveries(run.subscription_id(webhook), status=status, limit=limit)
    if as_json:
        return run.output.write_json({"deliveries": found})
    if not found:
        return run.output.print_note("No deliveries.")
    rows: list[list[Cell]] = [
        [
            run.output.short_id(each.id),
            formatting.status(each.status),
            str(each.event_type),
            str(each.attempts),
            _last_answer(each),
            f"in {time_left(each.next_attempt_at)}" if each.next_attempt_at else "–",
            ago(each.created_at),
        ]
        for each in found
    ]
    run.output.print(run.output.table(DELIVERIES, rows))


def _last_answer(delivery: Delivery) -> str:
    if not delivery.history:
        return "–"
    last = delivery.history[-1]
    answer = str(last.status_code) if last.status_code else last.error or "no answer"
    return f"{answer} ({last.duration_ms} ms)" if last.duration_ms is not None else answer


@app.command()
def redeliver(
    ctx: typer.Context,
    webhook: SubscriptionId,
    delivery: Annotated[
        str, typer.Argument(metavar="DELIVERY", help="Id of a delivery, or a unique prefix or suffix.", show_default=False)
    ],
    as_json: Json = False,
) -> None:
    """Send a delivery again now, under the same id."""
    run = get_session(ctx)
    id = run.subscription_id(webhook)
    made = run.client.redeliver(id, run.id_of(delivery, "delivery", lambda: run.client.list_deliveries(id)))
    if as_json:
        return run.output.write_json(made)
    run.output.print(Text(escape(f"Sending {made.id} again: {made.event_type}")))


app.command()(listen)
