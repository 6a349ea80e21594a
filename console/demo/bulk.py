"""As much other work as wanted: projects of a dozen intents each, in every state that work can be in."""

from collections.abc import Callable
from random import Random
from uuid import UUID

from django.db import transaction

from console.demo import clone
from console.demo.actions import MODELS, make, move, note, spend
from console.demo.clone import Sample

SIZE = 12  # Intents of a project, with the one above them.
SAMPLES = 30  # Projects that are made by verbs.
AT_ONCE = 1_000  # Intents that are copied in one transaction.
AGENTS = ["research-agent", "writer-agent", "data-agent", "review-agent", "sre-agent", "comms-agent", "pricing-agent"]
THINGS = [
    "invoices",
    "the help pages",
    "delivery times",
    "the search index",
    "supplier offers",
    "the welcome mail",
    "stock levels",
]
PLACES = ["Lyon", "Porto", "Ghent", "Turin", "Leeds", "Graz", "Malmö", "Gdańsk"]
STEPS = [
    "Research", "Check the sources for", "Find gaps in", "Compare last year's figures for", "Draft a plan for",
    "Review the plan for", "Estimate the cost of", "Prototype changes to", "Measure the effect on", "Write a summary of",
    "Hand over",
]  # fmt: skip


def fill(count: int, random: Random, told: Callable[[int], None] = lambda made: None) -> None:
    """Make at least so many intents; `told` hears now and then how many there are.

    The first ones by the verbs, the others as copies of those.
    """
    made = 0
    roots: list[UUID] = []
    with transaction.atomic():  # A commit for each verb would take ten times as long.
        while made < min(count, SIZE * SAMPLES):
            roots.append(_project(random))
            made += SIZE
    samples = [Sample(root) for root in roots] if made < count else []
    while made < count:
        made += clone.fill(samples, min(AT_ONCE, count - made), PLACES, random)
        told(made)


def _project(random: Random) -> UUID:
    """A chain of steps under one intent: those at its beginning are done, the next one is under way, others wait for it."""
    thing, place = random.choice(THINGS), random.choice(PLACES)
    lead = random.choice(AGENTS)
    root = make(f"Improve {thing} in {place}", to=lead, state={"place": place}, confidence=random.randrange(40, 100))
    move(root, "active", by=lead)
    done = random.randrange(len(STEPS) + 1)
    previous: UUID | None = None
    for number, step in enumerate(STEPS):
        agent = random.choice(AGENTS)
        needs = [previous] if previous and random.random() < 0.7 else []
        previous = make(f"{step} {thing} in {place}", to=agent, parent_intent_id=root, depends_on=needs)
        if number < done:
            _do(previous, agent, random)
        elif number == done:
            move(previous, "active", by=agent)
            note(previous, by=agent, progress=random.randrange(5, 95))
    if done == len(STEPS):
        move(root, "completed", by=lead)
    return root


def _do(intent_id: UUID, agent: str, random: Random) -> None:
    move(intent_id, "active", by=agent)
    if random.random() < 0.4:
        model = random.choice([*MODELS])
        spend(intent_id, f"{random.uniform(0.001, 0.05):.4f}", by=agent, model=model)
    move(intent_id, "completed", by=agent)
