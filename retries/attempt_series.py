"""Runs: which failures of an agent belong to one series of attempts."""

from dataclasses import dataclass

from retries.models import Failure


@dataclass(frozen=True, slots=True)
class Attempt:
    """Where a failure stands. `was_…` is what was so before it."""

    attempt: int
    run_length: int
    was_exhausted: bool
    was_replaced: bool


def next_attempt(previous: Failure | None, attempt: int | None, *, is_assigned: bool) -> Attempt:
    """Where the agent's next failure stands, after its last one on the intent.

    A run ends when it is resolved, and when its retries are exhausted: what comes then is attempt 1 of a new run, unless it
    says that it is a later attempt. It also ends when the agent was replaced and is assigned again. Within a run an attempt
    counts one more than the one before it, or more where it says so; never less (rule R-4). An exhausted run's failures count
    on for the threshold of the fallback.
    """
    if previous is None or previous.resolved_at or (previous.is_replaced and is_assigned):
        return Attempt(attempt or 1, 1, False, False)
    if previous.is_exhausted and (attempt or 0) <= previous.attempt:
        return Attempt(attempt or 1, previous.run_length + 1, False, previous.is_replaced)
    next_attempt = max(attempt or 0, previous.attempt + 1)
    return Attempt(next_attempt, previous.run_length + 1, previous.is_exhausted, previous.is_replaced)


def standalone_attempt(attempt: int | None) -> Attempt:
    """Where the failure of an agent stands that does not work on the intent: beside every run, with the attempt that it says."""
    return Attempt(attempt or 1, 0, False, False)
