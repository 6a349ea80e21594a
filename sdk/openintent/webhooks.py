"""Webhook verification: a request is the server's, unaltered and recent (protocol W-1, Standard Webhooks).

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
from collections.abc import Mapping, Sequence
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

    id               the same for each attempt: deliveries are at least once, so store the ids that you have processed
    sent_at          the time of this attempt
    subscription_id  the id of the subscription
    event            the event
    """

    id: str
    sent_at: datetime
    subscription_id: str
    event: Event


def verify(
    payload: bytes | str, headers: Mapping[str, str], secret: str | Sequence[str], tolerance: float = TOLERANCE
) -> Webhook:
    """Verify a delivery and return it.

    payload    the body exactly as received (bytes, bytearray, or str), not parsed and serialised again
    headers    the request's headers; names are case-insensitive
    secret     the subscription's secret, `whsec_…`; several during a rotation
    tolerance  seconds by which the sender's clock may differ from yours; older requests may be replayed ones

    Raises WebhookVerificationError for a missing or wrong signature, a time out of tolerance or an invalid secret: nothing a
    sender does raises anything else. Raises TypeError for mistakes of the caller, such as a body that was parsed already.
    """
    if not isinstance(tolerance, int | float) or not tolerance >= 0:
        raise InputValidationError("tolerance must be a number of seconds", field="tolerance")
    body = _to_bytes(payload)
    webhook_id, timestamp, signatures = _require_headers(headers, "webhook-id", "webhook-timestamp", "webhook-signature")
    keys = _decode_secrets(secret)
    signed = b"%s.%s.%s" % (webhook_id.encode(), timestamp.encode(), body)
    received = [value.encode() for version, _, value in (each.partition(",") for each in signatures.split()) if version == "v1"]
    expected = [base64.b64encode(hmac.digest(key, signed, hashlib.sha256)) for key in keys]
    # All pairs are compared, each in constant time, so that timing does not reveal where they differ.
    if not any([hmac.compare_digest(one, other) for one in expected for other in received]):  # noqa: C419
        raise WebhookVerificationError(
            "no signature of this request matches: the secret is a different one, or the body was altered"
        )
    if not _TIMESTAMP.fullmatch(timestamp):
        raise WebhookVerificationError("webhook-timestamp must be whole seconds since 1970")
    age = time.time() - int(timestamp)
    if abs(age) > tolerance or int(timestamp) > _LATEST:
        raise WebhookVerificationError(
            f"the request is {abs(age):.0f} s too {'old' if age > 0 else 'new'}; {tolerance:g} s are tolerated. Is the clock right?"
        )
    sent_at = datetime.fromtimestamp(int(timestamp), UTC)
    try:
        data = json.loads(body)
        event = Event.from_json(data["event"])
        return Webhook(id=webhook_id, sent_at=sent_at, subscription_id=str(data["subscription_id"]), event=event)
    except (AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise WebhookVerificationError(f"the request is signed, but its body does not follow the protocol ({error!r})") from error


def _to_bytes(payload: object) -> bytes:
    if isinstance(payload, bytes | bytearray | memoryview):
        return bytes(payload)
    if not isinstance(payload, str):
        kind = type(payload).__name__
        raise TypeError(
            f"payload must be the request's body as bytes, exactly as received, not a {kind}: the signature covers its bytes"
        )
    return _encode(payload, "the body")


def _require_headers(headers: object, *names: str) -> list[str]:
    """Return the values of these headers, whatever the case of their names."""
    items = getattr(headers, "items", None)  # The headers of Flask and http.client have it without being a Mapping.
    pairs = [*items()] if callable(items) else None
    if pairs is None or not all(isinstance(pair, tuple) and isinstance(pair[0], str) for pair in pairs):
        raise TypeError(f"headers must be the request's, as a mapping of names to values, not {type(headers).__name__}")
    lower_case = {name.lower(): value for name, value in pairs}
    for name in names:
        value = lower_case.get(name)
        if not value:
            raise WebhookVerificationError(f"the request has no header {name}")
        if not isinstance(value, str):
            raise TypeError(f"headers[{name!r}] must be a str, not {type(value).__name__}")
        _encode(value, f"the header {name}")
    return [lower_case[name] for name in names]


def _encode(text: str, what: str) -> bytes:
    """Return the bytes. Raise WebhookVerificationError for surrogates, which frameworks produce from invalid UTF-8."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise WebhookVerificationError(f"{what} is not text") from None


def _decode_secrets(secret: object) -> list[bytes]:
    """Return the keys. Raise TypeError for values that are no text, WebhookVerificationError for invalid secrets."""
    found = [secret] if isinstance(secret, str) else secret
    if not isinstance(found, Sequence) or isinstance(found, bytes) or not all(isinstance(each, str) for each in found):
        raise TypeError("secret must be the subscription's secret, whsec_…, as a str, or several of them")
    try:
        keys = [base64.b64decode(each.removeprefix(_PREFIX), validate=True) for each in found]
    except (binascii.Error, ValueError):
        keys = [b""]
    if not all(keys):  # The message does not repeat it.
        raise WebhookVerificationError("the secret must be the subscription's: whsec_ followed by base64")
    return keys
