"""Backoff: the delay before the next attempt."""

from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retries.backoff import backoff_delay
from retries.models import Failure, RetryPolicy, Strategy
from tests.retries.conftest import events

pytestmark = pytest.mark.rule("R-1")

ATTEMPTS = st.integers(1, 10**6)
DRAWS = st.floats(0, 1)
BASES = st.just(0.0) | st.floats(0.001, 86_400)
POLICIES = st.builds(
    lambda strategy, base, more, multiplier, jitter: RetryPolicy(
        strategy=strategy,
        base_delay_seconds=base,
        max_delay_seconds=base + more,
        backoff_multiplier=multiplier,
        jitter=jitter,
    ),
    st.sampled_from(["fixed", "linear", "exponential"]),
    BASES,
    st.floats(0, 500_000),
    st.floats(1, 100),
    st.booleans(),
)


def policy(strategy, base=2.0, cap=1000.0, multiplier=3.0, jitter=False):
    return RetryPolicy(
        strategy=strategy, base_delay_seconds=base, max_delay_seconds=cap, backoff_multiplier=multiplier, jitter=jitter
    )


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("fixed", [2, 2, 2, 2, 2]),
        ("linear", [2, 4, 6, 8, 10]),
        ("exponential", [2, 6, 18, 54, 162]),
        ("none", [0, 0, 0, 0, 0]),
    ],
)
def test_delay_grows_by_strategy(strategy, expected):
    assert [backoff_delay(policy(strategy), attempt, 0.3) for attempt in range(1, 6)] == expected


@settings(deadline=None)
@given(POLICIES, ATTEMPTS, DRAWS)
def test_delay_is_between_half_of_the_first_and_the_cap(made, attempt, draw):
    seconds = backoff_delay(made, attempt, draw)

    assert made.base_delay_seconds / 2 <= seconds <= made.max_delay_seconds


@settings(deadline=None)
@given(POLICIES, ATTEMPTS, DRAWS)
def test_jitter_is_between_half_and_all_of_the_delay(made, attempt, draw):
    made.jitter = False
    whole = backoff_delay(made, attempt, draw)
    made.jitter = True

    assert (backoff_delay(made, attempt, 0), backoff_delay(made, attempt, 1)) == (whole / 2, whole)
    assert backoff_delay(made, attempt, draw) == pytest.approx(whole * (0.5 + draw / 2))


@settings(deadline=None)
@given(POLICIES, st.integers(1, 10**6 - 1), DRAWS)
def test_later_attempt_has_no_shorter_delay(made, attempt, draw):
    made.jitter = False

    assert backoff_delay(made, attempt, draw) <= backoff_delay(made, attempt + 1, draw)


@settings(deadline=None)
@given(POLICIES, st.integers(1, 200))
def test_delay_equals_the_formula(made, attempt):
    made.jitter = False
    base, multiplier = Fraction(made.base_delay_seconds), Fraction(made.backoff_multiplier)
    exact = {"fixed": base, "linear": base * attempt, "exponential": base * multiplier ** (attempt - 1)}[made.strategy]

    assert backoff_delay(made, attempt, 0) == pytest.approx(float(min(exact, Fraction(made.max_delay_seconds))))


def test_largest_growth_ends_at_the_cap():
    assert backoff_delay(policy("exponential", base=1.0, cap=604_800.0, multiplier=100.0), 10**6, 0) == 604_800
    assert backoff_delay(policy("exponential", base=0.0, cap=604_800.0, multiplier=100.0), 10**6, 0) == 0


def test_every_strategy_has_a_delay():
    assert {backoff_delay(policy(strategy), 1, 0) for strategy in Strategy.values} == {0, 2}


@pytest.mark.parametrize(("jitter", "least", "most"), [(False, 6, 6), (True, 3, 6)])
def test_recorded_failure_is_retried_after_the_delay(api, make_intent, set_policy, fail, jitter, least, most):
    intent = make_intent()
    set_policy(intent, base_delay_seconds=2, backoff_multiplier=3, max_attempts=5, jitter=jitter)

    fail(intent, attempt=2)

    failure = Failure.objects.get(intent_id=intent["id"])
    assert timedelta(seconds=least) <= failure.retry_at - failure.created_at <= timedelta(seconds=most)
    assert [event["retry_at"] is not None for event in events(api, intent, "failure_recorded")] == [True]
