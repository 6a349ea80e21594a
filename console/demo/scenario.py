"""Example scenario: an incident at night, and a launch at the same time."""

from collections.abc import Sequence
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

from access.identity import Actor
from access.models import Role
from attachments import blob_store
from attachments.blob_store import Upload
from attachments.services import add_attachment
from console.demo.actions import LEAD, add_cost, add_intent, call_model, call_tool, change_status, set_state, take_lease
from core.db import database_now
from governance.services import create_delegation, record_decision, request_arbitration
from portfolios.services import add_intent_to_portfolio, create_portfolio
from retries.services import record_failure, set_retry_policy
from subscriptions.services import create_subscription, disable_subscription, newest_position

UNREACHABLE = "http://127.0.0.1:9/hooks"  # The port "discard", which refuses connections.
CHART = Path(__file__).parent / "error-rate.png"
TRACE = """\
02:14:07 checkout-7f9c  POST /pay  502  upstream timed out after 8.0 s  trace=4bf92f35
02:14:08 checkout-7f9c  POST /pay  502  upstream timed out after 8.0 s  trace=00f067aa
02:14:08 price-rules    WARN  rule set 2481: 1 of 412 rules needs 7.9 s (promo.stackable)
02:14:09 price-rules    WARN  pool exhausted: 64 of 64 workers busy
02:14:11 checkout-2b1d  POST /pay  502  upstream timed out after 8.0 s  trace=ba902b70
"""


def create_scenario() -> None:
    """Create all of it."""
    webhooks()
    incident()
    launch()


def incident() -> None:
    root = add_intent(
        "Checkout fails for one in twenty customers in eu-west",
        to="incident-lead",
        description="Error rate above 5 % since 02:14. Find the cause, mitigate it and repair the damage.",
        constraints={"max_cost": 40, "budget": {"max_per_agent_cents": 1500, "alert_threshold_percent": 80}},
        state={"severity": "SEV-1", "error_rate": 0.082, "affected": {"region": "eu-west", "customers": 1840}},
        confidence=80,
    )
    change_status(root, "active", by="incident-lead")
    find = _find(root)
    contain = _contain(root)
    repair = add_intent(
        "Refund customers who were charged twice", to="refund-agent", parent_intent_id=root, depends_on=[find, contain],
        state={"found": 212, "refunded": 0, "sum_eur": 18240.5}, constraints={"max_cost": 5},
    )  # fmt: skip
    tell_them = add_intent("Notify affected customers", to="comms-agent", parent_intent_id=root, depends_on=[repair])
    add_intent("Write the post-mortem", to="scribe-agent", parent_intent_id=root, depends_on=[find, contain, tell_them])
    status_page = add_intent(
        "Keep the status page up to date", to="comms-agent", parent_intent_id=root, state={"shown": "Investigating"}
    )
    change_status(status_page, "active", by="comms-agent")
    take_lease(status_page, "shown", 150, by="comms-agent")
    set_state(status_page, by="comms-agent", shown="Identified")
    _ask(
        status_page,
        "comms-agent",
        "May I name the payment provider on the status page?",
        [("Name it", "Customers are calling their banks; saves about 200 support calls."),
         ("Do not name it", "The cause is on our side, and the contract requires 24 hours' notice.")],
        minutes=55,
        context={"draft": "Payments through our provider fail for some customers.", "readers_per_minute": 310},
    )  # fmt: skip
    room = create_portfolio(
        actor=LEAD, name="Incident 2481", description="Tonight's outage and its follow-up.",
        governance_policy={"require_all_completed": True, "shared_constraints": {"budget": 60}},
    )  # fmt: skip
    for priority, intent_id in enumerate([root, find, contain, repair, tell_them, status_page]):
        add_intent_to_portfolio(portfolio_id=room.pk, intent_id=intent_id, actor=LEAD, priority=10 - priority)


