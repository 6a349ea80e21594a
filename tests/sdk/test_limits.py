"""The SDK refuses the limits that the server would refuse, before they are sent, and no others (rules K-3, I-7)."""

import pytest
from openintent import InputValidationError, PortfolioSpec
from openintent.validation import validate_intent_create, validate_intent_update, validate_portfolio

from costs import budget_limits
from tests.costs.test_limits import PLAIN, READABLE, UNREADABLE

pytestmark = [pytest.mark.rule("K-3", "I-7"), pytest.mark.case("coordination O14")]


@pytest.mark.parametrize(("constraints", "field", "hint"), UNREADABLE)
def test_unreadable_spending_limit_is_not_sent(constraints, field, hint):
    for validate in (
        lambda: validate_intent_create("x", constraints=constraints),
        lambda: validate_intent_update(constraints=constraints),
    ):
        with pytest.raises(InputValidationError) as refused:
            validate()

        assert refused.value.field == f"constraints.{field}"
        assert hint.removeprefix("rule ") in str(refused.value)


@pytest.mark.parametrize("constraints", READABLE)
def test_readable_limits_are_sent(constraints):
    validate_intent_create("x", constraints=constraints)


@pytest.mark.parametrize(("constraints", "field", "hint"), PLAIN)
def test_shared_constraints_are_validated_alike(constraints, field, hint):
    with pytest.raises(InputValidationError) as refused:
        validate_portfolio(name="x", governance_policy={"shared_constraints": constraints})

    assert refused.value.field == f"governance_policy.shared_constraints.{field}"


def test_a_portfolios_budget_may_be_a_number():
    validate_portfolio(name="x", governance_policy={"shared_constraints": {"budget": 5000}})


@pytest.mark.rule("P-5")
@pytest.mark.parametrize(
    ("policy", "hint"),
    [
        ({"require_all_complete": True}, "did you mean require_all_completed?"),
        ({"quota": 1}, "known: require_all_completed"),
        ({"require_all_completed": "yes"}, "True or False"),
        ({"auto_complete_threshold": 0}, "above 0"),
        ({"auto_complete_threshold": 101}, "from 0 to 100"),
        ({"shared_constraints": [1]}, "must be a dict"),
    ],
)
def test_policy_without_effect_is_not_sent(policy, hint):
    for validate in (
        lambda: validate_portfolio(name="x", governance_policy=policy),
        lambda: PortfolioSpec("x", [], governance_policy=policy),
    ):
        with pytest.raises(InputValidationError, match=hint) as refused:
            validate()
        assert refused.value.field == f"governance_policy.{next(iter(policy))}"


LETTERS = "abcdefghijklmnopqrstuvwxyz_-0X "
NAMES = [
    name
    for word in ("max_cost", "budget", "gadget")
    for at in range(len(word) + 1)
    for name in (
        *(word[:at] + letter + word[at:] for letter in LETTERS),
        *(word[:at] + letter + word[at + 1 :] for letter in LETTERS),
        word[:at] + word[at + 1 :],
    )
]


def test_sdk_and_server_find_the_same_misspellings():
    def is_refused(name: str) -> bool:
        try:
            validate_intent_create("x", constraints={name: 1})
        except InputValidationError:
            return True
        return False

    names = [name for name in dict.fromkeys(NAMES) if name not in ("max_cost", "budget")]
    assert {name for name in names if is_refused(name)} == {name for name in names if budget_limits.limit_errors({name: 1})}
