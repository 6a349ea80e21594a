"""Delegations, and decisions under them (rules A-4, A-7)."""

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from access.identity import Actor
from access.models import ApiKey, Role
from access.roles import grant_role
from access.services import create_key, revoke_key
from governance import services
from governance.models import Delegation
from intents.models import Event
from portfolios.models import Membership, Portfolio
from tests.conftest import Caller, log
from tests.governance.conftest import LATER, database_rows, decide, make_arbitration, make_delegation, make_overdue


@pytest.fixture
def portfolio(db):
    now = timezone.now()
    return Portfolio.objects.create(name="Trip", created_by="ada", created_at=now, updated_at=now)


def put_in(portfolio, intent):
    Membership.objects.create(
        portfolio=portfolio, intent_id=intent["id"], added_by="ada", principal="ada", by_role="operator", added_at=timezone.now()
    )


def test_delegation_is_a_row_and_an_event_on_each_named_intent(api, judy, make_intent):
    one, other = make_intent(), make_intent()
    scope = {"intents": [one["id"], other["id"], one["id"]], "actions": ["decide"]}

    delegation = make_delegation(judy, "bob", scope=scope, constraints={"max_cost": 5}, expires_at=LATER)

    assert {**delegation, "id": "", "created_at": ""} == {
        "id": "",
        "delegator": "judy",
        "delegate": "bob",
        "scope": {"intents": [one["id"], other["id"]], "portfolios": [], "actions": ["decide"]},
        "constraints": {"max_cost": 5},
        "expires_at": "2999-01-01T00:00:00.000000Z",
        "revoked_at": None,
        "created_at": "",
    }
    for intent in (one, other):
        assert log(api, intent)[-1] == ("delegation_granted", "judy")
    [event] = api.get(f"/intents/{one['id']}/events", event_type="delegation_granted").json()["events"]
    told = ("delegator", "delegate", "scope", "constraints", "expires_at")
    assert event["payload"] == {"delegation_id": delegation["id"], **{name: delegation[name] for name in told}}


def test_delegation_without_intents_is_in_the_log_of_the_server(api, judy, portfolio):
    make_delegation(judy, "bob")
    make_delegation(judy, "bob", scope={"portfolios": [str(portfolio.pk)]})

    events = Event.objects.filter(event_type="delegation_granted").order_by("row")
    assert [(each.intent_id, each.portfolio_id) for each in events] == [(None, None), (None, portfolio.pk)]


def test_delegations_are_listed_by_delegate_and_delegator(api, judy):
    first, second = make_delegation(judy, "bob"), make_delegation(api, "ada")

    def ids(**query):
        return [each["id"] for each in api.get("/delegations", **query).json()["delegations"]]

    assert ids() == [first["id"], second["id"]]
    assert ids(delegate="ada") == [second["id"]]
    assert ids(delegator="judy") == [first["id"]]


# --- what it covers ------------------------------------------------------------------------------------------------


@pytest.mark.rule("A-4")
@pytest.mark.parametrize("actions", [[], ["decide"], ["comment", "decide"]])
def test_delegate_decides_within_the_scope(judy, ada, bob, intent, actions):
    make_delegation(judy, "bob", scope={"intents": [intent["id"]], "actions": actions})
    make_arbitration(ada, intent)

    assert decide(bob, intent).json()["decided_by"] == "bob"
    assert decide(bob, intent, "standing alone", decision_type="review").status_code == 201


@pytest.mark.rule("A-4")
def test_delegation_without_intents_and_portfolios_covers_everything(judy, bob, intent):
    make_delegation(judy, "bob")

    assert decide(bob, intent).status_code == 201


@pytest.mark.rule("A-4")
def test_delegation_over_a_portfolio_covers_only_its_members(judy, bob, make_intent, portfolio):
    member, stranger = make_intent(), make_intent()
    put_in(portfolio, member)
    make_delegation(judy, "bob", scope={"portfolios": [str(portfolio.pk)]})

    assert decide(bob, member).status_code == 201
    assert decide(bob, stranger).json()["code"] == "forbidden"


@pytest.mark.rule("A-4")
@pytest.mark.parametrize("lacks", ["intent", "action", "delegate"])
def test_decision_outside_the_scope_is_refused(judy, ada, bob, make_intent, lacks):
    intent, other = make_intent(), make_intent()
    scope = {"intents": [(other if lacks == "intent" else intent)["id"]], "actions": ["pay" if lacks == "action" else "decide"]}
    make_delegation(judy, "eve" if lacks == "delegate" else "bob", scope=scope)
    make_arbitration(ada, intent)
    before = database_rows()

    refused = decide(bob, intent)

    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert database_rows() == before


@pytest.mark.rule("A-4")
def test_delegate_does_not_decide_its_own_request(judy, bob, intent):
    make_delegation(judy, "bob")
    make_arbitration(bob, intent)
    before = database_rows()

    refused = decide(bob, intent)

    assert (refused.status_code, refused.json()["code"]) == (403, "self_decision")
    assert database_rows() == before


@pytest.mark.rule("A-4")
@pytest.mark.case("security H5")
def test_agent_id_of_a_delegate_under_an_unbound_key_gives_no_right(judy, ada, agent, intent):
    make_delegation(judy, "bob")
    make_arbitration(ada, intent)
    before = database_rows()

    refused = decide(agent("bob"), intent)

    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert database_rows() == before