def _find(root: UUID) -> UUID:
    find = add_intent("Find the cause", to="log-analyst", parent_intent_id=root, state={"suspects": ["release 2481", "provider"]})
    change_status(find, "active", by="log-analyst")
    traces = add_intent("Compare traces from before and after 02:14", to="trace-agent", parent_intent_id=find)
    change_status(traces, "active", by="trace-agent")
    call_tool(traces, "traces.search", by="trace-agent", milliseconds=2140, query="status=502 service=checkout")
    set_state(traces, by="trace-agent", slowest="promo.stackable", seconds=7.9)
    call_model(traces, "3.42", by="trace-agent", model="gemini-2.5-pro", milliseconds=38_400, tokens=(912_300, 2_140))
    call_model(traces, "1.07", by="trace-agent", model="gpt-5-mini", milliseconds=6_820, tokens=(418_900, 1_310))
    _attach(traces, "trace-agent", "error-rate.png", "image/png", CHART.read_bytes())
    _attach(traces, "trace-agent", "checkout-0214.log", "text/plain", TRACE.encode())
    change_status(traces, "completed", by="trace-agent")

    bisect = add_intent(
        "Bisect last night's releases", to="log-analyst", parent_intent_id=find, state={"good": 2478, "bad": 2481}
    )
    change_status(bisect, "active", by="log-analyst")
    take_lease(bisect, "bisect", 75, by="log-analyst")
    set_state(bisect, by="log-analyst", good=2480)
    for usd in ("6.90", "5.35", "2.81"):
        add_cost(bisect, usd, by="log-analyst", model="claude-sonnet-4-5")
    retries = {
        "strategy": "exponential", "max_attempts": 4, "base_delay_seconds": 20.0, "max_delay_seconds": 300.0,
        "backoff_multiplier": 2.0, "jitter": True, "retryable_errors": [], "fallback_agent_id": "sre-agent",
        "failure_threshold": 3,
    }  # fmt: skip
    set_retry_policy(intent_id=bisect, actor=LEAD, policy=retries)
    for message in ("build 2480 did not start within 120 s", "registry answered 503"):
        record_failure(intent_id=bisect, actor=Actor("log-analyst"), error_type="build_failed", error_message=message)
    return find


def _contain(root: UUID) -> UUID:
    contain = add_intent("Mitigate the outage", to="sre-agent", parent_intent_id=root)
    change_status(contain, "active", by="sre-agent")
    shift = add_intent("Send 40 % of the traffic to eu-central", to="sre-agent", parent_intent_id=contain, state={"percent": 0})
    change_status(shift, "active", by="sre-agent")
    for percent in (10, 25, 40):
        set_state(shift, by="sre-agent", percent=percent)
    add_cost(shift, "2.18", by="sre-agent", model="gpt-5")
    change_status(shift, "completed", by="sre-agent")
    rules = add_intent(
        "Disable the slow price rules", to="sre-agent", parent_intent_id=contain,
        state={"release": 2481, "rules": {"promo.stackable": "on", "promo.member": "on"}},
    )  # fmt: skip
    change_status(rules, "active", by="sre-agent")
    take_lease(rules, "rules.promo", 1500, by="sre-agent")
    add_cost(rules, "11.64", by="sre-agent", model="gpt-5")
    _ask(
        rules,
        "sre-agent",
        "Roll back release 2481, or disable one rule and fix forward?",
        [("Roll back", "Proven, takes 9 minutes. Loses tonight's campaign, about 14,000 EUR."),
         ("Disable promo.stackable", "Takes 1 minute and keeps the campaign. Untested under load."),
         ("Wait for the bisect", "12 more minutes at 8 % errors.")],
        minutes=18,
        blocking=True,
        context={"error_rate": 0.082, "lost_eur_per_minute": 410, "release": {"id": 2481, "author": "price-team", "changes": 37}},
    )  # fmt: skip
    return contain


