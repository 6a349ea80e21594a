"""Arbitrations, leases, portfolios and costs on the command line."""

import json
import threading

import pytest


@pytest.fixture
def asked(client, intent):
    return client.request_arbitration(
        intent.id,
        "Which airline?",
        options=[{"label": "north", "rationale": "Cheaper"}, "south"],
        context={"budget": 5},
        blocking=True,
    )


def test_pending_arbitrations_are_listed(openintent, intent, asked):
    run = openintent("arbitrate", "--intent", intent.id)

    assert asked.id in run.out
    assert "north, south" in run.out
    assert asked.id in [each["id"] for each in openintent("arbitrate", "-n", 1000, "--json").json["arbitrations"]]
    assert openintent("arbitrate", "--intent", intent.id, "--status", "withdrawn", "--json").json == {"arbitrations": []}


def test_empty_arbitrations_hint_at_ask(openintent, intent):
    run = openintent("arbitrate", "--intent", intent.id)

    assert (run.code, run.out) == (0, "")
    assert "openintent arbitrate ask" in run.err


@pytest.mark.parametrize("of", ["question", "intent", "end of the question", "end of the intent"])
def test_arbitration_is_decided(openintent, client, intent, asked, of):
    id = {"question": asked.id, "intent": intent.id, "end of the question": asked.id[-12:], "end of the intent": intent.id[-12:]}[
        of
    ]

    run = openintent("decide", id, "north", "--rationale", "It is cheaper")

    assert (run.code, run.out) == (0, "Decided: north, by boss – It is cheaper\n")
    [decision] = client.get_decisions(intent.id)
    assert (decision.arbitration_id, decision.decision, decision.rationale) == (asked.id, "north", "It is cheaper")


def test_unknown_option_is_rejected_with_the_valid_ones(openintent, client, intent, asked):
    run = openintent("decide", asked.id, "east")

    assert run.code == 1
    assert "north, south" in run.err
    assert client.get_decisions(intent.id) == []


def test_decide_without_choice_or_terminal_is_a_usage_error(openintent, client, intent, asked):
    run = openintent("decide", asked.id)

    assert run.code == 2
    assert "north, south" in run.err
    assert client.get_decisions(intent.id) == []


def test_arbitration_is_decided_once(openintent, asked):
    openintent("decide", asked.id, "north")

    run = openintent("decide", asked.id, "south")

    assert run.code == 1
    assert "north" in run.err
    assert "openintent arbitrate" in run.err


def test_requester_cannot_decide(openintent, client, asked):
    key = client.create_key("arbiter", role="arbiter", agent_id="judge").key
    own = openintent("arbitrate", "ask", asked.intent_id, "And now?", "--json", key=key, agent=None).json

    run = openintent("decide", own["id"], "yes", key=key, agent=None)

    assert run.code == 1
    assert "Another person or arbiter" in run.err


def test_arbitration_is_requested_shown_and_withdrawn(openintent, client, intent):
    made = openintent(
        "arbitrate", "ask", intent.id, "Which way?", "-o", "left=Shorter", "-o", "right", "--context", "km=12", "--blocking",
        "--expires", "2h", "--json",
    ).json  # fmt: skip

    asked = client.get_arbitration(made["id"])
    assert [(each.label, each.rationale) for each in asked.options] == [("left", "Shorter"), ("right", None)]
    assert (asked.context, asked.blocking, asked.expires_at is None) == ({"km": 12}, True, False)
    shown = openintent("arbitrate", "show", asked.id).out
    assert all(text in shown for text in ("Which way?", "left", "Shorter", '"km": 12', "1 h 59 min"))
    assert openintent("arbitrate", "withdraw", asked.id, "--reason", "Found it").code == 0
    assert client.get_arbitration(asked.id).status == "withdrawn"


def test_ask_with_wait_prints_the_decision(openintent, client, intent):
    def decide():
        with client.stream(intent_id=intent.id, after=0, event_types="arbitration_requested") as stream:
            next(stream)
        client.record_decision(intent.id, "left", "Shorter")

    thread = threading.Thread(target=decide)
    thread.start()
    run = openintent("arbitrate", "ask", intent.id, "Which way?", "--wait", 30)
    thread.join()

    assert (run.code, run.out) == (0, "Decided: left, by ada – Shorter\n")


