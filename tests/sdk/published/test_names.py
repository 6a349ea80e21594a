"""Programs on the published package: each name is served as its row says, and each row of *same* and *alias* has a program (protocol K-11)."""

import ast
import asyncio
import inspect
import json
from uuid import uuid4

import openintent
import pytest
from openintent import BaseAgent, Coordinator, adapters, agents, exceptions, models

from tests.system.concurrent_clients import until

from . import DATA, INVENTORY, names_of, row_of
from .__main__ import main

pytestmark = [pytest.mark.rule("K-11"), pytest.mark.database("sqlite")]

ROWS = DATA["rows"]
SERVED = [row for row in ROWS if row["served"] != "different"]
CLIENTS = {
    "client.OpenIntentClient": openintent.OpenIntentClient,
    "client.AsyncOpenIntentClient": openintent.AsyncOpenIntentClient,
}


@pytest.fixture
def client(server):
    with openintent.OpenIntentClient(server.url, "dev-user-key", f"ada-{uuid4().hex[:8]}") as client:
        yield client


@pytest.mark.parametrize("row", SERVED, ids=lambda row: row["names"][0])
def test_program_of_a_row_runs(server, client, row):
    names = {name: getattr(openintent, name) for name in openintent.__all__} | {
        name: getattr(agents, name) for name in agents.__all__
    }
    names |= {"client": client, "server_url": server.url, "intent": client.create_intent("An intent"), "json": json}
    exec(compile(ast.parse(row["program"]), row["names"][0], "exec"), names | {"asyncio": asyncio, "until": until})


def methods(served):
    """Return the methods of both clients that are served so, with the parameters of each version."""
    for version, names in INVENTORY.items():
        for name, parameters in names.items():
            owner, _, method = name.rpartition(".")
            if owner in CLIENTS and row_of(name).get("served") == served and parameters is not None:
                yield pytest.param(getattr(CLIENTS[owner], method), parameters, id=f"{version}-{name}")


LATER = {"create_intent": ["governance_policy"]}
"""Parameters of 0.17 that are not there."""


@pytest.mark.parametrize(("method", "parameters"), [*methods("same")])
def test_parameters_of_the_same_method_have_their_names_and_positions(method, parameters):
    ours = [name for name, each in inspect.signature(method).parameters.items() if each.kind == each.POSITIONAL_OR_KEYWORD]
    expected = [each for each in parameters if each not in LATER.get(method.__name__, ())]
    assert ours[1 : len(expected) + 1] == expected


@pytest.mark.parametrize(("method", "parameters"), [*methods("alias")])
def test_parameters_of_an_alias_are_keywords(method, parameters):
    assert set(parameters) - {"offset"} <= set(inspect.signature(method).parameters)


OTHERS = [
    pytest.param(name.rpartition(".")[2], parameters, row_of(name).get("note", ""), id=f"{version}-{name}")
    for version, names in INVENTORY.items()
    for name, parameters in names.items()
    if name.startswith(("adapters.", "agents.", "exceptions.", "models.")) and row_of(name).get("served") in ("same", "alias")
    if parameters and not name.rpartition(".")[2].startswith("on_")
]
"""Classes and methods that are served, other than those of clients, and enums with their members."""


@pytest.mark.parametrize(("name", "parameters", "note"), OTHERS)
def test_parameters_of_other_names_are_taken_or_named_in_the_note(name, parameters, note):
    owners = (adapters, agents, exceptions, models, models.Intent, models.IntentState, BaseAgent, Coordinator)
    found = next(getattr(owner, name) for owner in owners if hasattr(owner, name))
    taken = set(getattr(found, "__members__", None) or inspect.signature(found).parameters)
    missing = [each for each in parameters if not each.startswith("*") and each not in taken and f"`{each}`" not in note]
    assert missing == []


def test_every_row_and_every_name_counts():
    assert [row["names"] for row in ROWS if not names_of(row)] == []
    assert [row["names"] for row in SERVED if not row.get("program")] == []
    assert [row["names"] for row in ROWS if row["served"] not in ("same", "alias", "different")] == []
    assert [row["names"] for row in ROWS if row["served"] != "same" and not row.get("note")] == []


def test_names_of_earlier_rfcs_are_in_no_area():
    """Only what 0.17 has added since is left out by an area, and what is no part of an SDK."""
    left_out = {name for name in INVENTORY["0.5.1"] if "served" not in row_of(name)}
    assert {name.split(".")[0] for name in left_out} == {"workflow", "demo_agents"}


def test_page_is_what_the_command_writes():
    assert main(["--check"]) is None
