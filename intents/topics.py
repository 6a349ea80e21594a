"""Topics of the event log: one intent, the intents of an agent or a portfolio, or everything (rule S-4).

An intent joins and leaves the topics of agents and portfolios with an event of its own, so that what belongs to a topic
depends on the log alone, and not on when it is read.
"""

from collections.abc import Collection
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from intents.models import Intent, TopicMembership

Topic = str
"""A kind and an id: `intent:…`, `portfolio:…`, `agent:…`; or `all`."""

ALL: Topic = "all"
INTENT, PORTFOLIO, AGENT = "intent:", "portfolio:", "agent:"


def for_intent(pk: UUID | str) -> Topic:
    return f"{INTENT}{pk}"


def for_portfolio(pk: UUID | str) -> Topic:
    return f"{PORTFOLIO}{pk}"


def for_agent(agent_id: str) -> Topic:
    return f"{AGENT}{agent_id}"


def join(intent: Intent, topic: Topic) -> None:
    """Let the topic begin with the intent's newest event. The caller holds the row lock, and has just appended it."""
    TopicMembership.objects.create(topic=topic, intent=intent, first_sequence=intent.last_sequence)


def leave(intent: Intent, topic: Topic) -> None:
    """Let the topic end with the intent's newest event. As for `join`."""
    TopicMembership.objects.filter(topic=topic, intent=intent, last_sequence=None).update(last_sequence=intent.last_sequence)


def ids_of_kind(topics: Collection[Topic], kind: str) -> list[str]:
    """Return the ids of the topics of that kind."""
    return [topic.removeprefix(kind) for topic in topics if topic.startswith(kind)]


def match_events(topics: Collection[Topic]) -> Q:
    """Return the condition for events that belong to at least one of the topics."""
    if ALL in topics:
        return Q()
    intents = ids_of_kind(topics, INTENT)
    by_intent = Q(intent__in=intents)
    if len(topics) == len(intents):
        return by_intent
    memberships = TopicMembership.objects.filter(
        Q(last_sequence=None) | Q(last_sequence__gte=OuterRef("sequence")),
        topic__in=topics,
        intent=OuterRef("intent"),
        first_sequence__lte=OuterRef("sequence"),
    )
    return by_intent | Q(portfolio_id__in=ids_of_kind(topics, PORTFOLIO)) | Q(Exists(memberships))
