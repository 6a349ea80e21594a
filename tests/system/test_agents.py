"""Agents and servers that are killed with -9: no assignment is lost, and none has two results (protocol K-7)."""

import os
import random

import pytest

from tests.databases import migrated_database
from tests.processes import Process
from tests.servers import Server
from tests.system.concurrent_clients import Http, rounds, until
from tests.system.conftest import verified

pytestmark = pytest.mark.full


IDS = ["worker-0", "worker-1", "worker-2", "worker-3", "worker-3", "worker-4", "worker-4", "worker-4", "backup", "backup"]
"""Of the processes: some of them are the same agent."""

ROUNDS = rounds(200, 30), rounds(40, 3)
"""Assignments, and kills."""

POLICY = {"max_attempts": 2, "strategy": "fixed", "base_delay_seconds": 0, "fallback_agent_id": "backup"}


class Agents:
    """Processes, each of which is replaced when it was killed."""

    def __init__(self, url):
        self.environment = {**os.environ, "OPENINTENT_URL": url}
        self.processes = [self._start(agent_id) for agent_id in IDS]

    def replace_one(self):
        number = random.randrange(len(IDS))
        self.processes[number].kill()
        self._end(self.processes[number])
        self.processes[number] = self._start(IDS[number])

    def end(self):
        for process in self.processes:
            process.terminate()
        assert [self._end(process) for process in self.processes] == [0] * len(IDS)

    def _start(self, agent_id):
        return Process("tests.system.agents", [agent_id], self.environment)

    @staticmethod
    def _end(process):
        code = process.wait(timeout=60)
        with process.stderr:
            assert process.stderr.read() == ""
        return code


def assign(http, number):
    """Every fifth one fails, but with the agent that it falls back to."""
    fails = number % 5 == 0
    intent = http.create(title=f"Work {number}", state={"marks": [], "fails": fails})
    if fails:
        http.send("PUT", f"/intents/{intent['id']}/retry-policy", POLICY)
    http.post(f"/intents/{intent['id']}/agents", {"agent_id": f"worker-{number % 5}"})
    return intent["id"]


def completed(http):
    return {each["id"] for each in http.get("/intents?status=completed&limit=1000").body["intents"]}


@pytest.mark.rule("K-7")
def test_each_assignment_is_completed_once_and_its_result_written_once(vendor, tmp_path):
    database_url = migrated_database(vendor, tmp_path)
    server, intents, (work, kills) = Server(database_url).start(), [], ROUNDS
    server.port = server.url.rpartition(":")[2]
    agents = Agents(server.url)

    for kill in range(kills):
        with Http(server) as http:
            intents += [assign(http, number) for number in range(kill * work // kills, (kill + 1) * work // kills)]
            goal = random.randint(len(completed(http)), len(intents) - 1)
            until(lambda http=http, goal=goal: len(completed(http)) >= goal, "some of the work")
        agents.replace_one()
        if kill % 4 == 1:
            server.kill()
            server.start()

    with Http(server) as http:
        done = until(
            lambda: len(found := completed(http)) == len(intents) and found, "all", progress=lambda: len(completed(http))
        )
        assert done == set(intents)
        for intent_id in intents:
            assert_was_done_once(http, intent_id)
    agents.end()
    server.stop()
    assert verified(database_url)["intents"] == work


def assert_was_done_once(http, intent_id):
    intent, log = http.intent(intent_id), http.events(intent_id)
    assert len(intent["state"]["marks"]) == 1
    assert set(intent["state"]) == {"marks", "fails"}
    types = [event["event_type"] for event in log]
    assert types.count("state_patched") == 1
    assert types.count("failure_recorded") == (2 if intent["state"]["fails"] else 0)
    assert types.count("fallback_triggered") == intent["state"]["fails"]
    assert [event["payload"]["to"] for event in log if event["event_type"] == "status_changed"].count("completed") == 1