def test_ask_timeout_has_its_own_exit_code(openintent, intent):
    assert openintent("arbitrate", "ask", intent.id, "Which way?", "--wait", 0).code == 4


def test_leases_are_listed_with_the_time_that_is_left(openintent, client, intent):
    lease = client.acquire_lease(intent.id, "content.draft", 300)

    run = openintent("leases", "--intent", intent.id)

    assert lease.id in run.out
    assert "content.draft" in run.out
    assert "4 min 5" in run.out
    assert [each["id"] for each in openintent("leases", "--agent", "ada", "--json").json["leases"]][-1:] != []
    assert openintent("leases", "--intent", intent.id, "--agent", "bob", "--json").json == {"leases": []}


def test_lease_is_revoked(openintent, client, intent):
    lease = client.acquire_lease(intent.id, "content")

    run = openintent("leases", "revoke", lease.id[-10:], "--reason", "It hangs")

    assert run.code == 0
    assert "ada" in run.out
    assert client.get_leases(intent.id) == []
    assert client.get_events(intent.id)[-1].payload["reason"] == "It hangs"
    assert openintent("leases", "revoke", lease.id).code == 1


def test_portfolios_are_created_filled_and_shown_with_progress(openintent, client, intent):
    portfolio = openintent("portfolio", "create", "Paris Trip", "-d", "All of it", "--require-all", "--json").json["id"]
    done = client.create_intent("Book hotel")
    client.set_status(done.id, 1, "completed")

    openintent("portfolio", "add", portfolio, done.id, "--role", "primary", "--priority", 9)
    openintent("portfolio", "add", portfolio[-12:], intent.id)

    assert [(each.title, each.role, each.priority) for each in client.get_portfolio_intents(portfolio)] == [
        ("Book hotel", "primary", 9), ("Book flights", "member", 0),
    ]  # fmt: skip
    [line] = [line for line in openintent("portfolio", "-n", 1000).out.splitlines() if portfolio in line]
    assert "50%" in line
    shown = openintent("portfolio", "show", portfolio).out
    assert all(
        text in shown for text in ("Paris Trip", "All of it", "50% of 2", "Book hotel", "primary", "require_all_completed")
    )


def test_costs_are_split_and_measured_against_the_budget(openintent, client):
    intent = client.create_intent("Dear", constraints={"max_cost": 10})
    child = client.create_child_intent(intent.id, "Part")
    client.record_cost(intent.id, "api_call", "2.5", provider="openai", model="gpt-4")
    client.record_cost(intent.id, "tokens", 1500, "tokens")
    client.record_cost(child.id, "api_call", "2.5", provider="anthropic")

    own, tree = openintent("costs", intent.id).out, openintent("costs", intent.id, "--tree").out

    assert all(text in own for text in ("2.5 USD", "25% of 10 USD", "openai", "gpt-4", "1500 tokens"))
    assert all(text in tree for text in ("5 USD", "50% of 10 USD", "anthropic"))
    assert openintent("costs", intent.id, "--tree", "--json").json["total"] == 5


def test_a_portfolio_has_the_costs_of_its_members(openintent, client):
    portfolio = client.create_portfolio("Trip", governance_policy={"shared_constraints": {"budget": 8}}).id
    for amount in ("1.5", "0.5"):
        intent = client.create_intent("Part")
        client.add_intent_to_portfolio(portfolio, intent.id)
        client.record_cost(intent.id, "api_call", amount)

    assert "25% of 8 USD" in openintent("costs", "--portfolio", portfolio).out
    assert openintent("costs", "--portfolio", portfolio, "--json").json["by_type"] == {"api_call": 2}


def test_costs_of_nothing_and_of_two_topics(openintent, intent):
    assert "No costs yet" in openintent("costs", intent.id).err
    assert openintent("costs", intent.id, "--portfolio", intent.id).code == 2
    assert json.loads(openintent("costs", intent.id, "--json").out)["count"] == 0
