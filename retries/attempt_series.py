"""Attempt series: the failures of an agent that belong to one run."""

from dataclasses import dataclass

from retries.models import Failure


@dataclass(frozen=True, slots=True)
class Attempt:
    """Number of a failed attempt in its run. `was_exhausted` and `was_replaced` are the state before it."""

    number: int
    run_length: int
    was_exhausted: bool
    was_replaced: bool


def next_attempt(previous: Failure | None, attempt: int | None, *, is_assigned: bool) -> Attempt:
    """Return the attempt of the agent's next failure, after its last one on the intent. `attempt` is the reported number.

    A run ends when it is resolved, and when its retries are exhausted: the next failure is attempt 1 of a new run, unless a
    later number is reported. It also ends when the agent was replaced and is assigned again. Within a run the number is one
    more than the previous one, or the reported one if that is higher (rule R-4). `run_length` continues after an exhausted
    run, for the threshold of the fallback.
    """
    if previous is None or previous.resolved_at or (previous.is_replaced and is_assigned):
        return Attempt(attempt or 1, 1, False, False)
    if previous.is_exhausted and (attempt or 0) <= previous.attempt:
        return Attempt(attempt or 1, previous.run_length + 1, False, previous.is_replaced)
    number = max(attempt or 0, previous.attempt + 1)
    return Attempt(number, previous.run_length + 1, previous.is_exhausted, previous.is_replaced)


def standalone_attempt(attempt: int | None) -> Attempt:
    """Return the attempt of an agent that does not work on the intent: outside of every run, with the reported number."""
    return Attempt(attempt or 1, 0, False, False)
