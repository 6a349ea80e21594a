"""Rights to change the governance policy (rule P-5)."""

import pytest

from tests.conftest import Caller, set_status
from tests.portfolios.conftest import add, close, database_rows, get_portfolio, portfolio_events, remove

pytestmark = pytest.mark.rule("P-5")

ALL = {"require_all_completed": True}
BUDGET = {"shared_constraints": {"budget": 5}}


@pytest.fixture
def key(api):
    """`key("arbiter")`: a caller with a key of its own."""
    return lambda role="agent": Caller(api.post("/keys", {"name": f"a {role}", "role": role}).json()["key"])


def change(caller, portfolio, policy, **fields):
    return caller.patch(f"/portfolios/{portfolio['id']}", {"governance_policy": policy, **fields})


@pytest.mark.case("coordination O2", "security L8")
@pytest.mark.parametrize("policy", [{}, BUDGET, {**ALL, "allow_partial_completion": True}])
def test_other_key_cannot_change_the_policy_under_any_agent_id(key, make_intent, make_portfolio, policy):
    portfolio, stranger = make_portfolio(make_intent(), **ALL), key()
    stranger.headers["X-Agent-ID"] = portfolio["created_by"]
    before = database_rows()

    refused = change(stranger, portfolio, policy, name="Rome")

    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert close(stranger, portfolio).json()["code"] == "completion_gate"
    assert database_rows() == before


@pytest.mark.parametrize("role", ["arbiter", "operator"])
def test_arbiters_and_operators_change_the_policy(key, role):
    portfolio = key().post("/portfolios", {"name": "Paris", "governance_policy": ALL}).json()

    assert change(key(role), portfolio, {}).json()["governance_policy"] == {}


def test_creator_changes_the_policy_under_any_agent_id(key):
    maker = key()
    maker.headers["X-Agent-ID"] = "ada"
    portfolio = maker.post("/portfolios", {"name": "Paris", "governance_policy": ALL}).json()
    maker.headers["X-Agent-ID"] = "bob"

    assert change(maker, portfolio, {}).json()["governance_policy"] == {}


def test_non_creators_change_details_and_resend_the_policy_unchanged(key, make_portfolio):
    portfolio = make_portfolio(**ALL)

    answer = change(key(), portfolio, portfolio["governance_policy"], name="Rome", metadata={"year": 2030})

    assert (answer.status_code, answer.json()["name"], answer.json()["metadata"]) == (200, "Rome", {"year": 2030})


@pytest.mark.parametrize(
    ("rule", "hint"),
    [
        ("require_all_complete", "did you mean require_all_completed?"),
        ("auto_complete_treshold", "did you mean auto_complete_threshold?"),
        ("shared_constraint", "did you mean shared_constraints?"),
        (
            "quota",
            "known: allow_partial_completion, auto_complete_threshold, questions, require_all_completed, shared_constraints",
        ),
    ],
)
def test_unknown_rule_is_refused_with_the_nearest_name(api, make_portfolio, rule, hint):
    portfolio = make_portfolio()
    before = database_rows()

    for refused in (
        api.post("/portfolios", {"name": "Rome", "governance_policy": {rule: True}}),
        change(api, portfolio, {**ALL, rule: True}),
    ):
        [error] = refused.json()["errors"]
        assert (refused.status_code, error["field"]) == (400, f"governance_policy.{rule}")
        assert hint in error["message"]
    assert database_rows() == before


# --- other ways to be rid of a rule ---------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", [ALL, BUDGET])
def test_bound_member_of_another_principal_is_not_removed(api, key, make_intent, make_portfolio, policy):
    intent = make_intent()
    portfolio, stranger = make_portfolio(intent, **policy), key()
    before = database_rows()

    refused = remove(stranger, portfolio, intent)

    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert database_rows() == before
    assert remove(api, portfolio, intent).status_code == 204


@pytest.mark.parametrize("policy", [ALL, BUDGET])
def test_bound_member_is_removed_by_the_principal_that_added_it(api, key, make_intent, make_portfolio, policy):
    intent, portfolio, agent = make_intent(), make_portfolio(**policy), key()
    add(api, portfolio, intent)
    remove(api, portfolio, intent)
    add(agent, portfolio, intent)

    assert remove(agent, portfolio, intent).status_code == 204
    assert get_portfolio(api, portfolio)["intents"] == []


def test_member_of_a_portfolio_without_requirements_is_removed_by_others(key, make_intent, make_portfolio):
    intent = make_intent()

    assert remove(key(), make_portfolio(intent), intent).status_code == 204


@pytest.mark.parametrize(
    ("policy", "status"),
    [(ALL, "abandoned"), (BUDGET, "abandoned"), (BUDGET, "completed")],
)
def test_portfolio_with_bound_open_members_is_not_ended_by_others(api, key, make_intent, make_portfolio, policy, status):
    intent = make_intent()
    portfolio, stranger = make_portfolio(intent, **policy), key()
    before = database_rows()

    refused = close(stranger, portfolio, status)

    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert database_rows() == before
    set_status(api, intent, "completed")
    assert close(stranger, portfolio, status).json()["status"] == status


# --- nothing to wait for --------------------------------------------------------------------------------------------


@pytest.mark.case("coordination P18")
def test_portfolio_without_members_is_complete(api, make_intent, make_portfolio):
    intent = make_intent()
    portfolio = make_portfolio(**ALL)

    assert portfolio["aggregate_status"]["completion_percentage"] == 100
    add(api, portfolio, intent)
    assert get_portfolio(api, portfolio)["aggregate_status"]["completion_percentage"] == 0
    remove(api, portfolio, intent)
    assert get_portfolio(api, portfolio)["aggregate_status"]["completion_percentage"] == 100
    assert close(api, portfolio).json()["status"] == "completed"
    assert portfolio_events(api, portfolio)[-1] == ("portfolio_status_changed", "dev-user")
