"""Many agents edit few files through the hook: none edits without a lease of its own (protocol L-1, L-2, L-7)."""

import json
import os
import random
import subprocess
import sys
import threading
from collections import defaultdict
from datetime import UTC, datetime

import pytest
from openintent import OpenIntentClient

from tests.databases import ROOT
from tests.sdk.cli.hooks.conftest import edit
from tests.system.concurrent_clients import rounds

pytestmark = [pytest.mark.full, pytest.mark.database("postgresql"), pytest.mark.rule("L-1", "L-2", "L-7")]

AGENTS, FILES, SECONDS = rounds(30, 8), rounds(20, 4), rounds(60, 10)
KEY = "dev-user-key"


def now():
    return datetime.now(UTC)


class Editing(threading.Thread):
    """An agent that edits files where its hook lets it, and releases about every other lease."""

    def __init__(self, number, server, intent, folder, until):
        super().__init__()
        self.agent, self.intent, self.folder, self.until = f"agent-{number}", intent, folder, until
        self.client = OpenIntentClient(server.url, KEY, self.agent)
        self.variables = {"OPENINTENT_URL": server.url, "OPENINTENT_API_KEY": KEY, "OPENINTENT_AGENT_ID": self.agent}
        self.chance = random.Random(number)
        self.edits, self.refusals, self.problem = [], 0, None

    def run(self):
        try:
            while now() < self.until:
                self.edit(f"src/{self.chance.randrange(FILES)}.py")
        except BaseException as problem:
            self.problem = problem

    def edit(self, name):
        command = [sys.executable, "-m", "openintent.cli", "hook", "edit", "--intent", self.intent.id, "--for", "claude"]
        said = subprocess.run(
            [*command, "--otherwise", "deny"],
            input=json.dumps(edit(self.folder, name)),
            env={**os.environ, "PYTHONPATH": str(ROOT / "sdk"), **self.variables},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        if said:
            self.refusals += 1
            assert "is leased by" in said, said
            return
        begin = now()
        with (self.folder / name).open("a") as file:
            file.write(f"{self.agent}\n")
        self.edits.append((name, begin, now()))
        if self.chance.random() < 0.5:
            [lease] = [each for each in self.client.list_leases(agent_id=self.agent) if each.scope == f"file:{name}"]
            self.client.release_lease(self.intent.id, lease.id)


def leased_times(client, intent):
    """Return, by agent and scope, the times in which the log says that it was leased."""
    open_, found = {}, defaultdict(list)
    for event in client.get_events(intent.id):
        if event.event_type == "lease_acquired":
            open_[event.payload["lease_id"]] = event.created_at
        elif event.event_type in ("lease_released", "lease_expired", "lease_revoked"):
            begin = open_.pop(event.payload["lease_id"])
            found[event.payload["agent_id"], event.payload["scope"]].append((begin, event.created_at))
    for lease in client.get_leases(intent.id):
        found[lease.agent_id, lease.scope].append((open_[lease.id], lease.expires_at))
    return found


def test_no_agent_edits_what_it_has_not_leased(server, tmp_path, record_property):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "src").mkdir()
    with OpenIntentClient(server.url, KEY, "boss") as boss:
        intent = boss.create_intent("Files of the shop")
        for number in range(0, FILES, 2):
            boss.acquire_lease(intent.id, f"file:src/{number}.py", 3)
        until = datetime.fromtimestamp(now().timestamp() + SECONDS, UTC)
        agents = [Editing(number, server, intent, tmp_path, until) for number in range(AGENTS)]
        for each in agents:
            each.start()
        for each in agents:
            each.join()
        leased = leased_times(boss, intent)

    assert [each.problem for each in agents if each.problem] == []
    done = [(each.agent, *edited) for each in agents for edited in each.edits]
    for agent, name, begin, end in done:
        assert any(first <= begin and end <= last for first, last in leased[agent, f"file:{name}"]), (agent, name, begin)
    refusals = sum(each.refusals for each in agents)
    assert done
    assert refusals
    record_property("figure", f"{AGENTS} agents, {FILES} files, {SECONDS} s: {len(done)} edits, {refusals} refused")
