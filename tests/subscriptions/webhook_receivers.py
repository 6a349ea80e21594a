"""A receiver of webhooks, and what a test does with subscriptions."""

import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from pytest_httpserver import HTTPServer
from standardwebhooks import Webhook
from werkzeug import Request, Response

from subscriptions import services
from subscriptions.models import Delivery, Pace
from subscriptions.webhooks.deliveries import ClaimedDelivery, claim_due
from subscriptions.webhooks.delivery_worker import deliver_all_due
from subscriptions.webhooks.outbox import create_all_deliveries

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Call:
    headers: Mapping[str, str]
    body: bytes
    at: float
    method: str
    path: str

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def event(self) -> Any:
        return self.json["event"]

    def verified(self, secret: str) -> Any:
        """Return the payload if the secret has signed it. Raise WebhookVerificationError if not."""
        return Webhook(secret).verify(self.body, dict(self.headers))


class _Server(HTTPServer):
    def thread_target(self) -> None:
        """Notice at once that it shall stop, and not after half a second."""
        assert self.server
        self.server.serve_forever(poll_interval=0.01)


class Receiver:
    """Receiver that responds with 204, or with the next of `answers`; while it `hangs`, responses wait until `goes_on`."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.answers: list[Response] = []
        self.hangs = threading.Event()
        self.goes_on = threading.Event()
        self._server = _Server(threaded=True)
        self._server.expect_request(re.compile(".*")).respond_with_handler(self._answer)

    def __enter__(self) -> "Receiver":
        self._server.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.goes_on.set()
        self._server.stop()

    @property
    def url(self) -> str:
        return str(self._server.url_for("/hook"))

    @property
    def ids(self) -> list[str]:
        return [call.headers["Webhook-Id"] for call in self.calls]

    @property
    def types(self) -> list[str]:
        return [call.event["event_type"] for call in self.calls]

    def will_answer(self, *statuses: int, headers: Mapping[str, str] | None = None, text: str = "") -> None:
        self.answers += [Response(text, status, headers=dict(headers or {})) for status in statuses]

    def _answer(self, request: Request) -> Response:
        self.calls.append(Call(dict(request.headers), request.get_data(), time.monotonic(), request.method, request.path))
        if self.hangs.is_set():
            self.goes_on.wait(60)
        return self.answers.pop(0) if self.answers else Response(status=204)


def subscribe(caller: Any, intent: Mapping[str, Any], receiver: Receiver | str, **fields: Any) -> dict[str, Any]:
    """A subscription to the intent, that hears nothing of its own creation unless it asks for it."""
    url = receiver if isinstance(receiver, str) else receiver.url
    answer = caller.post(f"/intents/{intent['id']}/subscriptions", {"callback_url": url, "event_types": ["comment"], **fields})
    assert answer.status_code == 201, answer.json()
    return answer.json()  # type: ignore[no-any-return]


def comment(caller: Any, intent: Mapping[str, Any], text: str = "hello") -> dict[str, Any]:
    answer = caller.post(f"/intents/{intent['id']}/events", {"event_type": "comment", "payload": {"text": text}})
    assert answer.status_code == 201, answer.json()
    return answer.json()  # type: ignore[no-any-return]


def work_again() -> int:
    """Send what waits for its time as if that had come."""
    Delivery.objects.filter(status="pending").update(next_attempt_at=LONG_AGO)
    return deliver_all_due()


def claimed(room: int = 8) -> list[ClaimedDelivery]:
    """Return what a delivery worker with this capacity per pace would send now."""
    return claim_due(dict.fromkeys(Pace, room))


def planned() -> list[tuple[str, str]]:
    """(subscription, type) of all that is to be sent."""
    services.newest_position()
    create_all_deliveries()
    return [(str(each.subscription_id), each.event_type) for each in Delivery.objects.order_by("event")]


def deliveries(caller: Any, subscription: Mapping[str, Any], **query: Any) -> list[dict[str, Any]]:
    """The oldest first."""
    answer = caller.get(f"/subscriptions/{subscription['id']}/deliveries", **query)
    assert answer.status_code == 200, answer.json()
    return sorted(answer.json()["deliveries"], key=lambda each: each["position"])


def shown(caller: Any, subscription: Mapping[str, Any]) -> dict[str, Any]:
    return caller.get(f"/subscriptions/{subscription['id']}").json()  # type: ignore[no-any-return]


def seconds_until(instant: str) -> float:
    return (datetime.fromisoformat(instant) - datetime.now(UTC)) / timedelta(seconds=1)
