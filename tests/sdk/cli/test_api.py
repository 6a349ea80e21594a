"""Any operation from the command line: `openintent api`."""

import json
from uuid import uuid4

import pytest
from openintent.cli.api import parse_fields
from openintent.cli.api_paths import complete_path
from typer import BadParameter

from tests.sdk.cli.conftest import run_at

pytestmark = [pytest.mark.database("sqlite"), pytest.mark.case("console M21")]


def test_get_prints_what_the_api_answers(openintent, client, intent):
    by_path = [openintent("api", path).json for path in (f"intents/{intent.id}", f"/api/v1/intents/{intent.id}")]

    assert [each["title"] for each in by_path] == ["Book flights", "Book flights"]
    assert openintent("api", "/readyz").json["status"] == "ok"


def test_fields_are_the_query_of_a_get(openintent, client):
    made = client.create_intent("Of walruses")

    found = openintent("api", "intents", "-X", "GET", "-f", "q=walruses", "-F", "limit=1").json

    assert [each["id"] for each in found["intents"]] == [made.id]


def test_fields_are_the_body_of_a_post(openintent, client):
    made = openintent(
        "api", "intents", "-f", "title=42", "-F", "confidence=7", "-F", "state[legs][]=CDG", "-F", "assign[]=bob"
    ).json

    found = client.get_intent(made["id"])
    assert (found.title, found.confidence, found.state, found.agents[0].agent_id) == ("42", 7, {"legs": ["CDG"]}, "bob")


def test_input_is_the_body(openintent, client, intent, tmp_path):
    body = json.dumps({"patches": [{"op": "set", "path": "/legs", "value": ["CDG"]}]})
    (tmp_path / "body.json").write_text(body)

    given = ("api", f"intents/{intent.id}/state", "-H", f'If-Match: "{intent.version}"', "--input")
    first, second = openintent(*given, tmp_path / "body.json"), openintent(*given, "-", input=body)

    assert (first.code, first.json["state"]) == (0, {"legs": ["CDG"]})
    assert (second.code, second.json["code"]) == (1, "version_conflict")
    assert "[version_conflict]" in second.err


def test_paginate_prints_one_list(openintent, client):
    word = f"otters{uuid4().hex[:8]}"  # The server has intents of other tests.
    made = [client.create_intent(f"Of {word} {number}").id for number in range(3)]

    one = openintent("api", "intents", "-X", "GET", "-f", f"q={word}", "-F", "limit=1").json
    all_pages = openintent("api", "intents", "-X", "GET", "-f", f"q={word}", "-F", "limit=1", "--paginate").json

    assert len(one["intents"]) == 1
    assert ({each["id"] for each in all_pages["intents"]}, all_pages["next"]) == (set(made), None)


def test_include_prints_status_and_headers(openintent, intent):
    head, _, body = openintent("api", f"intents/{intent.id}", "-i").out.partition("\n\n")

    assert head.startswith("HTTP/1.1 200")
    assert "\netag: " in head.lower()
    assert json.loads(body)["id"] == intent.id


def test_bytes_are_printed_as_they_are(openintent, client, intent):
    made = client.add_attachment(intent.id, "a.bin", content=b"\x00\x1b\n")

    assert openintent("api", made.url).out.encode() == b"\x00\x1b\n"


def test_a_delete_prints_nothing(openintent, client, intent):
    made = client.add_attachment(intent.id, "a.bin", content=b"a")

    ended = openintent("api", f"intents/{intent.id}/attachments/{made.id}", "-X", "DELETE")

    assert (ended.code, ended.out, client.get_attachments(intent.id)) == (0, "", [])


def test_amounts_keep_all_their_digits(openintent, client, intent):
    client.record_cost(intent.id, "api_call", "12345678901.123456789012")

    assert "12345678901.123456789012" in openintent("api", f"intents/{intent.id}/costs").out


def test_control_characters_are_escaped(openintent, client):
    intent = client.create_intent("\x1b[31m \x9b \u202e")

    ended = openintent("api", f"intents/{intent.id}")

    assert not set("\x1b\x9b\u202e") & set(ended.out)
    assert ended.json["title"] == "\x1b[31m \x9b \u202e"


@pytest.mark.parametrize("path", ["http://example.com/api/v1/intents", "//example.com/intents", "intents/../../../x"])
def test_the_key_is_sent_to_its_server_only(script, path):
    script.respond({}, {})

    run_at(script.url, "api", path)

    assert [each.headers["X-Api-Key"] for each in script.seen] in ([], ["dev-user-key"])


def test_a_post_has_an_idempotency_key_unless_it_is_given(script):
    script.respond({}, {})

    run_at(script.url, "api", "intents", "-f", "title=a")
    run_at(script.url, "api", "intents", "-f", "title=a", "-H", "idempotency-key: mine")

    assert len(script.seen[0].headers["Idempotency-Key"]) == 36
    assert script.seen[1].headers["Idempotency-Key"] == "mine"


@pytest.mark.parametrize(("status", "code"), [(404, 1), (500, 3), (429, 3), (302, 3)])
def test_an_error_prints_its_body_and_has_its_code(script, status, code):
    problem = {"code": "some_code", "detail": "Because"} if status < 500 and status != 302 else {"oh": "no"}
    script.respond((status, problem, {}))

    ended = run_at(script.url, "api", "intents")

    assert (ended.code, ended.json) == (code, problem)
    assert "Traceback" not in ended.err


def test_unreachable_server_has_its_code():
    assert run_at("http://127.0.0.1:1", "api", "intents").code == 3


@pytest.mark.parametrize(
    "arguments", [("-f", "nothing"), ("-f", "[a]=1"), ("-f", "a=1", "-f", "a[b]=1"), ("-H", "nothing"), ("--input", "absent"),
                  ("-X", "POST", "--paginate"), ("-F", "a=@absent")],
)  # fmt: skip
def test_wrong_usage_sends_nothing(script, arguments):
    ended = run_at(script.url, "api", "intents", *arguments)

    assert (ended.code, script.seen) == (2, [])


def test_nested_fields():
    typed = ["a[b][]=1", "a[b][]=2", "a[c]=true", "d={\"e\": null}", "f=text", "g[][h]=1"]  # fmt: skip

    assert parse_fields(["x=1"], typed) == {
        "x": "1", "a": {"b": [1, 2], "c": True}, "d": {"e": None}, "f": "text", "g": [{"h": 1}],
    }  # fmt: skip
    with pytest.raises(BadParameter):
        parse_fields(["a[=1"], [])


@pytest.mark.parametrize(
    ("written", "offered"),
    [
        ("int", ["intents"]),
        ("intents/x/lea", ["intents/x/lease-queue", "intents/x/leases"]),
        ("intents/x/leases/y/", ["intents/x/leases/y/revoke"]),
        ("intents/", ["intents/batch"]),
        ("nothing/", []),
    ],
)
def test_paths_are_completed_up_to_the_next_id(written, offered):
    assert complete_path(written) == offered


@pytest.mark.parametrize(
    ("path", "near"),
    [("intentz", "intents"), ("intents/0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21/lease", "intents/{intent_id}/leases")],
)
def test_a_path_that_is_none_is_answered_with_the_nearest(openintent, path, near):
    run = openintent("api", path)

    assert run.code == 1
    assert f"The nearest path is {near}." in run.err


@pytest.mark.parametrize("command", ["intents", "ping"])
def test_a_server_at_another_path_is_pointed_out(server, command):
    assert "Is the path of --url or OPENINTENT_URL right?" in run_at(f"{server.url}/x", command).err
