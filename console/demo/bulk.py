"""Bulk example work: projects of a dozen intents each, in every status."""

from collections.abc import Callable
from random import Random
from uuid import UUID

from django.db import transaction

from console.demo import clone
from console.demo.actions import MODELS, add_cost, add_intent, change_status, set_state
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
    """Create at least `count` intents; report the number so far by `told`.

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
        made += clone.clone_samples(samples, min(AT_ONCE, count - made), PLACES, random)
        told(made)


def _project(random: Random) -> UUID:
    """Create a chain of steps under one intent: the first ones completed, the next active, the others blocked."""
    thing, place = random.choice(THINGS), random.choice(PLACES)
    lead = random.choice(AGENTS)
    root = add_intent(f"Improve {thing} in {place}", to=lead, state={"place": place}, confidence=random.randrange(40, 100))
    change_status(root, "active", by=lead)
    done = random.randrange(len(STEPS) + 1)
    previous: UUID | None = None
    for number, step in enumerate(STEPS):
        agent = random.choice(AGENTS)
        needs = [previous] if previous and random.random() < 0.7 else []
        previous = add_intent(f"{step} {thing} in {place}", to=agent, parent_intent_id=root, depends_on=needs)
        if number < done:
            change_status(previous, "active", by=agent)
            if random.random() < 0.4:
                model = random.choice([*MODELS])
                add_cost(previous, f"{random.uniform(0.001, 0.05):.4f}", by=agent, model=model)
            change_status(previous, "completed", by=agent)
        elif number == done:
            change_status(previous, "active", by=agent)
            set_state(previous, by=agent, progress=random.randrange(5, 95))
    if done == len(STEPS):
        change_status(root, "completed", by=lead)
    return root
