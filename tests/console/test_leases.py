"""Leases, decisions and delegations in the console."""

import re
from datetime import timedelta
from uuid import UUID

import pytest

from core.db import database_now
from governance.services import create_delegation
from leasing.models import Lease
from tests.conftest import log
from tests.console.users import user_actor

LEASES = "leasing/lease/"


@pytest.fixture
def take(agent, make_intent):
    """`take("flights", 60)`: a lease of ada's on an intent of its own."""

    def taken(scope, seconds=300, *, by="ada", intent=None):
        intent = intent or make_intent(title=f"Book {scope}")
        response = agent(by).post(f"/intents/{intent['id']}/leases", {"scope": scope, "duration_seconds": seconds})
        assert response.status_code in (200, 201), response.json()
        return response.json()

    return taken


def let_run_out(lease):
    Lease.objects.filter(pk=lease["id"]).update(
        acquired_at=database_now() - timedelta(minutes=9), expires_at=database_now() - timedelta(minutes=4)
    )


def scopes(response):
    return re.findall(r'oi-row-title"[^>]*><code>([^<]*)<', response.text)


def text(response):
    return " ".join(re.sub(r"<[^>]*>", " ", response.text).split())


def test_leases_are_listed_by_expiry_and_ended_ones_have_a_tab(agent, person, take):
    take("hours", 7200)
    take("soon", 120)
    released, expired = take("released"), take("expired")
    agent("ada").delete(f"/intents/{released['intent_id']}/leases/{released['id']}")
    let_run_out(expired)
    grace = person("viewer")

    assert scopes(grace.get(LEASES)) == ["soon", "hours"]
    assert scopes(grace.get(LEASES, {"state": "soon"})) == ["soon"]
    assert scopes(grace.get(LEASES, {"state": "ended"})) == ["expired", "released"]
    assert scopes(grace.get(LEASES, {"state": "all", "q": "exp"})) == ["expired"]


def test_a_lease_shows_the_agents_that_wait_for_it(agent, person, take):
    lease = take("content")
    for waiting in ("bob", "cleo"):
        response = agent(waiting).post(f"/intents/{lease['intent_id']}/lease-queue", {"scope": "content.draft"})
        assert response.json()["existing_lease"]["id"] == lease["id"]

    grace = person("viewer")

    assert "Waiting for it bob, cleo" in text(grace.get(f"{LEASES}{lease['id']}/change/"))
    agent("ada").delete(f"/intents/{lease['intent_id']}/leases/{lease['id']}")
    assert "Waiting for it" not in text(grace.get(f"{LEASES}{lease['id']}/change/"))


def test_an_empty_list_says_how_to_take_one(person, db):
    assert "with client.lease(" in person("viewer").get(LEASES).text


def test_row_shows_expiry_without_a_script_and_last_activity(agent, person, take):
    lease = take("flights")
    Lease.objects.filter(pk=lease["id"]).update(acquired_at=database_now() - timedelta(hours=2))
    agent("ada").post(f"/intents/{lease['intent_id']}/events", {"event_type": "comment", "payload": {"message": "booking"}})

    shown = text(person("viewer").get(LEASES))

    ends = Lease.objects.get().expires_at
    day = "" if ends.date() == database_now().date() else f"{ends:%-d %b} "
    assert f"until {day}{ends:%H:%M:%S} UTC" in shown
    assert re.search(r"acquired 2h ago via agent-research, dev mode · holder last active \ds ago", shown)


@pytest.mark.rule("L-5")
def test_several_are_revoked_with_one_reason(api, person, take):
    first, second = take("flights"), take("hotels", by="bob")

    told = person("arbiter").act("leasing/lease", "revoke", first["id"], second["id"], reason="Freeze").text

    assert "Revoked: " in told
    assert {each.status for each in Lease.objects.all()} == {"revoked"}
    for lease in (first, second):
        assert log(api, {"id": lease["intent_id"]})[-1] == ("lease_revoked", "user:grace")


def test_revoking_what_has_ended_is_told_and_writes_nothing(api, person, take):
    revoked, expired = take("flights"), take("hotels")
    person("arbiter", "ines").act("leasing/lease", "revoke", revoked["id"])
    let_run_out(expired)
    grace = person("arbiter")
    grace.get(LEASES)  # Whoever reads it first has it marked (rule E-8).
    before = api.get("/events", limit=1000).json()["events"]

    told = grace.act("leasing/lease", "revoke", revoked["id"], expired["id"]).text

    assert "flights held by ada: already revoked by ines. Nothing was changed." in told
    assert "hotels held by ada: already expired. Nothing was changed." in told
    assert "Revoked:" not in told
    assert api.get("/events", limit=1000).json()["events"] == before


