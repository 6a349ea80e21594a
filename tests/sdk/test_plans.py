"""`create_intents`: a plan in one request (rule G-8)."""

import asyncio

import pytest
from openintent import AsyncOpenIntentClient, InputValidationError, IntentSpec, OpenIntentClient, ValidationError

pytestmark = [pytest.mark.rule("G-8"), pytest.mark.database("sqlite")]

PLAN = [
    {"ref": "test", "title": "Test it", "depends_on": ["build"], "assign": ["qa", {"agent_id": "ops", "role": "lead"}]},
    {"ref": "build", "title": "Build it", "state": {"phase": 1}, "role": "primary", "priority": 3, "parent": None},
]


@pytest.fixture
def client(server):
    with OpenIntentClient(server.url, "dev-user-key", "ada") as client:
        yield client


def test_plan_has_intents_refs_and_portfolio(client):
    plan = client.create_intents(PLAN, portfolio={"name": "Launch", "description": None})

    assert [each.title for each in plan.intents] == ["Test it", "Build it"]
    assert plan.refs == {"test": plan.intents[0].id, "build": plan.intents[1].id}
    assert plan["test"].depends_on == [plan["build"].id]
    assert [(each.agent_id, each.role) for each in plan["test"].agents] == [("qa", "worker"), ("ops", "lead")]
    assert [(each.title, each.role, each.priority) for each in plan.portfolio.intents] == [
        ("Build it", "primary", 3),
        ("Test it", "member", 0),
    ]
    assert client.get_portfolio(plan.portfolio.id) == plan.portfolio


def test_specs_are_accepted_with_their_titles_as_refs(client):
    specs = [IntentSpec("Build it", assign="dev"), IntentSpec("Test it", depends_on=["Build it"], state={"a": 1})]

    plan = client.create_intents(specs)

    assert plan["Test it"].depends_on == [plan["Build it"].id]
    assert plan.portfolio is None


def test_retry_policy_of_a_spec_is_refused_instead_of_ignored(client):
    with pytest.raises(InputValidationError, match="retry_policy"):
        client.create_intents([IntentSpec("Build it", retry_policy={"max_attempts": 3})])


def test_existing_intents_are_parents_and_dependencies_by_id(client):
    root, done = client.create_intent("Root"), client.create_intent("Done")

    plan = client.create_intents([{"title": "Part", "parent": root.id, "depends_on": [done.id]}])

    assert (plan.intents[0].parent_intent_id, plan.intents[0].depends_on) == (root.id, [done.id])


def test_refused_plan_names_the_ref(client):
    with pytest.raises(ValidationError, match="no intent of the plan has the ref 'b'"):
        client.create_intents([{"ref": "a", "title": "A", "depends_on": ["b"]}])


def test_same_idempotency_key_returns_the_same_plan(client):
    first, second = (client.create_intents(PLAN, portfolio={"name": "Once"}, idempotency_key="plan-once") for _ in range(2))

    assert first == second


def test_asynchronous_client_creates_plans(server):
    async def create():
        async with AsyncOpenIntentClient(server.url, "dev-user-key", "ada") as client:
            return await client.create_intents(PLAN, portfolio={"name": "Launch"})

    assert asyncio.run(create())["build"].state == {"phase": 1}
