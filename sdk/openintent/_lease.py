"""Lease blocks: `with client.lease(…)` acquires, renews and releases a lease (protocol K-5, K-10)."""

import logging
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import ceil
from time import monotonic
from types import TracebackType
from typing import Any, Literal, Protocol, TypeVar
from uuid import uuid4
from weakref import WeakValueDictionary

from ._backoff import backoff
from ._call import Call, no_content
from ._fencing_tokens import FencingTokens
from ._forks import reset_in_children
from ._parameters import Id, as_id, path
from ._request_flow import ServerContext
from .enums import ErrorCode
from .errors import LeaseConflictError, NotFoundError, OpenIntentError, PermissionDeniedError
from .models import Lease, LeasePlace
from .validation import validate_lease_acquire, validate_lease_renew
from .validation.leases import LEASE_SECONDS

POLL_INTERVAL = 0.5
"""Seconds between two requests of a block that waits for a scope. The server keeps its place in the queue for 5 seconds."""

PATIENCE = 5.0
"""Seconds for which the end of a block waits for the server. If it hangs, the lease expires."""

LOST = (LeaseConflictError, NotFoundError, PermissionDeniedError)
"""Answers to a renewal that say that the lease is the agent's no longer. All others may pass."""

log = logging.getLogger("openintent")

T = TypeVar("T")


def acquire_call(intent_id: Id, scope: str, duration_seconds: int, idempotency_key: str | None = None) -> Call[Lease]:
    validate_lease_acquire(scope, duration_seconds)
    return Call(
        "POST",
        path("intents", intent_id, "leases"),
        Lease.from_json,
        json={"scope": scope, "duration_seconds": duration_seconds},
        idempotency_key=idempotency_key,
        on_success=lambda lease, tokens: tokens.add(lease),
    )


def join_queue_call(intent_id: Id, scope: str, duration_seconds: int, idempotency_key: str | None = None) -> Call[LeasePlace]:
    validate_lease_acquire(scope, duration_seconds)
    return Call(
        "POST",
        path("intents", intent_id, "lease-queue"),
        LeasePlace.from_json,
        json={"scope": scope, "duration_seconds": duration_seconds},
        idempotency_key=idempotency_key,
        on_success=lambda place, tokens: tokens.add(place.lease) if place.lease else None,
    )


def leave_queue_call(intent_id: Id, place_id: Id) -> Call[None]:
    return Call("DELETE", path("intents", intent_id, "lease-queue", place_id), no_content)


def renew_call(intent_id: Id, lease_id: Id, duration_seconds: int) -> Call[Lease]:
    validate_lease_renew(duration_seconds)
    body = {"duration_seconds": duration_seconds}
    return Call("PATCH", path("intents", intent_id, "leases", lease_id), Lease.from_json, json=body)


def release_call(intent_id: Id, lease_id: Id) -> Call[None]:
    return Call(
        "DELETE",
        path("intents", intent_id, "leases", lease_id),
        no_content,
        on_success=lambda _, tokens: tokens.remove(as_id(intent_id), lease_id=as_id(lease_id)),
    )


def patient_release_call(lease: Lease) -> Call[None]:
    """Return the call that releases the lease at the end of a block, which does not wait long for it."""
    return replace(release_call(lease.intent_id, lease.id), patience=PATIENCE)


def is_new(lease: Lease, duration_seconds: int) -> bool:
    """Return whether acquiring it has created it: one that the agent held before runs from its first acquisition."""
    return lease.expires_at - lease.acquired_at == timedelta(seconds=duration_seconds)


@dataclass(frozen=True, eq=False, slots=True)
class LeaseRequest:
    """The arguments of a lease block, and the tokens of its client."""

    intent_id: str
    scope: str
    duration_seconds: int
    wait: float
    tokens: FencingTokens


class Acquisition:
    """One entry into a block: the scope is acquired, or its lease waited for in the queue (rule L-9). Without I/O."""

    def __init__(self, request: LeaseRequest) -> None:
        self._request = request
        self._until = monotonic() + request.wait
        self._is_queueing, self._has_queue = False, True
        self._place: LeasePlace | None = None

    def call(self) -> Call[Any]:
        """Return the next call to send."""
        build: Callable[..., Call[Any]] = join_queue_call if self._is_queueing else acquire_call
        return build(self._request.intent_id, self._request.scope, self._request.duration_seconds, str(uuid4()))

    def lease(self, answer: Lease | LeasePlace) -> Lease:
        """Return the lease. Raise LeaseConflictError if it has yet to be waited for."""
        if isinstance(answer, Lease):
            return answer
        self._place = answer
        if answer.lease is None:
            existing = answer.existing_lease.to_dict() if answer.existing_lease else None
            message = f"Others hold or wait for {self._request.scope!r}: place {answer.position} in the queue."
            raise LeaseConflictError(message, existing, code=ErrorCode.LEASE_CONFLICT)
        return answer.lease

    def pause(self, error: OpenIntentError) -> float | None:
        """Return the seconds to wait before the next call, None if the error is final."""
        left = self._until - monotonic()
        if isinstance(error, NotFoundError) and self._is_queueing:  # A server without queues, or no intent.
            self._is_queueing = self._has_queue = False
            return 0
        if not isinstance(error, LeaseConflictError) or error.code == ErrorCode.LEASE_LOST or left <= 0:
            return None
        if self._has_queue and not self._is_queueing:
            self._is_queueing = True
            return 0
        return min(POLL_INTERVAL, left)

    def leave(self) -> Call[None] | None:
        """Return the call that gives up the place in the queue, if there is one."""
        if self._place is None or self._place.id is None:
            return None
        return replace(leave_queue_call(self._request.intent_id, self._place.id), patience=PATIENCE)


