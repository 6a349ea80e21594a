"""Receiving webhooks: whether a request is from the server, as it was sent, and new (protocol W-1, Standard Webhooks).

from openintent import webhooks

def receive(request):
    webhook = webhooks.verify(request.body, request.headers, secret)
    if first_time(webhook.id):
        print(webhook.event.event_type)
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from .errors import InputValidationError, WebhookVerificationError
from .models import Event

__all__ = ["Webhook", "WebhookVerificationError", "verify"]

TOLERANCE = 300
_PREFIX = "whsec_"
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_LATEST = int(datetime.max.replace(tzinfo=UTC).timestamp())


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """A verified delivery.

    id               the same for each attempt to deliver it: an event comes at least once, so keep the ids that you have dealt with
    sent_at          when this attempt was made
    subscription_id  the subscription that asked for it
    event            what happened
    """

    id: str
    sent_at: datetime
    subscription_id: str
    event: Event


def verify(
    payload: bytes | str, headers: Mapping[str, str], secret: str | Sequence[str], tolerance: float = TOLERANCE
) -> Webhook:
    """The delivery, if the server sent it.

    payload    the body, byte for byte as it came (bytes, bytearray, or str): not JSON that was read and written again
    headers    the request's headers; how their names are spelt makes no difference
    secret     the subscription's, `whsec_…`; several while one takes the place of another
    tolerance  seconds that the sender's clock and yours may differ; what is older may be a repetition by somebody else

    Raises WebhookVerificationError for a missing or wrong signature, a time out of tolerance, a secret that is none: whatever the
    sender does raises this alone. Raises TypeError for what only the caller can have mistaken, as a body that was parsed already.
    """
    _require_numbers(tolerance)
    body = _fetch_body(payload)
    named = _named(headers)
    webhook_id, timestamp, signatures = (_header(named, f"webhook-{each}") for each in ("id", "timestamp", "signature"))
    keys = [_key(each) for each in _secrets(secret)]
    signed = b"%s.%s.%s" % (webhook_id.encode(), timestamp.encode(), body)
    if not _is_signed(signed, signatures, keys):
        raise WebhookVerificationError(
            "no signature of this request fits: the secret is another one, or the body is not as it was sent"
        )
    return _read(webhook_id, _time(timestamp, tolerance), body)


def _require_numbers(tolerance: object) -> None:
    """Raises InputValidationError."""
    if not isinstance(tolerance, int | float) or not tolerance >= 0:
        raise InputValidationError("tolerance must be a number of seconds", field="tolerance")


def _fetch_body(payload: object) -> bytes:
    if isinstance(payload, bytes | bytearray | memoryview):
        return bytes(payload)
    if not isinstance(payload, str):
        kind = type(payload).__name__
        raise TypeError(
            f"payload must be the request's body as bytes, exactly as it came, not a {kind}: the signature is over its bytes"
        )
    return _encoded(payload, "the body")


def _named(headers: object) -> dict[str, str]:
    items = getattr(headers, "items", None)  # Flask's headers and http.client's have it, and are no Mapping.
    pairs = [*items()] if callable(items) else None
    if pairs is None or not all(isinstance(pair, tuple) and isinstance(pair[0], str) for pair in pairs):
        raise TypeError(f"headers must be the request's, as a mapping of names to values, not {type(headers).__name__}")
    return {name.lower(): value for name, value in pairs}


def _header(named: Mapping[str, str], name: str) -> str:
    value = named.get(name)
    if not value:
        raise WebhookVerificationError(f"the request has no header {name}")
    if not isinstance(value, str):
        raise TypeError(f"headers[{name!r}] must be a str, not {type(value).__name__}")
    _encoded(value, f"the header {name}")
    return value


def _encoded(text: str, what: str) -> bytes:
    """Raises WebhookVerificationError for surrogates, which frameworks make of bytes that are no text."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise WebhookVerificationError(f"{what} is not text") from None


def _secrets(secret: object) -> list[str]:
    found = [secret] if isinstance(secret, str) else secret
    if not isinstance(found, Sequence) or isinstance(found, bytes) or not all(isinstance(each, str) for each in found):
        raise TypeError("secret must be the subscription's secret, whsec_…, as a str, or several of them")  # It is not repeated.
    return [*found]


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:  # The message does not repeat it.
        raise WebhookVerificationError("the secret must be the subscription's, as whsec_ followed by base64")
    return key


def _is_signed(signed: bytes, signatures: str, keys: Iterable[bytes]) -> bool:
    given = [
        signature.encode() for version, _, signature in (each.partition(",") for each in signatures.split()) if version == "v1"
    ]
    expected = [base64.b64encode(hmac.digest(key, signed, hashlib.sha256)) for key in keys]
    # All pairs are compared, each in constant time: how long it takes says nothing about where they differ.
    return any([hmac.compare_digest(one, other) for one in expected for other in given])  # noqa: C419


def _time(timestamp: str, tolerance: float) -> datetime:
    if not _TIMESTAMP.fullmatch(timestamp):
        raise WebhookVerificationError("webhook-timestamp must be whole seconds since 1970")
    age = time.time() - int(timestamp)
    if abs(age) > tolerance or int(timestamp) > _LATEST:
        raise WebhookVerificationError(
            f"the request is {abs(age):.0f} s too {'old' if age > 0 else 'new'}; {tolerance:g} s are tolerated. Is the clock right?"
        )
    return datetime.fromtimestamp(int(timestamp), UTC)


def _read(webhook_id: str, sent_at: datetime, body: bytes) -> Webhook:
    try:
        data = json.loads(body)
        event = Event.from_json(data["event"])
        return Webhook(id=webhook_id, sent_at=sent_at, subscription_id=str(data["subscription_id"]), event=event)
    except (AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise WebhookVerificationError(f"the request is signed, but its body is not the protocol's ({error!r})") from error
