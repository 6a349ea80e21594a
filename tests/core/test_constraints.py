"""Violated constraints are the refusals of the check that failed to prevent them, on both databases."""

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction

from core.constraints import refusal_of
from core.registration import protocol_apps
from governance.services import decisions
from intents.models import Intent
from leasing import services as leasing
from leasing.models import Lease
from retries.serializers import SetRetryPolicy
from tests.conftest import log
from tests.governance.conftest import decide, make_arbitration
from tests.leasing.conftest import acquire

pytestmark = pytest.mark.database("sqlite", "postgresql")


@pytest.fixture
def intent(make_intent):
    return make_intent()


def test_every_named_constraint_exists():
    models = apps.get_models()
    existing = {constraint.name for model in models for constraint in model._meta.constraints}
    existing |= {
        f"{each.model._meta.db_table}_{each.column}_key" for model in models for each in model._meta.fields if each.unique
    }

    assert {name for config in protocol_apps() for name in config.refusals} <= existing


def test_second_active_lease_on_a_scope_is_a_lease_conflict(api, agent, intent, monkeypatch):
    acquire(agent("ada"), intent, scope="flights")
    before = log(api, intent)
    monkeypatch.setattr(leasing, "overlap", lambda *levels: False)

    # The stored response makes PostgreSQL write before the test's transaction ends, as the commit of a verb does.
    response = agent("bob").post(f"/intents/{intent['id']}/leases", {"scope": "flights"}, idempotency_key="k1")

    assert (response.status_code, response.json()["code"]) == (409, "lease_conflict")
    assert "one_active_lease_per_scope" in response.json()["detail"]
    assert (Lease.objects.count(), log(api, intent)) == (1, before)


def test_second_decision_of_an_arbitration_is_refused_as_resolved(api, intent, monkeypatch):
    arbitration = make_arbitration(api, intent)
    decide(api, intent, arbitration_id=arbitration["id"])
    monkeypatch.setattr(decisions, "require_pending", lambda *given: None)

    response = decide(api, intent, arbitration_id=arbitration["id"])

    assert (response.status_code, response.json()["code"]) == (409, "arbitration_resolved")


def test_invalid_value_that_only_the_database_refuses_is_invalid(api, intent, monkeypatch):
    monkeypatch.setattr(SetRetryPolicy, "validate", lambda self, attrs: attrs)

    response = api.send("PUT", f"/intents/{intent['id']}/retry-policy", {"base_delay_seconds": 9, "max_delay_seconds": 1})

    assert (response.status_code, response.json()["code"]) == (400, "invalid")
    assert response.json()["errors"][0]["message"].endswith("retry_cap_is_not_below_base.")


def test_constraint_that_no_request_should_reach_stays_an_internal_error(intent):
    row = Intent.objects.get(pk=intent["id"])
    row.version = 0

    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        row.save()

    assert refusal_of(caught.value) is None
