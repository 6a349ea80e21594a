"""Simulated activity: agents take leases, change states, spend, ask and finish."""

import threading
from collections.abc import Callable
from datetime import timedelta
from random import Random
from uuid import UUID

from django.db import OperationalError, transaction

from access.identity import Actor
from console.demo.actions import MODELS, add_cost, add_intent, change_status, log_event, set_state, take_lease
from console.demo.bulk import AGENTS, PLACES, STEPS, THINGS
from core.db import database_now
from core.errors import ProtocolError
from governance.models import Arbitration
from governance.services import request_arbitration
from intents.models import Intent, Status
from retries.services import record_failure

MAX_QUESTIONS = 8  # That wait at once.
NEWEST = 200  # Active intents among which things happen.
QUESTIONS = ["Is this figure plausible?", "Two sources disagree. Which one is right?", "May I spend another 20 USD on this?"]

Activity = Callable[[UUID, str, Random], object]


def run_activity(random: Random, pace: float, stopping: threading.Event) -> int:
    """Do one thing every `pace` seconds until stopped. Return the number of things done."""
    activities: list[Activity] = [make_progress, spend_money, call_tool, hold_lease, ask_question, report_failure, finish_intent]
    done = 0
    while not stopping.wait(random.uniform(0.5, 1.5) * pace):
        try:
            with transaction.atomic():
                active = Intent.objects.filter(status=Status.ACTIVE).order_by("-updated_at").values_list("pk", flat=True)[:NEWEST]
                if len(active) < 5:
                    begin_intent(random)
                else:
                    activity = random.choices(activities, weights=[30, 20, 20, 12, 4, 3, 4])[0]
                    activity(random.choice(active), random.choice(AGENTS), random)
            done += 1
        except (ProtocolError, OperationalError):  # Somebody else was faster, or is writing: as it goes.
            continue
    return done


def begin_intent(random: Random) -> None:
    agent = random.choice(AGENTS)
    fresh = add_intent(f"{random.choice(STEPS)} {random.choice(THINGS)} in {random.choice(PLACES)}", to=agent)
    change_status(fresh, "active", by=agent)


def make_progress(intent_id: UUID, agent: str, random: Random) -> None:
    set_state(intent_id, by=agent, progress=random.randrange(5, 100))


def spend_money(intent_id: UUID, agent: str, random: Random) -> None:
    add_cost(intent_id, f"{random.uniform(0.002, 0.2):.4f}", by=agent, model=random.choice([*MODELS]))


def call_tool(intent_id: UUID, agent: str, random: Random) -> None:
    log_event(
        intent_id,
        "tool_call_completed",
        by=agent,
        tool=random.choice(["search", "sql", "browser"]),
        ms=random.randrange(40, 4000),
    )


def hold_lease(intent_id: UUID, agent: str, random: Random) -> None:
    take_lease(intent_id, random.choice(["progress", "summary", "sources"]), random.randrange(30, 180), by=agent)


def ask_question(intent_id: UUID, agent: str, random: Random) -> None:
    if Arbitration.objects.pending().count() >= MAX_QUESTIONS:
        return
    request_arbitration(
        intent_id=intent_id,
        actor=Actor(agent),
        reason=random.choice(QUESTIONS),
        options=[{"label": "Yes"}, {"label": "No"}],
        blocking=random.random() < 0.5,
        expires_at=database_now() + timedelta(minutes=random.randrange(5, 60)),
    )


def report_failure(intent_id: UUID, agent: str, random: Random) -> None:
    record_failure(intent_id=intent_id, actor=Actor(agent), error_type=random.choice(["timeout", "rate_limit", "bad_answer"]))


def finish_intent(intent_id: UUID, agent: str, random: Random) -> None:
    change_status(intent_id, "completed", by=agent)
    begin_intent(random)