class Renewal:
    """Renewal of a lease, by the blocks that hold it or by an agent: when, for how long, and how long it may take. Without I/O."""

    def __init__(self, seconds: float) -> None:
        self._failures = 0
        self._error: OpenIntentError | None = None
        self._ends_at = monotonic() + seconds

    def extend(self, seconds: float) -> None:
        """Note that the lease lasts at least so long."""
        self._ends_at = max(self._ends_at, monotonic() + seconds)

    def pause(self, duration: int) -> float:
        """Return the seconds until the next attempt: a third of the lease's duration, less after a failure."""
        if not self._failures:
            return duration / 3
        return min(duration / 3, backoff(self._failures) + ((self._error and self._error.retry_after) or 0.0))

    def call(self, lease: Lease, duration: int) -> tuple[Call[Lease], int]:
        """Return the call that renews the lease, which never shortens it, and its duration."""
        seconds = min(max(duration, ceil(self._ends_at - monotonic())), LEASE_SECONDS[1])
        return replace(renew_call(lease.intent_id, lease.id, seconds), patience=max(duration / 3, 1.0)), seconds

    def mark_renewed(self, seconds: int) -> None:
        self._failures, self._error, self._ends_at = 0, None, monotonic() + seconds

    def mark_failed(self, scope: str, error: OpenIntentError) -> None:
        """Note that an attempt has failed for now."""
        self._failures, self._error = self._failures + 1, error
        log.warning("The lease on %r could not be renewed yet: %s", scope, error)


class Hold:
    """The open blocks of a client on one scope, in any thread, and the lease that they share. Without I/O.

    lock     held while the lease is acquired or released
    keeper   the thread or task that renews it
    """

    lease: Lease

    def __init__(self, lock: Any) -> None:
        self.lock = lock
        self.keeper: Any = None
        self.renewal = Renewal(0)
        self.ending = threading.Event()
        self._process = os.getpid()
        self._blocks: list[LeaseRequest] = []
        self._kept: set[FencingTokens] = set()
        self._is_ours = self._is_lost = False

    @property
    def is_of_this_process(self) -> bool:
        return self._process == os.getpid()

    def enter(self, request: LeaseRequest, lease: Lease, had_token: bool) -> bool:
        """Add a block to this lease. Return False, and do not, if the blocks around it have lost theirs."""
        if self._blocks and lease.id != self.lease.id:
            request.tokens.add(self.lease)
            self.mark_lost("another one was acquired in its place")
            return False
        self.lease = lease
        self._is_ours = self._is_ours or is_new(lease, request.duration_seconds)
        if had_token and not any(each.tokens is request.tokens for each in self._blocks):
            self._kept.add(request.tokens)
        self._blocks.append(request)
        left = 0.0 if self._is_ours else (lease.expires_at - datetime.now(UTC)).total_seconds()
        self.renewal.extend(max(left, request.duration_seconds))
        return True

    def leave(self, request: LeaseRequest) -> bool:
        """Remove a block. Return whether it was the last one."""
        self._blocks.remove(request)
        if request.tokens not in self._kept and not any(each.tokens is request.tokens for each in self._blocks):
            request.tokens.remove(self.lease.intent_id, lease_id=self.lease.id)
        if not self._blocks:
            self.ending.set()
        return not self._blocks

    def release(self) -> Call[None] | None:
        """Return the call that releases the lease; None if it was held before the blocks, or is lost."""
        return None if self._is_lost or not self._is_ours else patient_release_call(self.lease)

    @property
    def duration(self) -> int:
        """The longest duration that a block has asked for."""
        return max((each.duration_seconds for each in self._blocks), default=1)

    def mark_lost(self, reason: object) -> None:
        """Let every write of the blocks be refused."""
        self._is_lost = True
        log.warning("The lease on %r is lost: %s", self.lease.scope, reason)
        for each in self._blocks:
            each.tokens.mark_lost(self.lease.intent_id, self.lease.fencing_token)


class Holds:
    """Holds of a client and its copies, by intent and scope."""

    def __init__(self, lock_type: Callable[[], Any]) -> None:
        self._lock_type = lock_type
        self.reset_after_fork()
        reset_in_children(self)

    def reset_after_fork(self) -> None:
        self._lock = threading.Lock()
        self._by_scope: WeakValueDictionary[tuple[str, str], Hold] = WeakValueDictionary()

    def get(self, request: LeaseRequest) -> Hold:
        """Return the hold that all blocks on the scope share."""
        with self._lock:
            key = (request.intent_id, request.scope)
            hold = self._by_scope.get(key)
            if hold is None or hold.ending.is_set():
                hold = self._by_scope[key] = Hold(hold.lock if hold else self._lock_type())
            return hold


