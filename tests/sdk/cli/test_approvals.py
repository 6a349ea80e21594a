"""Typed questions, permits and gates on the command line."""

import json
import threading

import pytest

from tests.system.concurrent_clients import until

SCHEMA = {"type": "object", "properties": {"euros": {"type": "integer"}}, "required": ["euros"]}


def ask_meanwhile(openintent, *arguments):
    """Run `openintent ask` in a thread. Return a function that waits for its end."""
    runs = []
    thread = threading.Thread(target=lambda: runs.append(openintent("ask", *arguments)))
    thread.start()

    def ended():
        thread.join()
        return runs[0]

    return ended


@pytest.mark.parametrize("given", ["text", "file"])
def test_ask_prints_the_answer_of_the_schema(openintent, client, intent, tmp_path, given):
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(SCHEMA))
    schema = json.dumps(SCHEMA) if given == "text" else f"@{path}"
    ended = ask_meanwhile(openintent, intent.id, "How much?", "--schema", schema, "--remind", 3600, "--json")
    [asked] = until(lambda: client.get_arbitrations(intent.id), "the question")
    client.record_decision(intent.id, answer={"euros": 4}, arbitration_id=asked.id)

    assert ended().json == {"answer": {"euros": 4}}
    assert (asked.response_schema, asked.remind_after_seconds) == (SCHEMA, [3600])


def test_ask_prints_the_chosen_option(openintent, client, intent):
    ended = ask_meanwhile(openintent, intent.id, "Go on?", "-o", "yes", "-o", "no", "--urgency", "high")
    [asked] = until(lambda: client.get_arbitrations(intent.id), "the question")
    client.record_decision(intent.id, "no", arbitration_id=asked.id)

    assert (ended().code, ended().out, asked.urgency) == (0, "no\n", "high")


def test_question_without_an_answer_in_time_stays_open(openintent, client, intent):
    run = openintent("ask", intent.id, "Go on?", "--timeout", 0)

    assert run.code == 4
    assert [each.status for each in client.get_arbitrations(intent.id)] == ["pending"]


@pytest.mark.parametrize("schema", ["{", "[]", "@/nowhere.json"])
def test_unreadable_schema_asks_nothing(openintent, client, intent, schema):
    run = openintent("ask", intent.id, "How much?", "--schema", schema)

    assert run.code == 2
    assert client.get_arbitrations(intent.id) == []


def test_permits_of_an_intent_are_listed_and_revoked(openintent, client, intent):
    asked = client.request_permit(intent.id, "deploy", "shop", reason="Fix")
    client.record_decision(intent.id, "approve", arbitration_id=asked.id)
    [permit] = client.get_permits(intent.id)

    [line] = [line for line in openintent("permits", "--intent", intent.id).out.splitlines() if permit.id in line]
    assert all(word in line for word in ("live", "deploy", "shop"))
    assert openintent("permits", "revoke", permit.id, "--reason", "Too late").code == 0
    assert openintent("permits", "revoke", permit.id[:4]).code == 1
    found = openintent("permits", "--intent", intent.id, "--status", "revoked", "--json").json["permits"]
    assert [each["id"] for each in found] == [permit.id]
    assert openintent("permits", "--intent", intent.id, "--status", "live").err.startswith("No permits.")
    assert openintent("permits").code == 2


def test_gates_are_set_listed_and_removed(openintent, client, intent):
    made = openintent("gates", "set", "set_status", "--intent", intent.id, "--when", "status=completed", "--json").json
    assert (made["intent_id"], made["when"]) == (intent.id, {"status": "completed"})

    [line] = [line for line in openintent("gates").out.splitlines() if made["id"] in line]
    assert all(word in line for word in ("set_status", f"intent {intent.id}", "completed"))
    assert openintent("gates", "remove", made["id"][-12:]).code == 0
    assert made["id"] not in [each.id for each in client.list_gates()]


def test_gate_in_two_places_is_a_usage_error(openintent, client, intent):
    before = client.list_gates()

    run = openintent("gates", "set", "set_status", "--intent", intent.id, "--portfolio", intent.id)

    assert run.code == 2
    assert client.list_gates() == before