@pytest.mark.rule("A-4")
@pytest.mark.case("coordination O1")
@pytest.mark.parametrize("adder", ["the delegate", "the requester", "an arbiter", "an agent with the delegator's name"])
def test_members_added_by_others_give_a_delegate_no_right(api, judy, ada, bob, agent, arbiter, make_intent, adder):
    portfolio = api.post("/portfolios", {"name": "Trip"}).json()
    intent = make_intent()
    make_delegation(judy, "bob", scope={"portfolios": [portfolio["id"]], "actions": ["decide"]})
    make_arbitration(ada, intent)
    adding = {
        "the delegate": bob, "the requester": ada, "an arbiter": arbiter("ruth"), "an agent with the delegator's name": agent("judy"),
    }[adder]  # fmt: skip
    assert adding.post(f"/portfolios/{portfolio['id']}/intents", {"intent_id": intent["id"]}).status_code == 201
    before = database_rows()

    refused = decide(bob, intent)

    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert database_rows() == before


@pytest.mark.rule("A-4")
@pytest.mark.parametrize("adder", ["the delegator", "an operator"])
def test_members_added_by_delegator_or_operator_are_covered(api, judy, ada, bob, make_intent, adder):
    portfolio = api.post("/portfolios", {"name": "Trip"}).json()
    intent = make_intent()
    make_delegation(judy, "bob", scope={"portfolios": [portfolio["id"]]})
    make_arbitration(ada, intent)
    adding = {"the delegator": judy, "an operator": api}[adder]
    adding.post(f"/portfolios/{portfolio['id']}/intents", {"intent_id": intent["id"]})

    assert decide(bob, intent).status_code == 201


# --- its end -------------------------------------------------------------------------------------------------------


@pytest.mark.rule("A-7")
def test_revocation_ends_the_delegation_at_once(api, judy, bob, intent):
    delegation = make_delegation(judy, "bob", scope={"intents": [intent["id"]]})
    assert decide(bob, intent).status_code == 201

    for _ in range(2):
        assert judy.delete(f"/delegations/{delegation['id']}").status_code == 204

    assert decide(bob, intent).json()["code"] == "forbidden"
    assert [kind for kind, _ in log(api, intent)].count("delegation_revoked") == 1
    assert log(api, intent)[-1] == ("delegation_revoked", "judy")
    assert api.get("/delegations").json()["delegations"][0]["revoked_at"] is not None


@pytest.mark.rule("A-7")
def test_expiry_ends_the_delegation_at_once(judy, bob, intent):
    delegation = make_delegation(judy, "bob", expires_at=LATER)
    assert decide(bob, intent).status_code == 201

    make_overdue(Delegation, delegation)

    assert decide(bob, intent).json()["code"] == "forbidden"


LOSSES = {
    "key revoked": lambda key: revoke_key(key_id=key.pk, revoked_by="test"),
    "key expired": lambda key: ApiKey.objects.filter(pk=key.pk).update(expires_at=key.created_at),
    "key demoted": lambda key: ApiKey.objects.filter(pk=key.pk).update(role="agent"),
    "key gone": lambda key: ApiKey.objects.filter(pk=key.pk).delete(),
}


@pytest.mark.rule("A-4")
@pytest.mark.parametrize("loss", LOSSES)
def test_delegation_ends_with_the_right_of_its_key(bob, intent, loss):
    key, secret = create_key(name="court", role=Role.ARBITER, created_by="test")
    make_delegation(Caller(secret, "judy"), "bob")
    assert decide(bob, intent).status_code == 201

    LOSSES[loss](key)

    before = database_rows()
    assert decide(bob, intent).json()["code"] == "forbidden"
    assert database_rows() == before


@pytest.mark.rule("A-4")
@pytest.mark.parametrize("loss", ["deactivated", "demoted", "deleted"])
def test_delegation_ends_with_the_right_of_its_person(bob, intent, loss):
    ines = User.objects.create_user("ines")
    grant_role(ines, "arbiter")
    services.create_delegation(actor=Actor("user:ines", role=Role.ARBITER), delegate="bob")
    assert decide(bob, intent).status_code == 201

    match loss:
        case "deactivated":
            User.objects.filter(pk=ines.pk).update(is_active=False)
        case "demoted":
            grant_role(ines, "viewer")
        case "deleted":
            ines.delete()

    before = database_rows()
    assert decide(bob, intent).json()["code"] == "forbidden"
    assert database_rows() == before


def test_only_the_delegator_and_operators_revoke(api, judy, arbiter, agent, intent):
    delegation = make_delegation(judy, "bob")
    before = database_rows()

    for stranger in (arbiter("ruth"), arbiter("judy"), agent("bob"), agent("judy")):
        refused = stranger.delete(f"/delegations/{delegation['id']}")
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")

    assert database_rows() == before
    assert api.delete(f"/delegations/{delegation['id']}").status_code == 204


def test_agent_cannot_delegate(ada):
    before = database_rows()

    refused = ada.post("/delegations", {"delegate": "bob"})

    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert database_rows() == before
