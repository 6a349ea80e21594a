"""`openintent hook permission`: a prompt is answered by a person in the console, and an approval allows the call once (protocol A-9, A-10)."""

import threading

import pytest
from openintent import OpenIntentClient

from tests.sdk.cli.hooks.conftest import prompt
from tests.system.concurrent_clients import until

pytestmark = [pytest.mark.rule("A-9", "A-10", "M-5"), pytest.mark.full, pytest.mark.database("sqlite")]


@pytest.fixture
def boss(server):
    with OpenIntentClient(server.url, "dev-user-key", "boss") as client:
        yield client


@pytest.fixture
def ask(hook):
    """The hook, without waiting."""
    return lambda payload, *options, **how: hook("permission", payload, "--wait", "0", *options, **how)


def pending(client, intent):
    return client.get_arbitrations(intent.id, status="pending")


def decide(client, intent, decision, rationale=None):
    [asked] = pending(client, intent)
    client.record_decision(intent.id, decision, rationale, arbitration_id=asked.id)


def behavior(answer):
    return answer["decision"]["behavior"]


def test_without_an_answer_the_editor_asks_and_the_question_is_withdrawn(ask, repository, files, boss):
    assert ask(prompt(repository)) is None

    [asked] = boss.get_arbitrations(files.id)
    assert (asked.status, asked.requester_id, asked.reason) == ("withdrawn", "ada", "Allow Bash: rm -rf build")
    assert asked.action.params == {"input": {"command": "rm -rf build"}, "cwd": str(repository)}


@pytest.mark.parametrize(("decision", "expected"), [("approve", "allow"), ("refuse", "deny")])
def test_an_answer_in_time_is_the_editors(hook, repository, files, boss, decision, expected):
    answers = []
    run = threading.Thread(target=lambda: answers.append(hook("permission", prompt(repository), "--wait", "20")))
    run.start()
    until(lambda: pending(boss, files), "the question")
    decide(boss, files, decision, "Not on a Friday")
    run.join(30)

    [answer] = answers
    assert behavior(answer) == expected
    assert answer["decision"].get("message") == (None if expected == "allow" else "Not on a Friday")


def test_strict_refuses_with_a_link_and_allows_once_after_approval(ask, repository, files, boss):
    refused = ask(prompt(repository), "--strict")
    [asked] = pending(boss, files)
    assert behavior(refused) == "deny"
    assert f"/admin/governance/arbitration/{asked.id}/change/" in refused["decision"]["message"]
    assert behavior(ask(prompt(repository), "--strict")) == "deny"
    assert len(pending(boss, files)) == 1

    decide(boss, files, "approve")

    again = prompt(repository, session_id="another", tool_input={"command": "rm -rf build", "description": "In other words"})
    assert behavior(ask(again, "--strict")) == "allow"
    [permit] = boss.get_permits(files.id)
    assert (permit.status, permit.outcome) == ("spent", "succeeded")
    assert behavior(ask(prompt(repository), "--strict")) == "deny"
    assert len(pending(boss, files)) == 1


def test_strict_tells_a_refusal_once_and_then_asks_anew(ask, repository, files, boss):
    ask(prompt(repository), "--strict")
    decide(boss, files, "refuse", "Keep the build")

    told = ask(prompt(repository), "--strict")
    assert told["decision"] == {"behavior": "deny", "message": "Keep the build"}
    ask(prompt(repository), "--strict")
    assert len(pending(boss, files)) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"tool_input": {"command": "rm -rf build /"}},
        {"tool_name": "Write", "tool_input": {"command": "rm -rf build"}},
        {"cwd": "/"},
    ],
)
def test_an_approval_is_for_this_call_in_this_folder(ask, repository, files, boss, other):
    ask(prompt(repository), "--strict")
    decide(boss, files, "approve")

    assert behavior(ask({**prompt(repository), **other}, "--strict")) == "deny"


def test_an_approval_is_for_the_agent_that_asked(ask, repository, files, boss):
    ask(prompt(repository), "--strict")
    decide(boss, files, "approve")

    assert behavior(ask(prompt(repository), "--strict", agent="bob")) == "deny"


def test_of_hooks_that_find_one_approval_at_once_one_allows(hook, repository, files, boss):
    hook("permission", prompt(repository), "--wait", "0", "--strict")
    decide(boss, files, "approve")
    [asked] = boss.get_arbitrations(files.id)
    permit = boss.wait_for_permit(files.id, asked.id)
    with OpenIntentClient(boss.base_url, "dev-user-key", "ada") as ada:
        ada.spend_permit(permit.id, asked.action.to_dict())

    answer = hook("permission", prompt(repository), "--wait", "0", "--strict")

    assert behavior(answer) == "deny"
    assert "cannot be used" in answer["decision"]["message"]


def test_without_the_server_the_editor_asks_or_refuses(ask, repository):
    unreachable = "http://127.0.0.1:9"

    assert ask(prompt(repository), url=unreachable) is None
    assert behavior(ask(prompt(repository), "--otherwise", "deny", url=unreachable)) == "deny"
    assert ask("{") is None
    assert behavior(ask("{", "--otherwise", "deny")) == "deny"


def test_a_call_that_is_too_large_to_be_shown_is_left_to_the_editor(ask, repository, files, boss):
    large = prompt(repository, tool_input={"command": "x" * 70_000})

    assert ask(large, "--strict") is None
    assert behavior(ask(large, "--strict", "--otherwise", "deny")) == "deny"
    assert boss.get_arbitrations(files.id) == []
