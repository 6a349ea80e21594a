"""Details of one intent on the command line."""

import pytest


@pytest.fixture
def busy(client):
    """An intent that has one of everything."""
    dates, child = client.create_intent("Find dates"), None
    intent = client.create_intent(
        "Book flights",
        "First line\nsecond line",
        state={"legs": [1]},
        constraints={"max_cost": 50},
        depends_on=dates.id,
        assign="ada",
    )
    child = client.create_child_intent(intent.id, "Ask the boss")
    client.acquire_lease(intent.id, "content.draft")
    asked = client.request_arbitration(intent.id, "Which airline?", options=["a", "b"], blocking=True)
    client.record_cost(intent.id, "api_call", "0.35")
    client.log_event(intent.id, "comment", {"message": "Hello"})
    return intent, dates, child, asked


def test_show_prints_every_section(openintent, busy):
    intent, dates, child, asked = busy

    shown = openintent("show", intent.id).out

    for text in (
        "Book flights", intent.id, "blocked", "ada (worker)", "second line", '"max_cost": 50', "Find dates", "Ask the boss",
        "content.draft", "Which airline?", f"openintent decide {asked.id}", "0.35 USD", "message=Hello",
    ):  # fmt: skip
        assert text in shown, text
    [status] = [line for line in shown.splitlines() if line.startswith("status")]
    assert status.split() == ["status", "blocked,", "waiting", "for", f"{dates.id},", f"{child.id},", asked.id]


def test_json_output_is_one_document(openintent, busy):
    intent, dates, child, asked = busy

    document = openintent("show", intent.id, "--events", 2, "--json").json

    assert document["intent"]["id"] == intent.id
    assert document["waiting_for"] == [dates.id, child.id, asked.id]
    assert [each["id"] for each in document["children"]] == [child.id]
    assert [each["scope"] for each in document["leases"]] == ["content.draft"]
    assert [each["event_type"] for each in document["events"]] == ["cost_recorded", "comment"]
    assert document["costs"]["total"] == 0.35


def test_amounts_keep_all_their_digits(openintent, client, intent):
    client.record_cost(intent.id, "api_call", "12345678901.123456789012")

    assert '"total": 12345678901.123456789012,' in openintent("costs", intent.id, "--json").out


@pytest.mark.parametrize("part", [slice(0, 35), slice(-12, None), slice(-30, None)])
def test_the_beginning_or_the_end_of_an_id_is_enough(openintent, intent, part):
    assert openintent("show", intent.id[part].upper(), "--json").json["intent"]["id"] == intent.id


def test_ambiguous_id_is_rejected(openintent, client):
    pair = [client.create_intent("Twin") for _ in range(2)]

    run = openintent("show", pair[0].id[:5])

    assert run.code == 1
    assert "is ambiguous" in run.err


@pytest.mark.parametrize("text", ["abc", "not an id", "zzzzzzzz", "\x1b[31m"])
def test_invalid_id_is_a_usage_error(openintent, text):
    run = openintent("show", text)

    assert run.code == 2
    assert "\x1b" not in run.err


def test_unknown_id_is_not_found(openintent):
    for unknown in ("0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21", "ffffffffffff"):
        run = openintent("show", unknown)

        assert (run.code, run.out) == (1, "")
        assert "openintent intents" in run.err


def test_brief_prints_lines_with_their_events(openintent, client, intent):
    client.log_event(intent.id, "comment", {"text": "half done"})

    printed = openintent("brief", intent.id[-8:])

    assert (printed.code, printed.out.splitlines()[0]) == (0, "goal: Book flights: To Paris [#1]")
    assert "half done" not in openintent("brief", intent.id, "--since", client.brief(intent.id).sequence).out
    assert openintent("brief", intent.id, "--json").json["text"] == str(client.brief(intent.id)) == printed.out.rstrip("\n")
