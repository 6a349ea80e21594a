"""A plan has the outcome of single requests in topological order: the same bodies, rows, logs and refusals (rule G-8)."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from graphlib import CycleError, TopologicalSorter
from typing import Any

import orjson
import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from costs.models import LimitSetter
from intents.log_verification import verify
from intents.models import Assignment, Edge, Event, Intent, TopicMembership
from plans.serializers import PlannedIntentIn, usual_values
from portfolios.models import Membership, Portfolio
from tests.conftest import Caller

pytestmark = pytest.mark.full

UNKNOWN = "0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21"
REFS = "abcdef"
EXISTING = ("done", "open", "waiter", "closed")
TIME = re.compile(rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\.\d{6}(Z|\+00:00)")
ID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
LOOSE = {"id", "row", "uid", "position", "sequence"}
"""Columns that differ with the order of creation; the sequence is that of the list."""

reference = st.one_of(st.sampled_from(REFS), st.sampled_from(EXISTING[:3]), st.sampled_from((*EXISTING, UNKNOWN, "g")))
item = st.fixed_dictionaries(
    {"depends_on": st.lists(reference, max_size=3), "parent": st.one_of(st.none(), st.none(), reference)},
    optional={
        "assign": st.one_of(
            st.just("ada"),
            st.lists(st.sampled_from(["ada", "bob", {"agent_id": "ada", "role": "lead"}]), max_size=4),
        ),
        "created_by": st.sampled_from(["carla", "dora"]),
        "constraints": st.sampled_from([{"max_cost": 5}, {"rules": ["x"]}, ["y"], {"budget": {"max_total_cents": 5}}]),
        "state": st.just({"deep": {"list": [1, 2.5, None]}}),
        "confidence": st.integers(0, 100),
        "description": st.sampled_from(["", "Why", None]),
        "role": st.sampled_from(["member", "dependency"]),
        "priority": st.integers(-1, 1),
    },
)


@st.composite
def plans(draw: Callable[..., Any]) -> list[dict[str, Any]]:
    count = draw(st.integers(1, 6))
    refs = draw(st.permutations(REFS[:count]))
    items = [{"ref": ref, "title": ref, **draw(item)} for ref in refs]
    if draw(st.integers(0, 9)) == 0:
        items[-1]["ref"] = items[0]["ref"]
    if draw(st.booleans()):  # Without what most often refuses a plan.
        known = {each["ref"] for each in items} | {*EXISTING[:2]}
        for number, each in enumerate(items):
            earlier = {other["ref"] for other in items[:number]} | {*EXISTING[:2]}
            each["depends_on"] = [name for name in each["depends_on"] if name in earlier]
            each["parent"] = each["parent"] if each["parent"] in earlier & known - {"done"} else None
        items = draw(st.permutations(items))
    return [*items]


@pytest.mark.rule("G-8", "I-1", "I-4", "G-1", "E-2", "E-6", "P-1", "P-4")
@given(items=plans(), with_portfolio=st.booleans())
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_plan_equals_single_requests(api, items, with_portfolio):
    portfolio = {"name": "P", "governance_policy": {"shared_constraints": {"budget": 5}}} if with_portfolio else None
    if not portfolio:
        items = [{name: value for name, value in each.items() if name not in ("role", "priority")} for each in items]
    with rolled_back():
        existing = make_existing(api)
        with rolled_back():
            before = snapshot(existing, {})
            answer = send_plan(api, items, portfolio, existing)
            outcome = answer if isinstance(answer, str) else snapshot(existing, answer)
            if isinstance(answer, str):
                assert snapshot(existing, {}) == before
            assert [*verify()] == []
        expected = send_singly(api, items, portfolio, existing)
        if expected is None:  # A parent that depends on its own descendant: no order of single requests creates that.
            assert not isinstance(answer, str)
        else:
            assert outcome == (expected if isinstance(expected, str) else snapshot(existing, expected))


text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=4)  # Others are no strict JSON.
values = st.one_of(
    text,
    st.none(),
    st.integers(-5, 5),
    st.lists(text, max_size=2),
    st.dictionaries(text, st.integers(-(2**53), 2**53), max_size=2),  # As strict JSON has them.
)
strange = st.fixed_dictionaries(
    {"title": st.one_of(text, st.sampled_from(["Fine", " x", "x\u3000", "a\u200b", "x" * 500, "x" * 501]))},
    optional={
        "ref": st.one_of(text, st.sampled_from([UNKNOWN, "r" * 255, "r" * 256])),
        "description": values,
        "state": values,
        "constraints": st.one_of(values, st.sampled_from([{"max_cost": "5"}, {"maxcost": 5}, {"budget": {}}, {"rules": ["max_cost: 5"]}])),
        "parent": values,
        "depends_on": values,
        "assign": st.one_of(values, st.sampled_from(["system", "user:a", "a b", " a", "sуstem", ["ada", "a\u200bb"], {"agent_id": "ada"}])),
        "role": st.one_of(values, st.sampled_from(["primary", "r" * 65, " x"])),
    },
)  # fmt: skip


@pytest.mark.rule("G-8", "I-7")
@given(data=strange)
@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_usual_intent_has_the_values_of_full_validation(data):
    usual = usual_values(data)

    if usual is not None:
        assert super(PlannedIntentIn, PlannedIntentIn()).run_validation(data) | {"assign": usual["assign"]} == usual
        assert (
            super(PlannedIntentIn, PlannedIntentIn()).run_validation({**data, "assign": data.get("assign", [])})["assign"]
            == usual["assign"]
        )


def test_plain_intent_is_usual():
    assert usual_values({"title": "Do it", "ref": "a", "depends_on": ["b"], "assign": "ada", "constraints": {"rules": ["x"]}})


@contextmanager
def rolled_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def make_existing(api: Caller) -> dict[str, str]:
    """Return the ids of intents: one completed, one open, one that waits for it, one abandoned."""
    made: dict[str, Any] = {}
    for name in EXISTING:
        depends_on = [made["open"]["id"]] if name == "waiter" else []
        made[name] = api.post("/intents", {"title": name, "depends_on": depends_on}).json()
    for name, status in (("done", "completed"), ("closed", "abandoned")):
        assert api.post(f"/intents/{made[name]['id']}/status", {"status": status}, version=1).status_code == 200
    return {name: each["id"] for name, each in made.items()}


def send_plan(api: Caller, items: list[dict[str, Any]], portfolio: Any, existing: dict[str, str]) -> str | dict[str, str]:
    """Return the ids by ref and the portfolio's as `P`, or the code of the refusal."""
    intents = [
        {
            **each,
            "parent": existing.get(each["parent"], each["parent"]),
            "depends_on": [existing.get(name, name) for name in each["depends_on"]],
        }
        for each in items
    ]
    response = api.post("/intents/batch", {"intents": intents, "portfolio": portfolio})
    body = response.json()
    if response.status_code != 201:
        return str(body["code"])
    assert [api.get(f"/intents/{each['id']}").json() for each in body["intents"]] == body["intents"]
    if portfolio:
        assert api.get(f"/portfolios/{body['portfolio']['id']}").json() == body["portfolio"]
    return {**body["refs"], **({"P": body["portfolio"]["id"]} if portfolio else {})}


