"""List, create and change intents."""

import pytest

from tests.sdk.cli.conftest import run_at

pytestmark = pytest.mark.database("sqlite")


def ids(run):
    return [each["id"] for each in run.json["intents"]]


def test_list_shows_the_main_columns(openintent, client, intent):
    run = openintent("intents", "--agent", "ada")

    assert run.code == 0
    [line] = [line for line in run.out.splitlines() if intent.id in line]
    assert line.split()[:4] == [intent.id, "draft", "Book", "flights"]
    assert "ada" in line


def test_json_list_equals_the_apis(openintent, client, server):
    intent = client.create_intent("Only this one has zebras", constraints={"max_cost": 5})

    [found] = openintent("intents", "--text", "zebras", "--json").json["intents"]

    assert intent.from_json(found) == intent
    assert found["created_at"].endswith("Z")
    assert "effective_constraints" not in found


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--status", "blocked"),
        ("--agent", "narrow-agent"),
        ("--created-by", "narrow"),
        ("--parent", "parent"),
        ("--text", "narrowed"),
        ("--text", "ONE narr"),
    ],
)
def test_filters_narrow_lists_of_all_and_of_a_portfolio(openintent, server, client, option, value):
    parent, first = client.create_intent("Parent"), client.create_intent("First")
    narrow = openintent(
        "create", "A narrowed one", "--parent", parent.id, "--depends-on", first.id,
        "--assign", "narrow-agent", "-q", agent="narrow",
    ).out.strip()  # fmt: skip
    portfolio = client.create_portfolio("Both").id
    for each in (parent.id, narrow):
        client.add_intent_to_portfolio(portfolio, each)

    given = {"parent": parent.id}.get(value, value)
    everywhere = ids(openintent("intents", option, given, "--json"))
    inside = ids(openintent("intents", "--portfolio", portfolio, option, given, "--json"))

    assert narrow in everywhere
    assert parent.id not in everywhere
    assert inside == [narrow]


def test_open_excludes_closed_intents(openintent, client):
    done, todo = (client.create_intent("One of the hippos") for _ in range(2))
    client.set_status(done.id, 1, "completed")

    assert ids(openintent("intents", "--open", "--text", "hippos", "--json")) == [todo.id]


def test_limit_hints_at_more_results(openintent, client):
    for _ in range(3):
        client.create_intent("Many gnus")

    run = openintent("intents", "--text", "gnus", "-n", 2)

    assert run.out.count("Many gnus") == 2
    assert "For more" in run.err
    assert "For more" not in openintent("intents", "--text", "gnus", "-n", 3).err


def test_an_empty_list_says_what_to_do_next(script, openintent):
    script.respond({"intents": [], "next": None})

    assert "openintent create" in run_at(script.url, "intents").err
    assert openintent("intents", "--text", "no such text anywhere").err == "No intents match.\n"
    assert openintent("intents", "--text", "no such text anywhere", "--json").json == {"intents": []}


def test_intent_is_created_with_all_options(openintent, client):
    first = client.create_intent("First")

    made = openintent(
        "create", "Book", "-d", "At length", "--assign", "ada", "--assign", "bob", "--depends-on", first.id,
        "--state", "progress=0.5", "--state", "note=half done", "--constraint", "max_cost=50", "--confidence", 80, "--json",
    ).json  # fmt: skip

    kept = client.get_intent(made["id"])
    assert (kept.title, kept.description, kept.created_by, kept.confidence) == ("Book", "At length", "boss", 80)
    assert kept.state == {"progress": 0.5, "note": "half done"}
    assert kept.constraints == {"max_cost": 50}
    assert ([each.agent_id for each in kept.agents], kept.depends_on) == (["ada", "bob"], [first.id])


def test_quiet_create_prints_only_the_id(openintent, client):
    run = openintent("create", "Book", "-q")

    assert client.get_intent(run.out.strip()).title == "Book"
    assert run.err == ""


def test_status_is_set_with_its_reason(openintent, client, intent):
    run = openintent("status", intent.id, "active", "--reason", "All is here")

    assert (run.code, client.get_intent(intent.id).status) == (0, "active")
    assert "active" in run.out
    assert client.get_events(intent.id)[-1].payload["reason"] == "All is here"
    assert openintent("complete", intent.id).code == 0
    assert client.get_intent(intent.id).status == "completed"


def test_completion_gate_names_what_is_open(openintent, client, intent):
    child = client.create_child_intent(intent.id, "Find dates")

    run = openintent("complete", intent.id)

    assert run.code == 1
    assert child.id in run.err
    assert client.get_intent(intent.id).status == "draft"


def test_a_status_is_set_although_the_state_changes_meanwhile(script):
    def intent(version, status="active"):
        at = "2027-01-01T00:00:00Z"
        return {
            "id": "0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21", "title": "Busy", "status": status, "version": version,
            "created_by": "ada", "created_at": at, "updated_at": at,
        }  # fmt: skip

    late = {"code": "version_conflict", "message": "late", "current_version": 2}
    script.respond(intent(1), (409, late, {}), intent(2), intent(3, "completed"))

    assert run_at(script.url, "complete", intent(1)["id"]).code == 0
    assert [seen.headers.get("If-Match") for seen in script.seen] == [None, '"1"', None, '"2"']


def test_status_changed_by_another_writer_is_kept(script):
    at = "2027-01-01T00:00:00Z"
    known = {"id": "0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21", "title": "Busy", "created_by": "a", "created_at": at, "updated_at": at}
    late = {"code": "version_conflict", "message": "Intent is at version 2.", "current_version": 2}
    script.respond(known | {"status": "active", "version": 1}, (409, late, {}), known | {"status": "blocked", "version": 2})

    run = run_at(script.url, "complete", known["id"])

    assert (run.code, len(script.seen)) == (1, 3)
    assert "Check the current version" in run.err


def test_the_state_is_patched(openintent, client, intent):
    openintent("patch", intent.id, "progress=0.5", "/legs/-=CDG")
    openintent("patch", intent.id, "--remove", "progress")

    assert client.get_intent(intent.id).state == {"legs": ["CDG"]}
    assert openintent("patch", intent.id).code == 2


def test_agents_are_assigned_and_unassigned(openintent, client, intent):
    openintent("assign", intent.id, "bob", "--role", "lead")
    openintent("assign", intent.id, "ada", "--remove")

    assert [(each.agent_id, each.role) for each in client.get_agents(intent.id)] == [("bob", "lead")]


def test_a_comment_goes_into_the_log(openintent, client, intent):
    assert "Well done" in openintent("comment", intent.id, "Well done").out
    assert client.get_events(intent.id)[-1].payload == {"message": "Well done"}
