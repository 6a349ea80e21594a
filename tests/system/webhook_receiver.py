"""Webhooks while everything goes wrong: a receiver that fails, and whether it has taken all that its subscriptions are about."""

import logging
import random
import sqlite3
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import psycopg
from werkzeug import Request, Response

from tests.subscriptions.webhook_receivers import Receiver
from tests.system.concurrent_clients import PATIENCE, Http
from tests.system.readers import Topic

FAILS = 0.3  # Of the calls,
NEVER_MORE = 5  # but an event that failed so often arrives: after ten times it would be dead.
HURRY_EVERY = 0.5  # Seconds.
CALL = timedelta(seconds=15)  # Takes none as long: a claim that is older is that of a worker that was killed.
CLAIM = timedelta(seconds=60)
LONGEST_DELAY = timedelta(days=2)


class Unreliable(Receiver):
    """Keeps what it has taken, as numbers by subscription and event."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.failed: Counter[tuple[str, str]] = Counter()
        self._counting = threading.Lock()
        logging.getLogger("werkzeug").setLevel(logging.WARNING)  # It tells of every call.

    def _answer(self, request: Request) -> Response:
        call = orjson.loads(request.get_data())
        subscription, event = call["subscription_id"], call["event"]["id"]
        with self._counting:
            if random.random() < FAILS and self.failed[subscription, event] < NEVER_MORE:
                self.failed[subscription, event] += 1
                return Response(status=random.choice([429, 500, 503]))
            self.taken[subscription][event] += 1
        return Response(status=204)


@dataclass(frozen=True)
class Hook:
    """A subscription to a topic; `event_types` none: all."""

    pk: str
    topic: Topic
    event_types: Sequence[str]
    receiver: Unreliable

    def events(self, log: Sequence[dict[str, Any]], since: int) -> set[str]:
        """The ids of those that it is about, after a position."""
        chosen = [event for event in self.topic.events(log) if not self.event_types or event["event_type"] in self.event_types]
        return {event["id"] for event in chosen if event["position"] > since}

    @property
    def taken(self) -> Counter[str]:
        return self.receiver.taken[self.pk]


def subscribe(http: Http, receiver: Unreliable, topic: Topic, event_types: Sequence[str] = ()) -> Hook:
    target = {} if topic.kind == "all" else {f"{topic.kind}_id": topic.pk}
    answer = http.post("/subscriptions", {"callback_url": receiver.url, "event_types": [*event_types], **target})
    assert answer.status == 201, answer
    return Hook(answer.body["id"], topic, event_types, receiver)


def wait_for(hooks: Sequence[Hook], log: Sequence[dict[str, Any]], since: int, database_url: str) -> None:
    """Until each has all that it is about, with the time between attempts left out."""
    missing = [hook.events(log, since) - set(hook.taken) for hook in hooks]
    left, deadline = sum(map(len, missing)), time.monotonic() + PATIENCE
    while left:
        assert time.monotonic() < deadline, f"webhooks never came: {missing}"
        hurry(database_url)
        time.sleep(HURRY_EVERY)
        missing = [ids - set(hook.taken) for hook, ids in zip(hooks, missing, strict=True)]
        if (now := sum(map(len, missing))) < left:  # What still arrives is waited for.
            left, deadline = now, time.monotonic() + PATIENCE


def hurry(database_url: str) -> None:
    """Make due what waits for another attempt, or for the claim of a worker that was killed to run out."""
    if database_url.startswith("sqlite"):
        with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"), timeout=PATIENCE)) as connection, connection:
            for change in _changes():
                connection.execute(change)
    else:
        with psycopg.connect(database_url, options="-c timezone=UTC", autocommit=True) as connection:
            for change in _changes("FOR UPDATE SKIP LOCKED"):  # Couriers lock in an order of their own.
                connection.execute(change)


def _changes(lock: str = "") -> list[str]:
    change = (
        "UPDATE subscriptions_delivery SET {0} = '2020-01-01 00:00:00' WHERE id IN"
        " (SELECT id FROM subscriptions_delivery WHERE status = 'pending' AND {0} < '{1:%Y-%m-%d %H:%M:%S}' {2})"
    )
    now = datetime.now(UTC)
    bounds = {"next_attempt_at": now + LONGEST_DELAY, "claimed_until": now + CLAIM - CALL}
    return [change.format(column, bound, lock) for column, bound in bounds.items()]