def send_singly(
    api: Caller, items: list[dict[str, Any]], portfolio: Any, existing: dict[str, str]
) -> str | dict[str, str] | None:
    """Return what `send_plan` does, by single requests; None if no order of them creates the plan."""
    refs = [each["ref"] for each in items]
    used = {name for each in items for name in (each["parent"], *each["depends_on"]) if name}
    if len({*refs}) < len(refs) or used - {*refs, *existing}:
        return "invalid"
    waits = TopologicalSorter[str]({each["ref"]: each["depends_on"] for each in items} | {"waiter": ["open"]})
    needs = TopologicalSorter[str]()
    for each in items:
        needs.add(each["ref"], *[name for name in (each["parent"], *each["depends_on"]) if name])
        if each["parent"]:
            waits.add(each["parent"], each["ref"])
    try:
        waits.prepare()
    except CycleError:
        return "dependency_cycle"
    try:
        order = [ref for ref in needs.static_order() if ref in refs]
    except CycleError:
        return None
    by_ref = {each["ref"]: each for each in items}
    ids = {**existing}
    if portfolio:
        ids["P"] = api.post("/portfolios", portfolio).json()["id"]
    for ref in order:
        each = {name: value for name, value in by_ref[ref].items() if name not in ("ref", "parent", "role", "priority")}
        each |= {"parent_intent_id": by_ref[ref]["parent"] and ids[by_ref[ref]["parent"]]}
        response = api.post("/intents", {**each, "depends_on": [ids[name] for name in each["depends_on"]]})
        if response.status_code != 201:
            return str(response.json()["code"])
        ids[ref] = response.json()["id"]
    for ref in order if portfolio else ():
        member = {name: by_ref[ref][name] for name in ("role", "priority") if name in by_ref[ref]}
        actor = {"actor": by_ref[ref]["created_by"]} if "created_by" in by_ref[ref] else {}
        response = api.post(f"/portfolios/{ids['P']}/intents", {"intent_id": ids[ref], **member, **actor})
        assert response.status_code == 201, response.json()
    return {name: pk for name, pk in ids.items() if name not in existing}


def snapshot(existing: dict[str, str], created: dict[str, str]) -> dict[str, list[Any]]:
    """Return the rows of all tables that a plan writes, with names for ids and without times."""
    found: dict[str, list[Any]] = {}
    names = {pk.encode(): name.encode() for name, pk in {**existing, **created}.items()}
    for model in (Intent, Edge, Assignment, TopicMembership, Portfolio, Membership, LimitSetter):
        rows = model._default_manager.values()
        found[model.__name__] = sorted(anonymous(row, names) for row in rows)
    logs: dict[str, list[bytes]] = {}
    for event in Event.objects.order_by("sequence", "row").values():
        logs.setdefault(str(event["intent_id"]), []).append(anonymous(event, names))
    found["logs"] = sorted(logs.values())
    for log in Event.objects.exclude(intent=None).order_by("intent", "sequence").values_list("intent", "sequence"):
        assert log[1] >= 1
    return found


def anonymous(row: dict[str, Any], names: dict[bytes, bytes]) -> bytes:
    """Return the row as text, with names for ids and without times."""
    kept = {name: value for name, value in row.items() if name not in LOOSE or (name == "sequence" and value)}
    kept |= {"name": str(row["id"])} if "title" in row or "governance_policy" in row else {}
    text = TIME.sub(b"T", orjson.dumps(kept, default=str))
    return ID.sub(lambda found: names.get(found[0], b"?"), text)