def test_a_lease_s_page_tells_its_history(api, agent, person, take, make_intent):
    intent = make_intent(title="Book flights")
    take("flights", by="bob", intent=intent)
    agent("bob").delete(f"/intents/{intent['id']}/leases/{Lease.objects.get().pk}")
    lease = take("flights", intent=intent)
    agent("ada").post(f"/intents/{intent['id']}/events", {"event_type": "comment", "payload": {"message": "Seat 12A"}})
    for _ in range(2):
        agent("ada").patch(f"/intents/{intent['id']}/leases/{lease['id']}", {"duration_seconds": 900})
    grace = person("arbiter")
    page = f"leasing/lease/{lease['id']}/change/"
    assert 'class="oi-button">Revoke<' in grace.get(page).text

    grace.act("leasing/lease", "revoke", lease["id"], reason="Ada hangs")
    shown = text(grace.get(page))

    assert re.search(r"grace person revoked this lease \ds ago : Ada hangs", shown)
    assert "Renewed 2 times" in shown
    assert "comment Seat 12A" in shown
    assert re.search(r"Other leases on flights bob released \ds ago", shown)
    assert 'class="oi-button">Revoke<' not in grace.get(page).text


def test_delegations_show_their_scope_and_are_revoked_by_their_delegator(api, person, make_intent):
    intent = make_intent(title="Launch <b>")
    granted = create_delegation(actor=user_actor("grace"), delegate="lead", intents=[UUID(intent["id"])], actions=["decide"])
    made = {"id": str(granted.pk)}
    api.post(f"/intents/{intent['id']}/decisions", {"decision": "go north", "decided_by": "lead"})
    grace, ines = person("arbiter"), person("arbiter", "ines")
    page = f"governance/delegation/{made['id']}/change/"

    assert "lead may decide on Launch &lt;b&gt; granted by grace" in text(grace.get("governance/delegation/"))
    assert "go north" in grace.get(page).text
    assert 'class="oi-button">Revoke<' in grace.get(page).text
    assert 'class="oi-button">Revoke<' not in ines.get(page).text
    assert "Only user:grace or an operator" in ines.act("governance/delegation", "revoke", made["id"]).text
    assert "Revoked: " in grace.act("governance/delegation", "revoke", made["id"]).text
    assert "lead may decide" not in text(grace.get("governance/delegation/"))
    assert "Revoked" in text(grace.get("governance/delegation/", {"state": "ended"}))


def test_a_decision_leads_to_its_question(api, agent, person, make_intent):
    intent = make_intent()
    asked = agent("ada").post(f"/intents/{intent['id']}/arbitrate", {"reason": "Which way?"}).json()
    evidence = [{"source": "map", "summary": "page 3"}]
    made = api.post(
        f"/intents/{intent['id']}/decisions", {"decision": "north", "rationale": "warmer", "evidence": evidence}
    ).json()
    grace = person("viewer")

    for page in ("governance/decision/", f"governance/decision/{made['id']}/change/"):
        assert f"/admin/governance/arbitration/{asked['id']}/change/" in grace.get(page).text
        assert "warmer" in grace.get(page).text
    assert "page 3" in grace.get(f"governance/decision/{made['id']}/change/").text


def test_the_pages_cost_the_same_queries_whatever_there_is(api, agent, person, take, make_intent):
    def more(count):
        intent = make_intent(title="Large")
        lease = take("scope", intent=intent)
        api.post("/delegations", {"delegate": "lead", "scope": {"intents": [intent["id"]]}})
        for number in range(count):
            take(f"other{number}")
            agent("ada").patch(f"/intents/{intent['id']}/leases/{lease['id']}", {"duration_seconds": 900 + number})
        return f"leasing/lease/{lease['id']}/change/"

    grace = person("operator")
    small = more(1)
    lists = [LEASES, f"{LEASES}?state=all", "governance/delegation/"]
    before = [grace.queries(each) for each in [small, *lists]]
    large = more(10)

    assert [grace.queries(each) for each in [large, *lists]] == before
    assert 4 < min(before) <= max(before) <= 12