class LeaseBlock:
    """The part of a lease block that both clients share."""

    def __init__(
        self, holds: Holds, server: ServerContext, intent_id: Id, scope: str, duration_seconds: int, wait: float
    ) -> None:
        """Raise InputValidationError for invalid arguments."""
        validate_lease_acquire(scope, duration_seconds)
        self._holds = holds
        self._request = LeaseRequest(as_id(intent_id).lower(), scope, duration_seconds, wait, server.tokens)
        self._entered: list[Hold] = []

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._request.scope!r}, intent_id={self._request.intent_id!r})"

    def _has_token(self) -> bool:
        return self._request.tokens.holds(self._request.intent_id, self._request.scope)

    def _log_release_failure(self, error: Exception) -> None:
        log.warning("The lease on %r could not be released and expires by itself: %s", self._request.scope, error)


def outer_block_lost(scope: str) -> LeaseConflictError:
    """Return the error for a block within one whose lease is lost."""
    return LeaseConflictError(f"The lease on {scope!r} of the block around this one is lost.", code="lease_lost")


class LeaseClient(Protocol):
    """The part of a client that a lease block uses."""

    _holds: Holds
    _server: ServerContext

    def send(self, call: Call[T]) -> T: ...


class HeldLease(LeaseBlock):
    """A lease on a scope while the block runs, created by `client.lease(…)`. It may be entered again, also within itself."""

    def __init__(self, client: LeaseClient, intent_id: Id, scope: str, duration_seconds: int, wait: float) -> None:
        super().__init__(client._holds, client._server, intent_id, scope, duration_seconds, wait)
        self._client = client

    def __enter__(self) -> Lease:
        acquisition = Acquisition(self._request)
        try:
            return self._enter(acquisition)
        except BaseException:
            if leave := acquisition.leave():
                with suppress(OpenIntentError):  # Who ceases to ask loses the place.
                    self._client.send(leave)
            raise

    def _enter(self, acquisition: Acquisition) -> Lease:
        while True:
            hold = self._holds.get(self._request)
            with hold.lock:
                try:
                    if not hold.ending.is_set():
                        self._acquire(hold, acquisition)
                        self._entered.append(hold)
                        return hold.lease
                    continue  # Its last block has just ended.
                except OpenIntentError as error:
                    pause = acquisition.pause(error)
                    if pause is None:
                        raise
            threading.Event().wait(pause)

    def _acquire(self, hold: Hold, acquisition: Acquisition) -> None:
        had_token, call = self._has_token(), acquisition.call()
        try:
            lease = acquisition.lease(self._client.send(call))
        except OpenIntentError:
            raise
        except BaseException:  # Such as Ctrl-C: the server may have granted it all the same, and answers its key again.
            self._give_back(acquisition, replace(call, patience=PATIENCE))
            raise
        if not hold.enter(self._request, lease, had_token):
            self._release(patient_release_call(lease))
            raise outer_block_lost(lease.scope)
        if hold.keeper is None:
            hold.keeper = threading.Thread(target=self._renew, args=(hold,), name=f"lease {lease.scope}", daemon=True)
            hold.keeper.start()

    def _give_back(self, acquisition: Acquisition, call: Call[Any]) -> None:
        try:
            lease = acquisition.lease(self._client.send(call))
            if is_new(lease, self._request.duration_seconds):
                self._client.send(release_call(lease.intent_id, lease.id))
        except LeaseConflictError:
            return
        except OpenIntentError as error:
            log.warning("Whether the lease on %r was acquired is unknown: %s", self._request.scope, error)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> Literal[False]:
        hold = self._entered.pop()
        if hold.is_of_this_process:  # In a forked child the lease is the parent's.
            with hold.lock:
                if hold.leave(self._request) and (release := hold.release()):
                    self._release(release)
        return False

    def _release(self, release: Call[None]) -> None:
        try:
            self._client.send(release)
        except (OpenIntentError, RuntimeError) as error:  # Such as a closed client. The block's own error must not be hidden.
            self._log_release_failure(error)
        except BaseException:  # Such as Ctrl-C: it may not have been sent.
            with suppress(Exception):
                self._client.send(release)
            raise

    def _renew(self, hold: Hold) -> None:
        while not hold.ending.wait(hold.renewal.pause(hold.duration)):
            call, seconds = hold.renewal.call(hold.lease, hold.duration)
            try:
                self._client.send(call)
            except LOST as error:
                return None if hold.ending.is_set() else hold.mark_lost(error)
            except OpenIntentError as error:
                hold.renewal.mark_failed(hold.lease.scope, error)
            except RuntimeError:  # The client is closed.
                return None
            else:
                hold.renewal.mark_renewed(seconds)