def launch() -> None:
    by = Actor("launch-lead")
    house = create_portfolio(
        actor=by, name="Launch in Lisbon", description="Open for customers in Portugal by the first of the month.",
        governance_policy={"require_all_completed": True, "shared_constraints": {"budget": 25}},
    )  # fmt: skip
    research = add_intent("Ask twenty customers in Porto and Lisbon", by=by, to="research-agent", state={"asked": 20})
    change_status(research, "active", by="research-agent")
    add_cost(research, "8.20", by="research-agent", model="gemini-2.5-pro")
    change_status(research, "completed", by="research-agent")
    prices = add_intent(
        "Prices for Portugal", by=by, to="pricing-agent", depends_on=[research], state={"currency": "EUR", "tax": 23}
    )
    change_status(prices, "active", by="pricing-agent")
    page = add_intent(
        "The landing page in Portuguese", by=by, to="writer-agent", depends_on=[research], constraints={"max_cost": 10}
    )
    change_status(page, "active", by="writer-agent")
    take_lease(page, "text.headline", 240, by="writer-agent")
    contracts = add_intent("Contracts with three couriers", by=by, to="legal-agent", state={"signed": 1, "open": 2})
    opening = add_intent("Open the shop", by=by, to="launch-lead", depends_on=[prices, page, contracts])
    for intent_id in (opening, prices, page, contracts, research):
        add_intent_to_portfolio(portfolio_id=house.pk, intent_id=intent_id, actor=by)
    for usd in ("6.10", "4.05"):
        add_cost(page, usd, by="writer-agent", model="claude-sonnet-4-5")
    _ask(
        prices, "pricing-agent", "Should prices in Portugal be lower than in Spain?",
        [("The same", "Avoids complaints from customers across the border."), ("8 % lower", "Three of four customers asked compare with Continente.")],
        context={"basket_es": 41.9, "basket_pt": 38.6},
    )  # fmt: skip
    _ask(contracts, "legal-agent", "The second courier asks for a deposit of 20,000 EUR. Continue with them?", [], minutes=240)
    settled = _ask(page, "writer-agent", "Formal or familiar address?", [("Formal", "Like banks."), ("Familiar", "Like shops.")])
    record_decision(
        intent_id=page, arbitration_id=settled, actor=Actor("user:ines", role=Role.ARBITER), decision="Familiar",
        rationale="Every shop in town does this.",
    )  # fmt: skip
    create_delegation(
        actor=Actor("user:ines", role=Role.ARBITER), delegate="launch-lead", portfolios=[house.pk], actions=["decide"],
        expires_at=database_now() + timedelta(days=7),
    )  # fmt: skip


def webhooks() -> None:
    """Create an unreachable webhook, and a disabled one."""
    newest = newest_position()
    types = ["arbitration_requested", "budget_alert", "lease_expired"]
    create_subscription(actor=LEAD, newest=newest, subscriber_id="pager", callback_url=f"{UNREACHABLE}/pager", event_types=types)
    old = create_subscription(actor=LEAD, newest=newest, subscriber_id="old-dashboard", callback_url=f"{UNREACHABLE}/board")
    disable_subscription(subscription_id=old.pk, actor=LEAD, reason="the dashboard was shut down")


def _ask(
    intent_id: UUID,
    agent_id: str,
    reason: str,
    options: Sequence[tuple[str, str]],
    *,
    minutes: int | None = None,
    blocking: bool = False,
    context: dict[str, Any] | None = None,
) -> UUID:
    return request_arbitration(
        intent_id=intent_id,
        actor=Actor(agent_id),
        reason=reason,
        options=[{"label": label, "rationale": why} for label, why in options],
        expires_at=database_now() + timedelta(minutes=minutes) if minutes else None,
        blocking=blocking,
        context=context,
    ).pk


def _attach(intent_id: UUID, agent_id: str, filename: str, content_type: str, data: bytes) -> None:
    content = Upload.from_file(BytesIO(data))
    blob_store.store(content)
    add_attachment(
        intent_id=intent_id, actor=Actor(agent_id), content=content, filename=filename, content_type=content_type, metadata={}
    )
