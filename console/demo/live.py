"""Simulated activity: agents take leases, change states, spend, ask and finish."""

import threading
from datetime import timedelta
from random import Random
from uuid import UUID

from django.db import OperationalError, transaction

from access.identity import Actor
from console.demo.actions import MODELS, add_intent, call_model, call_tool, change_status, set_state, take_lease
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

ACTIVITIES = {"progress": 30, "cost": 20, "tool": 20, "lease": 12, "question": 4, "failure": 3, "end": 4}
"""What agents do, and how often of 93 times."""


def run_activity(random: Random, pace: float, stopping: threading.Event) -> int:
    """Do one thing every `pace` seconds until stopped. Return the number of things done."""
    done = 0
    while not stopping.wait(random.uniform(0.5, 1.5) * pace):
        try:
            with transaction.atomic():
                active = Intent.objects.filter(status=Status.ACTIVE).order_by("-updated_at").values_list("pk", flat=True)[:NEWEST]
                if len(active) < 5:
                    begin_intent(random)
                else:
                    do_something(random.choice(active), random.choice(AGENTS), random)
            done += 1
        except (ProtocolError, OperationalError):  # Somebody else was faster, or is writing: as it goes.
            continue
    return done


def do_something(intent_id: UUID, agent: str, random: Random) -> None:
    """Let the agent do one of ACTIVITIES to the intent."""
    match random.choices([*ACTIVITIES], weights=[*ACTIVITIES.values()])[0]:
        case "progress":
            set_state(intent_id, by=agent, progress=random.randrange(5, 100))
        case "cost":
            usd, model, tokens = random.uniform(0.002, 0.2), random.choice([*MODELS]), (random.randrange(200, 40_000), 320)
            call_model(intent_id, f"{usd:.4f}", by=agent, model=model, milliseconds=random.randrange(300, 9_000), tokens=tokens)
        case "tool":
            tool, milliseconds = random.choice(["search", "sql", "browser"]), random.randrange(40, 4000)
            call_tool(intent_id, tool, by=agent, milliseconds=milliseconds)
        case "lease":
            take_lease(intent_id, random.choice(["progress", "summary", "sources"]), random.randrange(30, 180), by=agent)
        case "question" if Arbitration.objects.pending().count() < MAX_QUESTIONS:
            request_arbitration(
                intent_id=intent_id,
                actor=Actor(agent),
                reason=random.choice(QUESTIONS),
                options=[{"label": "Yes"}, {"label": "No"}],
                blocking=random.random() < 0.5,
                expires_at=database_now() + timedelta(minutes=random.randrange(5, 60)),
            )
        case "failure":
            kind = random.choice(["timeout", "rate_limit", "bad_answer"])
            record_failure(intent_id=intent_id, actor=Actor(agent), error_type=kind)
        case "end":
            change_status(intent_id, "completed", by=agent)
            begin_intent(random)


def begin_intent(random: Random) -> None:
    agent = random.choice(AGENTS)
    fresh = add_intent(f"{random.choice(STEPS)} {random.choice(THINGS)} in {random.choice(PLACES)}", to=agent)
    change_status(fresh, "active", by=agent)
