"""The tree, failures, attachments, delegations, pages and the costs of a server, on the command line."""

from decimal import Decimal

import pytest
from openintent.cli.server_costs import server_summary

pytestmark = [pytest.mark.database("sqlite"), pytest.mark.case("console M21")]

HOSTILE = "\x1b[31m\u202e"


def test_tree_shows_descendants_with_their_status_and_dependencies(openintent, client):
    root = client.create_intent("Trip")
    flights = client.create_child_intent(root.id, "Flights", assign="ada")
    hotel = client.create_child_intent(root.id, f"Hotel {HOSTILE}", depends_on=flights.id)
    room = client.create_child_intent(hotel.id, "Room")
    visa = client.create_intent("Visa")
    room = client.add_dependency(room.id, room.version, visa.id)

    lines = openintent("tree", root.id).out.splitlines()

    assert lines[:4] == [
        f"{root.id}  draft  Trip",
        f"├─ {flights.id}  draft  Flights  ada (worker)",
        rf"└─ {hotel.id}  blocked  Hotel \x1b[31m\u202e  after {flights.id}",
        f"   └─ {room.id}  blocked  Room  after {visa.id}",
    ]
    assert lines[-1] == f"{visa.id}  draft  Visa"
    assert openintent("tree", root.id, "--json").json["root"] == root.id


def test_a_deep_tree_is_shown(openintent, client):
    plan = [{"ref": "0", "title": "Step 0"}, *({"ref": str(n), "title": f"Step {n}", "parent": str(n - 1)} for n in range(1, 30))]
    ids = {}
    for each in plan:
        parent = ids.get(each.get("parent"))
        made = client.create_child_intent(parent, each["title"]) if parent else client.create_intent(each["title"])
        ids[each["ref"]] = made.id

    lines = openintent("tree", ids["0"]).out.splitlines()

    assert lines[29] == f"{'   ' * 28}└─ {ids['29']}  {client.get_intent(ids['29']).status}  Step 29"


def test_failures_of_an_intent_and_of_all(openintent, client, intent):
    client.record_failure(intent.id, "rate_limit", f"Too many {HOSTILE}")
    client.record_failure(intent.id, "walrus_error", agent_id="ada")

    of_intent, of_all = openintent("failures", intent.id), openintent("failures", "-n", 1)

    assert [line.split()[3] for line in of_intent.out.splitlines()[1:]].count("ada") == 2 or "rate_limit" in of_intent.out
    assert r"Too many \x1b[31m\u202e" in of_intent.out
    assert of_intent.out.index("walrus_error") < of_intent.out.index("rate_limit")
    assert "walrus_error" in of_all.out
    assert intent.id in of_all.out
    assert [each["error_type"] for each in openintent("failures", intent.id, "-n", 1, "--json").json["failures"]] == [
        "walrus_error"
    ]
    assert openintent("failures", "--json", "-n", 1).json["events"][0]["payload"]["error_type"] == "walrus_error"
    assert "No failures" in openintent("failures", client.create_intent("Fine").id).err


