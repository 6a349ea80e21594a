"""One holder for each scope: between requests that come at once, and between agents that stall, die and come back."""

import random
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from openintent import OpenIntentClient

from leasing.scopes import overlap, split_levels
from tests.servers import Server
from tests.system.concurrent_clients import FULL, Http, rounds, statuses, until
from tests.system.lease_agents import WORKERS, Workforce

pytestmark = pytest.mark.full


PROCESSES = 3
AGENTS = 30

SECONDS = 300 if FULL else 10
SLACK = timedelta(seconds=0.25)  # Between the look at the lease and the event's own time, both under the lock.
MARKED_WITHIN = timedelta(seconds=2)  # Rule L-2.


def acquire(intent, agent, scope, duration=60):
    body = {"scope": scope, "agent_id": agent, "duration_seconds": duration}
    return lambda client: client.post(f"/intents/{intent['id']}/leases", body)


@pytest.mark.rule("L-1")
@pytest.mark.parametrize("scopes", [["one"], ["one", "one.two", "one.two.three"]], ids=["one scope", "overlapping scopes"])
def test_of_thirty_agents_one_gets_the_scope(http, crowd, scopes):
    together, intent = crowd(AGENTS), http.create()
    times = rounds(200, 10)

    for turn in range(times):
        wanted = [f"{turn}-{scopes[number % len(scopes)]}" for number in range(AGENTS)]
        answers = together.at_once(*[acquire(intent, f"agent-{number}", scope) for number, scope in enumerate(wanted)])

        assert statuses(answers) == [201] + [409] * (AGENTS - 1)
        [given] = [answer.body for answer in answers if answer.status == 201]
        assert {answer.body["existing_lease"]["id"] for answer in answers if answer.status == 409} == {given["id"]}

    given = [event for event in http.events(intent["id"]) if event["event_type"] == "lease_acquired"]
    tokens = [event["payload"]["fencing_token"] for event in given]
    assert tokens == [*range(1, times + 1)]


def renew(lease):
    return lambda client: client.patch(path(lease), {"agent_id": lease["agent_id"], "duration_seconds": 120})


def revoke(lease):
    return lambda client: client.post(f"{path(lease)}/revoke", {"reason": "Over."})


def path(lease):
    return f"/intents/{lease['intent_id']}/leases/{lease['id']}"


@pytest.mark.rule("L-5")
def test_renewals_that_come_with_a_revocation_are_before_it_or_refused(http, crowd):
    together, intent, renewed = crowd(8), http.create(), 0

    for turn in range(rounds(200, 15)):
        lease = acquire(intent, "ada", f"turn-{turn}")(http).body
        *renewals, revoked = together.at_once(*[renew(lease)] * 7, revoke(lease))

        assert (revoked.status, revoked.body["status"]) == (200, "revoked")
        assert {each.code for each in renewals if each.status != 200} <= {"lease_expired"}
        renewed += statuses(renewals).count(200)

    of_lease = defaultdict(list)
    for event in http.events(intent["id"])[1:]:
        of_lease[event["payload"]["lease_id"]].append(event["event_type"])
    for first, *others, last in of_lease.values():
        assert (first, {*others} - {"lease_renewed"}, last) == ("lease_acquired", set(), "lease_revoked")
    assert sum(each.count("lease_renewed") for each in of_lease.values()) == renewed


@pytest.mark.rule("L-9")
def test_each_that_waits_has_its_turn_before_any_has_its_second_next(servers, http):
    intent, agents, turns = http.create(), 8, rounds(25, 5)

    def take_turns(number):
        with OpenIntentClient(servers[number % len(servers)].url, api_key="dev-user-key", agent_id=f"agent-{number}") as client:
            for _ in range(turns):
                with client.lease(intent["id"], "one", wait=600):
                    pass

    with ThreadPoolExecutor(agents) as pool:
        list(pool.map(take_turns, range(agents)))

    order = [event["actor"] for event in http.events(intent["id"]) if event["event_type"] == "lease_acquired"]
    at_turn = defaultdict(list)
    for place, agent in enumerate(order):
        at_turn[order[:place].count(agent)].append(place)
    assert [len(each) for each in at_turn.values()] == [agents] * turns
    for turn in range(turns - 2):  # The first of them came before the others had asked.
        assert max(at_turn[turn]) < min(at_turn[turn + 2])


# --- a life of stalls and deaths -----------------------------------------------------------------------------------


@dataclass
class Held:
    agent: str
    scope: str
    token: int
    until: datetime


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


class Checker:
    """Goes through the log, in the order of its commits, and finds what must never be."""

    def __init__(self) -> None:
        self.active: dict[str, Held] = {}
        self.writes = self.refused = self.expired = 0
        self.latest_mark = timedelta(0)

    def check(self, event: dict[str, Any]) -> None:
        payload = event["payload"]
        lease_id, now = payload.get("lease_id"), at(event["created_at"])
        match event["event_type"]:
            case "lease_acquired":
                for other in self.active.values():
                    assert other.agent == payload["agent_id"] or not overlap(
                        split_levels(other.scope), split_levels(payload["scope"])
                    ), f"two holders: {other} and {event}"
                self.active[lease_id] = Held(
                    payload["agent_id"], payload["scope"], payload["fencing_token"], at(payload["expires_at"])
                )
            case "lease_renewed":
                assert now < self.active[lease_id].until, f"renewed after its end: {event}"
                self.active[lease_id].until = at(payload["expires_at"])
            case "lease_released" | "lease_expired":
                lease = self.active.pop(lease_id)
                if event["event_type"] == "lease_expired":
                    self.expired += 1
                    assert now >= lease.until, f"expired too early: {event}"
                    self.latest_mark = max(self.latest_mark, now - lease.until)
            case "work_done":
                self.writes += 1
                lease = self.active.get(lease_id)
                assert lease, f"a write under a lease that had ended: {event}"
                assert lease.agent == event["actor"]
                assert now < lease.until + SLACK, f"a write after the lease's end: {event}"


@pytest.mark.rule("L-1", "L-2", "L-4")
def test_no_two_holders_and_no_late_write_among_agents_that_stall_and_die(servers, http):
    intent, kills = http.create(), 0
    agents = Workforce(servers, intent["id"])
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline or not enough_is_done(servers[0], intent):  # On a busy machine it takes longer.
        time.sleep(random.uniform(0.2, 0.8))  # Death comes when it wants to.
        agents.replace(random.randrange(WORKERS))
        kills += 1
    agents.end()
    checker = until(lambda: all_ended(servers[0], intent), "the end of the dead agents' leases")
    print(f"{checker.writes} writes, {checker.expired} expired, {kills} killed; the last mark {checker.latest_mark}")
    assert checker.expired > 0
    assert checker.latest_mark <= MARKED_WITHIN


def enough_is_done(server: Server, intent: dict[str, Any]) -> bool:
    """Whether there are as many writes as agents: the others would show little."""
    with Http(server) as http:
        path = f"/intents/{intent['id']}/events?event_type=work_done&limit={WORKERS}"
        return len(http.get(path).body["events"]) == WORKERS


def all_ended(server: Server, intent: dict[str, Any]) -> Checker | None:
    """The checker of the whole log, once nothing in it is held any more."""
    checker = Checker()
    with Http(server) as http:  # A connection that was kept for minutes without a word is closed.
        for event in http.events(intent["id"]):
            checker.check(event)
    return None if checker.active else checker
