"""Past events of the log; following is in tests/sdk/cli/test_terminal.py."""

import json

import pytest

COMMENTS = ("--type", "comment")
"""Of the whole server's log: in it, what other tests have begun ends meanwhile."""


@pytest.fixture
def comments(client, intent):
    for text in ("one", "two", "three"):
        client.log_event(intent.id, "comment", {"text": text})
    return client.get_events(intent.id)


def texts(run):
    return [event["payload"].get("text") for event in map(json.loads, run.out.splitlines())]


def test_the_last_events_of_an_intent(openintent, intent, comments):
    run = openintent("tail", intent.id, "-n", 2)

    assert [line.rstrip().rpartition("  ")[2] for line in run.out.splitlines()] == ["text=two", "text=three"]
    assert texts(openintent("tail", intent.id, "--json", "-n", 2)) == ["two", "three"]


def test_the_last_events_of_the_server_say_which_intent(openintent, intent, comments):
    run = openintent("tail", *COMMENTS, "-n", 1)

    assert intent.id in run.out
    assert run.out.count("\n") == 1


def test_tail_after_a_position(openintent, intent, comments):
    position = comments[-3].position

    assert texts(openintent("tail", *COMMENTS, "--after", position, "--json")) == ["two", "three"]
    assert texts(openintent("tail", intent.id, "--after", position, "--json")) == ["two", "three"]
    assert openintent("tail", *COMMENTS, "--after", comments[-1].position).out == ""
    assert len(texts(openintent("tail", intent.id, "--after", 0, "--json"))) == len(comments)


def test_tail_since_a_time(openintent, intent, comments):
    since = comments[-2].created_at.isoformat()

    assert texts(openintent("tail", intent.id, "--since", since, "--json")) == ["two", "three"]
    assert texts(openintent("tail", intent.id, "--since", "2099-01-01", "--json")) == []
    assert len(texts(openintent("tail", intent.id, "--since", "1h", "--json"))) == len(comments)


def test_type_option_filters_events(openintent, intent, comments):
    run = openintent("tail", intent.id, "--type", "intent_created", "-t", "agent_assigned", "--json")

    assert [json.loads(line)["event_type"] for line in run.out.splitlines()] == ["intent_created", "agent_assigned"]


def test_tail_of_portfolios_and_agents(openintent, client):
    agent, portfolio = "tail-agent", client.create_portfolio("Trip").id
    member = client.create_intent("Member", assign=agent)
    client.add_intent_to_portfolio(portfolio, member.id)

    def types(*of):
        return [json.loads(line)["event_type"] for line in openintent("tail", *of, "--json").out.splitlines()]

    assert types("--portfolio", portfolio[-12:]) == ["portfolio_created", "added_to_portfolio"]
    assert types("--agent", agent) == ["agent_assigned", "added_to_portfolio"]


def test_payload_option_prints_the_full_payload(openintent, client, intent):
    client.log_event(intent.id, "comment", {"deep": {"lease_id": "x"}})

    assert '"lease_id": "x"' in openintent("tail", intent.id, "-n", 1, "--payload").out


def test_topics_and_starts_cannot_be_combined(openintent, intent):
    assert openintent("tail", intent.id, "--agent", "ada").code == 2
    assert openintent("tail", "--since", "1h", "--after", 3).code == 2
    assert openintent("tail", "--since", "yesterday").code == 2