def test_attachments_are_uploaded_listed_downloaded_and_deleted(openintent, client, intent, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plan.csv").write_bytes(b"a,b\n\x00")

    made = openintent("attachments", "upload", intent.id, "plan.csv", "-d", "The plan", "--json").json

    assert (made["filename"], made["content_type"], made["size"]) == ("plan.csv", "text/csv", 5)
    assert "plan.csv" in openintent("attachments", "list", intent.id).out
    assert openintent("attachments", "download", intent.id, "plan.csv").code == 2, "it exists"
    (tmp_path / "plan.csv").unlink()
    assert openintent("attachments", "download", intent.id, made["id"][-8:]).code == 0
    assert (tmp_path / "plan.csv").read_bytes() == b"a,b\n\x00"
    assert openintent("attachments", "download", intent.id, "plan.csv", "-o", "-").out == "a,b\n\x00"
    assert openintent("attachments", "delete", intent.id, made["id"]).code == 0
    assert client.get_attachments(intent.id) == []


@pytest.mark.parametrize("name", ["../../up.txt", "/etc/passwd", "..\\up.txt", ".bashrc", "-rf", "a\u202egpj.exe", ".."])
def test_a_download_stays_in_the_folder_whatever_the_agent_called_it(openintent, client, intent, tmp_path, monkeypatch, name):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    made = client.add_attachment(intent.id, name, content=b"x")

    ended = openintent("attachments", "download", intent.id, made.id)

    assert ended.code == 0
    assert [each.name for each in tmp_path.iterdir()] == ["here"]
    [file] = (tmp_path / "here").iterdir()
    assert not file.name.startswith((".", "-"))
    assert file.name.isprintable()


def test_a_file_stored_elsewhere_is_not_downloaded(openintent, client, intent):
    made = client.add_attachment(intent.id, "big.bin", storage_url="https://files.example.com/big.bin", size=7)

    ended = openintent("attachments", "download", intent.id, made.id)

    assert ended.code == 1
    assert "https://files.example.com/big.bin" in ended.err


def test_delegations_are_created_listed_and_revoked(openintent, client, intent):
    made = openintent(
        "delegations", "create", "bob", "--intent", intent.id, "--action", "decide", "--expires", "2h", "--json"
    ).json

    [line] = [line for line in openintent("delegations", "--to", "bob").out.splitlines() if made["id"] in line]
    assert "decide" in line
    assert f"intent {intent.id}" in line
    assert openintent("delegations", "revoke", made["id"][-10:]).code == 0
    [found] = [each for each in client.list_delegations(delegate="bob") if each.id == made["id"]]
    assert found.revoked_at


@pytest.mark.parametrize(
    ("option", "page"), [(None, "intents/intent/{}/change/"), ("--arbitration", "governance/arbitration/{}/change/")]
)
def test_open_prints_the_address_of_a_page_that_exists(openintent, client, server, intent, option, page):
    asked = client.request_arbitration(intent.id, "Which airline?")
    id = asked.id if option else intent.id

    address = openintent("open", *([option] if option else []), id, "--print").out.strip()

    assert address == f"{server.url}/admin/{page.format(id)}"


def test_open_asks_the_browser_and_prints_where_there_is_none(openintent, server, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address) or True)

    assert openintent("open").out == ""
    assert openintent("open", "--agent", "team/ada").out == ""

    assert opened == [f"{server.url}/admin/", f"{server.url}/admin/agents/team%2Fada/"]
    monkeypatch.setattr("webbrowser.open", lambda address: False)
    assert openintent("open").out == f"{server.url}/admin/\n"


def test_costs_of_the_whole_server_are_exact(openintent, client, intent):
    before = openintent("costs", "--json").json
    client.record_cost(intent.id, "api_call", "0.000000000001", provider="anthropic", model="opus")
    client.record_cost(intent.id, "walrus", "250", "cents")
    client.record_cost(intent.id, "gpu", "3", "tokens-of-walrus")

    after = openintent("costs", "--json").json

    assert after["count"] == before["count"] + 3
    assert Decimal(str(after["by_type"]["walrus"])) == Decimal("2.5")
    assert Decimal(str(after["by_unit"]["tokens-of-walrus"])) == 3
    assert "gpu" not in after["by_type"], "different units are never added"
    assert "walrus" in openintent("costs").out


def test_the_sums_of_a_server_are_those_of_its_intents(openintent, client):
    """The whole server's sums, of one intent's costs alone, are the summary that the server makes of them."""
    intent = client.create_intent("Counted")
    for kind, amount, unit, more in (
        ("api", "0.1", "USD", {"provider": "p", "model": "m"}),
        ("api", "7", "cents", {}),
        ("t", "5", "tokens", {}),
    ):
        client.record_cost(intent.id, kind, amount, unit, **more)

    class OfOne:
        def list_events(self, *, event_type, after, limit, **_):
            return [each for each in client.get_events(intent.id, event_type=event_type) if each.position > after]

    assert server_summary(OfOne(), None) == client.get_cost_summary(intent.id)


def test_tree_and_since_are_for_their_own(openintent, intent):
    assert openintent("costs", "--tree").code == 2
    assert openintent("costs", intent.id, "--since", "2h").code == 2
