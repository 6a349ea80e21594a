"""Notice worker: collects digests and sends notices, in threads of its own, so that a slow channel delays nothing else.

Any number may run, in any number of processes. A killed one leaves claims that expire; what it may have sent is sent again
under the same id.
"""

import logging
import threading
from datetime import UTC, datetime
from queue import SimpleQueue
from time import monotonic

from django.db import connection

from core import strict_json
from notices.deliveries import (
    NO_ADDRESS,
    ClaimedNotice,
    claim_due,
    collect_digests,
    delete_old,
    record_result,
    release,
)
from notices.mail import send_mail
from notices.models import ChannelKind
from notices.payloads import request_for
from subscriptions.webhooks import signing
from subscriptions.webhooks.client import CallResult, call
from subscriptions.webhooks.delivery_worker import GRACE, HOUSEKEEPING_EVERY, SenderPool

MAX_CALLS = 32  # Concurrent calls of one process.
POLL_EVERY = 1.0  # Seconds.

log = logging.getLogger("openintent.notices")


def send(notice: ClaimedNotice) -> CallResult:
    """Send a notice, outside of transactions. Return the result."""
    now = datetime.now(UTC)
    if not notice.target:
        return CallResult(0, error=NO_ADDRESS)
    if notice.kind == ChannelKind.EMAIL:
        return send_mail(notice.target, notice.message, now)
    url, payload = request_for(notice.kind, notice.target[0], notice.message, now)
    body = strict_json.dumps(payload)
    return call(url, body, signing.headers(id=str(notice.id), at=now, body=body, secrets=notice.secrets))


def send_all_due() -> int:
    """Collect digests and send the notices due now, one after the other. Return their number."""
    collect_digests()
    sent = 0
    while claimed := claim_due(MAX_CALLS):
        for each in claimed:
            record_result(each, send(each))
            sent += 1
    return sent


class NoticeWorker:
    """Sends and records notices from `start` to `stop`."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._running = 0
        self._results: SimpleQueue[tuple[ClaimedNotice, CallResult | None]] = SimpleQueue()
        self._senders = SenderPool(send, self._finish, name="notice")
        self._dispatcher = threading.Thread(target=self._dispatch, name="notice-dispatch", daemon=True)
        self._next_housekeeping = 0.0

    def start(self) -> None:
        """Start the threads. Idempotent."""
        if self._dispatcher.ident is None:
            self._dispatcher.start()

    def stop(self) -> None:
        """Stop the threads. Running calls may finish; other notices are left to other workers."""
        self._stopping.set()
        self._woken.set()
        if self._dispatcher.ident is not None:
            self._dispatcher.join(timeout=2 * GRACE)

    def _finish(self, notice: ClaimedNotice, result: CallResult | None) -> None:
        self._results.put((notice, result))
        self._woken.set()

    def _dispatch(self) -> None:
        while not self._stopping.is_set():
            self._woken.clear()
            try:
                self._record_results()
                self._run_turn()
            except Exception:  # The database is unavailable: due notices stay due.
                log.warning("notices could not be claimed", exc_info=True)
                connection.close()
            self._woken.wait(POLL_EVERY)
        self._senders.stop(monotonic() + GRACE)
        self._record_results()
        connection.close()

    def _run_turn(self) -> None:
        collect_digests()
        for each in claim_due(MAX_CALLS - self._running):
            self._running += 1
            self._senders.send(each)
        if monotonic() >= self._next_housekeeping:
            self._next_housekeeping = monotonic() + HOUSEKEEPING_EVERY
            delete_old()

    def _record_results(self) -> None:
        while not self._results.empty():
            notice, result = self._results.get()
            self._running -= 1
            try:
                if result is None:
                    release(notice)
                else:
                    record_result(notice, result)
            except Exception:  # Its claim expires, and it is sent again.
                log.warning("notice %s could not be recorded", notice.id, exc_info=True)
                connection.close()
