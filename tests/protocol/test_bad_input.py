"""Requests that cannot work: each gets the right status and code, says what is wrong, and changes nothing."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import psycopg
import pytest
import requests
from django.apps import apps

from tests.conftest import API
from tests.protocol.bad_requests import ONCE, OPERATOR, TABLE, Bad
from tests.servers import Server


@pytest.fixture(scope="module")
def world(server: Server) -> dict[str, str]:
    """Objects of the table's rows, by name; shared, since no row changes them."""

    def make(path: str, **fields: Any) -> Any:
        answer = requests.post(server.api + path, json={"title": "a", **fields}, headers=OPERATOR, timeout=10)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def key(name: str, **fields: Any) -> str:
        answer = requests.post(server.api + "/keys", json={"name": name, **fields}, headers=OPERATOR, timeout=10)
        return str(answer.json()["key"])

    intent = make("/intents", state={"a": 1, "list": [1], "text": "x"})["id"]
    done = make("/intents")["id"]
    requests.post(
        f"{server.api}/intents/{done}/status", json={"status": "completed"}, headers={**OPERATOR, "If-Match": "1"}, timeout=10
    )
    requests.post(server.api + "/intents", json={"title": "a"}, headers={**OPERATOR, "Idempotency-Key": ONCE}, timeout=10)
    return {
        "<intent>": intent,
        "<child>": make(f"/intents/{intent}/children")["id"],
        "<waiting>": make("/intents", depends_on=[intent])["id"],
        "<done>": done,
        "<observer>": key("observer", role="observer"),
        "<agent>": key("agent", role="agent"),
        "<ada>": key("bound", role="agent", agent_id="bound-ada"),
    }


@pytest.fixture(scope="module")
def database(server: Server) -> Iterator[Any]:
    """A connection of our own to the server's database."""
    url = server.database_url
    is_file = url.startswith("sqlite")
    connection: Any = sqlite3.connect(url.removeprefix("sqlite:///")) if is_file else psycopg.connect(url, autocommit=True)
    with closing(connection):
        yield connection


def everything(database: Any) -> dict[str, Any]:
    """Each table's number of rows, and each intent as far as a write would change it."""
    tables = [model._meta.db_table for model in apps.get_models() if model._meta.managed]
    counted = {table: database.execute(f"SELECT count(*) FROM {table}").fetchone() for table in tables}
    intents = database.execute("SELECT id, version, last_sequence, updated_at FROM intents_intent ORDER BY id")
    return {**counted, "intents": intents.fetchall()}


def send(server: Server, row: Bad, world: dict[str, str]) -> tuple[HTTPResponse, bytes]:
    """The row's request, byte for byte: a client library would mend some of them."""
    body = row.body if isinstance(row.body, bytes) else b"" if row.body is None else named(json.dumps(row.body), world).encode()
    headers = {"If-Match": row.version, "X-API-Key": named(row.key, world), "Content-Type": row.content_type, **row.headers}
    sent = {name: value.encode() if isinstance(value, str) else value for name, value in headers.items() if value is not None}
    with closing(HTTPConnection(server.url.removeprefix("http://"), timeout=30)) as connection:
        connection.request(row.method, API + named(row.path, world), body, sent)
        response = connection.getresponse()
        return response, response.read()


def named(text: str, world: dict[str, str]) -> str:
    for name, value in world.items():
        text = text.replace(name, value)
    return text


@pytest.mark.rule("I-7")
@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE.keys())
def test_a_bad_request_is_refused_and_changes_nothing(server, database, world, row):
    before = everything(database)

    response, content = send(server, row, world)

    problem = json.loads(content)
    assert (response.status, problem["code"]) == (row.status, row.code), problem
    assert response.headers["Content-Type"] == "application/problem+json"
    assert problem["type"] == f"/problems/{row.code}"
    assert (problem["status"], problem["message"]) == (row.status, problem["detail"])
    assert problem["title"]
    assert problem["request_id"] == response.headers["X-Request-ID"]
    assert named(row.says, world) in problem["detail"]
    if row.code == "invalid":
        assert all(set(error) == {"field", "message", "code"} and error["message"] for error in problem["errors"])
        assert row.about in {error["field"] for error in problem["errors"]}, problem
    else:
        assert "errors" not in problem
    if row.status == 405:
        assert row.method not in response.headers["Allow"]
    assert everything(database) == before
