"""Who hears of an intent besides those who follow it by its id: the agents assigned to it, the portfolios it is in (rule S-4).

Both come and go, and each time with an event. Their topics begin and end with it, so that what belongs to a topic depends
on the log alone, and not on when it is read.
"""

from collections.abc import Collection
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from intents.models import Intent, TopicMembership

Topic = str
"""Whom it is about, and its id: `intent:…`, `portfolio:…`, `agent:…`; or `all`."""

ALL: Topic = "all"
INTENT, PORTFOLIO, AGENT = "intent:", "portfolio:", "agent:"


def for_intent(pk: UUID | str) -> Topic:
    return f"{INTENT}{pk}"


def for_portfolio(pk: UUID | str) -> Topic:
    return f"{PORTFOLIO}{pk}"


def for_agent(agent_id: str) -> Topic:
    return f"{AGENT}{agent_id}"


def join(intent: Intent, topic: Topic) -> None:
    """Let it hear of the intent from the newest event on. The caller holds the intent's row lock, and has just appended it."""
    TopicMembership.objects.create(topic=topic, intent=intent, first_sequence=intent.last_sequence)


def leave(intent: Intent, topic: Topic) -> None:
    """Let the newest event be the last that it hears of. As for `admit`."""
    TopicMembership.objects.filter(topic=topic, intent=intent, last_sequence=None).update(last_sequence=intent.last_sequence)


def ids_of_kind(topics: Collection[Topic], kind: str) -> list[str]:
    """The ids of the topics of that kind."""
    return [topic.removeprefix(kind) for topic in topics if topic.startswith(kind)]


def match_events(topics: Collection[Topic]) -> Q:
    """Which events belong to at least one of the topics."""
    if ALL in topics:
        return Q()
    intents = ids_of_kind(topics, INTENT)
    belongs = Q(intent__in=intents)
    if len(topics) == len(intents):
        return belongs
    hears = TopicMembership.objects.filter(
        Q(last_sequence=None) | Q(last_sequence__gte=OuterRef("sequence")),
        topic__in=topics,
        intent=OuterRef("intent"),
        first_sequence__lte=OuterRef("sequence"),
    )
    return belongs | Q(portfolio_id__in=ids_of_kind(topics, PORTFOLIO)) | Q(Exists(hears))
