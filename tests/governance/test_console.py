"""The console's pages about governance, and deciding there."""

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client

from access.roles import grant_role
from governance.models import Arbitration, Decision, Delegation
from tests.conftest import fresh, log
from tests.governance.conftest import LATER, database_rows, decide, make_arbitration, make_delegation, make_overdue

ADMIN = "/admin/governance"


@pytest.fixture
def person(db):
    client = Client()
    client.force_login(User.objects.create_superuser("grace"))
    return client


@pytest.fixture
def visitor(db):
    """Return a viewer, who may only read."""
    user = User.objects.create_user("vera")
    grant_role(user, "viewer")
    client = Client()
    client.force_login(user)
    return client


def page(arbitration):
    return f"{ADMIN}/arbitration/{arbitration['id']}/change/"


def send(person, arbitration, **fields):
    with transaction.atomic():  # As tests.conftest.Caller does: what a refusal undoes must end at its own request.
        response = person.post(f"{ADMIN}/arbitration/{arbitration['id']}/decide/", fields, follow=True)
    return response.content.decode()


@pytest.mark.parametrize("model", ["arbitration", "decision", "delegation"])
def test_lists_show_arbitrations_and_delegations(api, ada, person, intent, model):
    make_arbitration(ada, intent)
    decide(api, intent, "go north")
    make_delegation(api, "bob-the-delegate")

    response = person.get(f"{ADMIN}/{model}/", {"state": "all"} if model == "arbitration" else {})

    shown = {"arbitration": "We disagree", "decision": "go north", "delegation": "bob-the-delegate"}
    assert (response.status_code, shown[model] in response.content.decode()) == (200, True)


def test_person_decides_among_the_options(api, ada, person, make_intent):
    intent = make_intent(status="active")
    arbitration = make_arbitration(ada, intent, options=["go <north>", "go south"], blocking=True)
    html = person.get(page(arbitration)).content.decode()
    assert "csrfmiddlewaretoken" in html
    assert 'value="go &lt;north&gt;"' in html

    shown = send(person, arbitration, decision="go south", rationale="warmer")

    assert "Decided: go south." in shown
    assert 'id="oi-decide"' not in shown
    decision = Decision.objects.get()
    assert (decision.decided_by, decision.decision, decision.rationale) == ("user:grace", "go south", "warmer")
    assert fresh(api, intent)["status"] == "active"
    assert ("decision_recorded", "user:grace") in log(api, intent)


def test_person_writes_the_decision_without_options(ada, person, intent):
    arbitration = make_arbitration(ada, intent)

    send(person, arbitration, decision="Ask again", rationale="")

    assert (Decision.objects.get().decision, Decision.objects.get().rationale) == ("Ask again", None)


@pytest.mark.parametrize(
    ("fields", "says"),
    [({}, "Choose an option."), ({"decision": "c"}, "Choose one of the options offered.")],
)
def test_undecidable_arbitration_shows_an_error(ada, person, intent, fields, says):
    arbitration = make_arbitration(ada, intent, options=["a", "b"])
    before = database_rows()

    assert says in send(person, arbitration, **fields)
    assert database_rows() == before


def test_concurrent_decision_shows_who_decided(api, ada, person, intent):
    arbitration = make_arbitration(ada, intent)
    decide(api, intent)
    before = database_rows()

    shown = send(person, arbitration, decision="b")

    assert "dev-user just decided: " in shown
    assert "Your answer was not recorded." in shown
    assert database_rows() == before


def test_overdue_arbitration_has_no_form(ada, person, intent):
    arbitration = make_arbitration(ada, intent, expires_at=LATER)
    make_overdue(Arbitration, arbitration)

    assert 'id="oi-decide"' not in person.get(page(arbitration)).content.decode()


def test_viewer_cannot_decide(ada, visitor, intent):
    arbitration = make_arbitration(ada, intent)
    before = database_rows()

    assert 'id="oi-decide"' not in visitor.get(page(arbitration)).content.decode()
    assert visitor.post(f"{ADMIN}/arbitration/{arbitration['id']}/decide/", {"decision": "a"}).status_code == 403
    assert database_rows() == before


def test_cross_site_form_decides_nothing(ada, intent):
    arbitration = make_arbitration(ada, intent)
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("grace"))
    before = database_rows()

    assert client.post(f"{ADMIN}/arbitration/{arbitration['id']}/decide/", {"decision": "a"}).status_code == 403
    assert database_rows() == before


def test_unknown_arbitration_cannot_be_decided(person):
    nowhere = {"id": "0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21"}
    assert person.post(f"{ADMIN}/arbitration/{nowhere['id']}/decide/", {"decision": "a"}).status_code == 404
    assert person.post(f"{ADMIN}/arbitration/nonsense/decide/", {"decision": "a"}).status_code in (302, 404)
    assert person.get(f"{ADMIN}/arbitration/{nowhere['id']}/decide/").status_code == 404


def test_person_withdraws_and_revokes(api, ada, person, intent):
    open_one, decided = make_arbitration(ada, intent), make_arbitration(ada, intent)
    decide(api, intent, arbitration_id=decided["id"])
    delegation = make_delegation(api, "bob")

    with transaction.atomic():
        chosen = {"action": "withdraw", "confirmed": "yes", "_selected_action": [open_one["id"]]}
        assert person.post(f"{ADMIN}/arbitration/", chosen).status_code == 302
        chosen = {"action": "revoke", "confirmed": "yes", "_selected_action": [delegation["id"]]}
        assert person.post(f"{ADMIN}/delegation/", chosen).status_code == 302

    assert Arbitration.objects.get(pk=open_one["id"]).status == "withdrawn"
    assert Delegation.objects.get().revoked_at is not None
    assert ("arbitration_withdrawn", "user:grace") in log(api, intent)
