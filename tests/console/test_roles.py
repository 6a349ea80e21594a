"""Roles in the console: viewers look, arbiters decide and revoke, operators do everything."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, User

from access.models import ApiKey, Role
from access.roles import grant_role, role_of
from access.services import create_key
from console.live_admin import LiveAdmin
from leasing.models import Lease
from notices.models import Channel
from tests.conftest import log
from tests.console.users import request_decision_by

FOR_OPERATORS = {Channel, User}
OURS = {model: registered for model, registered in admin.site._registry.items() if isinstance(registered, LiveAdmin)}
ACTIONS = [
    (f"{model._meta.app_label}/{model._meta.model_name}", name, getattr(type(registered), name).role)
    for model, registered in OURS.items()
    for name in registered.actions or ()
]


@pytest.fixture
def lease(api, agent, make_intent):
    intent = make_intent(title="Book flights")
    return agent("ada").post(f"/intents/{intent['id']}/leases", {"scope": "flights"}).json()


@pytest.mark.parametrize(
    ("group", "role"), [("viewer", Role.OBSERVER), ("arbiter", Role.ARBITER), ("operator", Role.OPERATOR), (None, None)]
)
def test_a_group_is_a_role(person, group, role):
    assert role_of(person(group).user) == role


def test_superusers_are_operators_and_who_has_left_is_nothing(db):
    user = User.objects.create_superuser("root")
    assert role_of(user) == Role.OPERATOR

    user.is_active = False
    assert role_of(user) is None


def test_a_new_role_takes_the_place_of_the_old_one_and_of_no_other_group(person):
    user = person("operator").user
    user.groups.add(Group.objects.create(name="night shift"))

    grant_role(user, "viewer")

    assert sorted(user.groups.values_list("name", flat=True)) == ["night shift", "viewer"]
    assert role_of(User.objects.get(pk=user.pk)) == Role.OBSERVER


@pytest.mark.parametrize("model", [each for each in OURS if each not in FOR_OPERATORS], ids=lambda model: model._meta.label_lower)
def test_a_viewer_sees_every_list_and_who_has_no_role_none(person, model):
    path = f"{model._meta.app_label}/{model._meta.model_name}/"

    assert person("viewer", "vera").get(path).status_code == 200
    nobody = person(None, "nora")
    User.objects.filter(pk=nobody.user.pk).update(is_staff=True)
    assert nobody.get(path).status_code == 403


def test_every_table_that_people_may_ask_about_is_in_the_console():
    on_other_pages = {"Assignment", "AuditEntry", "Blob", "Edge", "CostTotal", "Membership", "RetryPolicy", "Vote"}
    inside = {
        "IdempotentResponse",
        "LeaseWaiter",
        "LimitSetter",
        "Console",
        "TopicMembership",
        "OutboxCursor",
        "BudgetAlert",
        "SignInLink",
        "Attempts",
        "SavedView",
        "Permission",
        "Group",
        *on_other_pages,
    }
    ours = {model for each in OURS for model in apps.get_app_config(each._meta.app_label).get_models()}

    assert {model.__name__ for model in ours - OURS.keys()} <= inside


@pytest.mark.parametrize(("model", "name", "least"), ACTIONS)
def test_an_action_is_refused_to_whoever_may_not_and_is_not_offered(person, lease, model, name, least):
    create_key(name="of an agent", role=Role.AGENT, created_by="test")
    lower = "viewer" if least == Role.ARBITER else "arbiter"
    vera = person(lower)
    before = _rows()

    assert f'value="{name}"' not in vera.get(f"{model}/").content.decode()
    refused = vera.post(f"{model}/", {"action": name, "index": 0, "_selected_action": [lease["id"]], "confirmed": "yes"})

    assert refused.status_code == 403
    assert _rows() == before


def test_actions_need_their_csrf_token(person, lease):
    grace = person("operator", enforce_csrf_checks=True)

    assert grace.post("leasing/lease/", {"action": "revoke", "_selected_action": [lease["id"]]}).status_code == 403
    assert Lease.objects.get().status == "active"


@pytest.mark.rule("L-5")
def test_an_arbiter_is_asked_first_and_revokes_a_lease_with_a_reason(api, person, lease):
    grace = person("arbiter")
    chosen = {"action": "revoke", "index": 0, "_selected_action": [lease["id"]]}

    question = grace.post("leasing/lease/", chosen).content.decode()
    assert "its next write with the fencing token is rejected" in question
    assert Lease.objects.get().status == "active"
    told = grace.act("leasing/lease", "revoke", lease["id"], reason="Held for too long").content.decode()

    assert "Revoked: flights held by ada." in told
    assert Lease.objects.get().status == "revoked"
    event = api.get(f"/intents/{lease['intent_id']}/events").json()["events"][-1]
    assert (event["event_type"], event["actor"], event["payload"]["reason"]) == (
        "lease_revoked",
        "user:grace",
        "Held for too long",
    )


def test_an_object_s_page_has_the_buttons_that_the_person_may_press(person, lease):
    page = f"leasing/lease/{lease['id']}/change/"

    assert 'class="oi-button">Revoke<' in person("arbiter", "judy").get(page).content.decode()
    assert "oi-verbs" not in person("viewer", "vera").get(page).content.decode()


@pytest.mark.rule("A-4")
def test_an_arbiter_does_not_decide_what_he_asked_for_himself(api, person, make_intent):
    intent = make_intent()
    asked = request_decision_by("grace", intent, "May I?")
    page = f"governance/arbitration/{asked.pk}"

    person("arbiter").post(f"{page}/decide/", {"decision": "Yes"})
    assert api.get(f"/arbitrations/{asked.pk}").json()["status"] == "pending"
    person("operator", "olga").post(f"{page}/decide/", {"decision": "Yes"})

    assert ("decision_recorded", "user:olga") in log(api, intent)


def test_keys_are_made_by_operators_alone(person):
    fields = {"name": "new", "role": "agent"}

    assert person("arbiter", "judy").post("access/apikey/add/", fields).status_code == 403
    olga = person("operator", "olga")
    assert 'name="role"' in olga.get("access/apikey/add/").content.decode()
    assert olga.post("access/apikey/add/", fields).status_code == 200
    assert ApiKey.objects.get().created_by == "user:olga"


def test_a_refusal_is_a_page_for_people(person, lease):
    refused = person("viewer").post("leasing/lease/", {"action": "revoke", "_selected_action": [lease["id"]]})

    assert refused.status_code == 403
    assert "Nothing was changed." in refused.text
    assert refused.headers["Content-Type"].startswith("text/html")


def _rows():
    return [[*model.objects.order_by("pk").values()] for model in OURS]
