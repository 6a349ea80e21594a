"""A key and the one that it is rotated into are one principal (protocol §1.1)."""

import pytest

from access.key_lookup import clear_verified_keys
from access.models import ApiKey, Role
from access.services import create_key, rotate_key
from core.db import database_now
from tests.conftest import Caller


@pytest.fixture
def made(db):
    """`made(role)`: a caller with a key of that role, who acts as ada."""
    return lambda role: Caller(create_key(name="ci", role=role, created_by="test")[1], "ada")


def rotated() -> Caller:
    """End the newest key, and return a caller with the one that it became."""
    newest = ApiKey.objects.filter(name="ci").order_by("-created_at").first()
    _, secret = rotate_key(key_id=newest.pk, created_by="test", ends_at=database_now())
    clear_verified_keys()  # As the commit does, which a test's transaction never comes to.
    return Caller(secret, "ada")


def test_new_key_manages_what_the_old_one_made(made, make_intent):
    intent = make_intent()
    before = made(Role.AGENT)
    subscription = before.post(
        "/subscriptions", {"intent_id": intent["id"], "callback_url": "https://hooks.example.com/T0ken"}
    ).json()
    lease = before.post(f"/intents/{intent['id']}/leases", {"scope": "draft"}).json()
    rotated()
    after = rotated()  # Twice: rights pass on along the whole line.

    assert before.get("/intents").status_code == 401
    assert after.get(f"/subscriptions/{subscription['id']}").json()["callback_url"] == "https://hooks.example.com/T0ken"
    assert after.patch(f"/subscriptions/{subscription['id']}", {"event_types": ["comment"]}).status_code == 200
    assert after.patch(f"/intents/{intent['id']}/leases/{lease['id']}", {"duration_seconds": 60}).status_code == 200


@pytest.mark.rule("A-4", "A-7")
def test_delegation_passes_on_to_the_new_key_and_ends_with_it(made, api, make_intent):
    arbiter = made(Role.ARBITER)
    arbiter.post("/delegations", {"delegate": "lead", "scope": {"actions": ["decide"]}})
    lead = Caller(create_key(name="lead", role=Role.AGENT, created_by="test", agent_id="lead")[1], None)
    rotated()

    def decide():
        intent = make_intent()
        question = api.post(f"/intents/{intent['id']}/arbitrate", {"reason": "Go on?"}).json()
        return lead.post(f"/intents/{intent['id']}/decisions", {"decision": "yes", "arbitration_id": question["id"]}).status_code

    assert decide() == 201
    api.delete(f"/keys/{ApiKey.objects.filter(name='ci').order_by('-created_at').first().pk}")
    clear_verified_keys()
    assert decide() == 403


def test_key_of_the_same_name_is_a_different_principal(made, make_intent):
    intent = make_intent()
    before = made(Role.AGENT)
    subscription = before.post("/subscriptions", {"intent_id": intent["id"]}).json()

    assert made(Role.AGENT).patch(f"/subscriptions/{subscription['id']}", {"event_types": ["comment"]}).status_code == 403
