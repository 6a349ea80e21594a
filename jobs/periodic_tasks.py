"""All that becomes due. What waits is a row of its own app, whose columns say when; a verb does it, under that row's lock.

The verb looks again once it has the lock, so it may be called by any number of workers, at any time, and does its work
once. A worker that is killed in the middle has done nothing, and the next one finds the row as due as before: there is no
claim that would have to run out first.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import governance.services
import leasing.services
import retries.services


@dataclass(frozen=True, slots=True)
class PeriodicTask:
    """`find` answers up to so many ids of what is due, the oldest first; `run_one` does one, and says whether it was still due."""

    name: str
    find: Callable[[int], Sequence[Any]]
    run_one: Callable[[Any], bool]


# A lock that somebody holds is not waited for: one process that hangs would keep all else that is due waiting.
PERIODIC_TASKS = [
    PeriodicTask("expire leases", leasing.services.overdue_leases, partial(leasing.services.expire_lease, wait=False)),
    PeriodicTask(
        "expire arbitrations",
        governance.services.overdue_arbitrations,
        partial(governance.services.expire_arbitration, wait=False),
    ),
    PeriodicTask("announce retries", retries.services.due_retries, retries.services.announce_retry),
]
