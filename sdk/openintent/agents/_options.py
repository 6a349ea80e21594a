"""Options of agents."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TypedDict

from ..enums import IntentStatus
from ..errors import InputValidationError
from ..validation import validate_lease_acquire, validate_whole_number

WORKABLE = (IntentStatus.DRAFT, IntentStatus.PENDING, IntentStatus.ACTIVE)


class AgentOptions(TypedDict, total=False):
    """The options of `Agent` and `Worker`, all of them optional.

    concurrency    how many assignments are handled at a time, 1 by default. Each has a thread; handlers that share attributes
                   of `self` must synchronise access themselves
    lease_scope    the scope of the lease that is held while an assignment is handled, "assignment" by default. Agents that are
                   assigned to one intent and have the same scope work one after the other. A scope such as "draft" also keeps
                   other agents from writing to that part of the state meanwhile (protocol L-3)
    lease_seconds  how long that lease lasts without renewal, 60 by default: the longest time after a crash until another
                   process takes over the assignment
    drain_seconds  how long running handlers may continue when the agent is stopped, 30 by default
    time_limit_seconds  how long a handler may take, without a limit by default. One that takes longer has failed, with the error
                   type "timeout". A coroutine is cancelled; a `def` handler cannot be, and should check `assignment.is_cancelled`:
                   what it still writes to the intent is refused
    auto_complete  whether a handler that returns a dict or None completes its intent; it does by default. Else the intent stays open, as
                   after `Done(…, complete=False)`
    statuses       the statuses in which an assigned intent is processed: draft, pending and active by default
    """

    concurrency: int
    lease_scope: str
    lease_seconds: int
    drain_seconds: float
    time_limit_seconds: float | None
    auto_complete: bool
    statuses: Sequence[IntentStatus | str]


@dataclass(frozen=True, slots=True)
class Settings:
    """The options with their defaults. Raises InputValidationError for invalid values."""

    concurrency: int = 1
    lease_scope: str = "assignment"
    lease_seconds: int = 60
    drain_seconds: float = 30.0
    time_limit_seconds: float | None = None
    auto_complete: bool = True
    statuses: Sequence[IntentStatus | str] = WORKABLE

    def __post_init__(self) -> None:
        validate_whole_number(self.concurrency, "concurrency", 1, 1000)
        validate_lease_acquire(self.lease_scope, self.lease_seconds)
        if not self.drain_seconds >= 0:
            raise InputValidationError("drain_seconds must be a number of seconds, 0 or more", field="drain_seconds")
        if self.time_limit_seconds is not None and not self.time_limit_seconds > 0:
            raise InputValidationError("time_limit_seconds must be a number of seconds above 0", field="time_limit_seconds")
        if isinstance(self.statuses, str) or not set(self.statuses) or not set(self.statuses) <= set(WORKABLE):
            raise InputValidationError(f"statuses must be some of {', '.join(WORKABLE)}", field="statuses")


@dataclass
class AgentConfig:
    """The configuration of an agent in openintent 0.5 (protocol K-11). New programs pass options to `@Agent` and addresses to `start`.

    base_url, api_key  the server and the key; empty: as for `start`
    auto_complete      as in `AgentOptions`
    log_level          set for the logger "openintent.agents", if it is given
    auto_subscribe, reconnect_delay, max_reconnects    accepted as they are by default: an agent always subscribes and reconnects
    """

    base_url: str = ""
    api_key: str = ""
    auto_subscribe: bool = True
    auto_complete: bool = True
    reconnect_delay: float = 5.0
    max_reconnects: int = 10
    log_level: int | None = None

    def __post_init__(self) -> None:
        for each in fields(self):
            if each.name in ("auto_subscribe", "reconnect_delay", "max_reconnects") and getattr(self, each.name) != each.default:
                raise InputValidationError(f"{each.name} cannot be set: an agent subscribes and reconnects by itself", each.name)
        if self.log_level is not None:
            logging.getLogger("openintent.agents").setLevel(self.log_level)
