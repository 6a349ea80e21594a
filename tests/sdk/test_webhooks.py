"""`openintent.webhooks.verify`, against the public package that the specification's authors publish (protocol W-1)."""

import base64
import json
import pickle
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from email.message import Message

import pytest
import standardwebhooks
from hypothesis import given
from hypothesis import strategies as st
from openintent import EventType, InputValidationError, OpenIntentError, WebhookVerificationError, webhooks
from openintent.webhooks import verify
from werkzeug.datastructures import Headers

from .samples import EVENT

pytestmark = pytest.mark.rule("W-1")

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OTHER = "whsec_" + base64.b64encode(bytes(range(1, 33))).decode()
BODY = json.dumps({"subscription_id": "33333333-3333-4333-8333-333333333333", "event": EVENT}).encode()


def signed(body=BODY, secret=SECRET, age=0, webhook_id="msg_1"):
    """Headers as the public package signs."""
    at = datetime.now(UTC) - timedelta(seconds=age)
    signature = standardwebhooks.Webhook(secret).sign(webhook_id, at, body.decode())
    return {"webhook-id": webhook_id, "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}


def test_signature_of_standardwebhooks_is_accepted():
    webhook = verify(BODY, signed(), SECRET)

    assert (webhook.id, webhook.subscription_id) == ("msg_1", "33333333-3333-4333-8333-333333333333")
    assert (webhook.event.id, webhook.event.event_type) == (EVENT["id"], EventType.COMMENT)
    assert abs(datetime.now(UTC) - webhook.sent_at) < timedelta(seconds=5)


@given(st.binary(min_size=1, max_size=64), st.text(st.characters(codec="utf-8")), st.uuids())
def test_sdk_and_server_accept_and_reject_the_same(key, text, webhook_id):
    secret = "whsec_" + base64.b64encode(key).decode()
    body = json.dumps({"subscription_id": "s", "event": {**EVENT, "payload": {"text": text}}}, ensure_ascii=False).encode()
    headers = signed(body, secret, webhook_id=str(webhook_id))

    assert (
        verify(body, headers, secret).event.payload == standardwebhooks.Webhook(secret).verify(body, headers)["event"]["payload"]
    )
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(secret).verify(body + b" ", headers)
    with pytest.raises(WebhookVerificationError):
        verify(body + b" ", headers, secret)


@pytest.mark.parametrize("spell", [str.upper, str.title, str.lower])
def test_header_names_are_case_insensitive(spell):
    assert verify(BODY, {spell(name): value for name, value in signed().items()}, SECRET)


def test_the_body_may_be_text():
    assert verify(BODY.decode(), signed(), SECRET)


def test_any_of_several_signatures_is_enough():
    headers = signed()
    headers["webhook-signature"] = (
        f"v1a,bm8= {signed(secret=OTHER)['webhook-signature']} {headers['webhook-signature']} v1,junk!é"
    )

    assert verify(BODY, headers, SECRET)


def test_during_a_rotation_either_secret_is_accepted():
    assert verify(BODY, signed(secret=OTHER), [SECRET, OTHER])
    assert verify(BODY, signed(), (SECRET, OTHER))
    with pytest.raises(WebhookVerificationError):
        verify(BODY, signed(), [OTHER])


@pytest.mark.parametrize("secrets", [[], ()])
def test_without_a_secret_nothing_is_accepted(secrets):
    with pytest.raises(WebhookVerificationError):
        verify(BODY, signed(), secrets)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
@pytest.mark.parametrize("value", [None, "", "x"])
def test_a_missing_or_changed_header_is_refused(name, value):
    headers = signed() | {name: value}
    if value is None:
        del headers[name]

    with pytest.raises(WebhookVerificationError):
        verify(BODY, headers, SECRET)


@pytest.mark.parametrize(
    "signature", ["v1,", "v1", "v2,{}", "{}", "v1,{},{}", "v1,{} ".replace("{}", "AAAA"), "\u00e9", "v1,\u00e9"]
)
def test_malformed_signature_is_rejected(signature):
    headers = signed()
    real = headers["webhook-signature"].removeprefix("v1,")

    with pytest.raises(WebhookVerificationError):
        verify(BODY, headers | {"webhook-signature": signature.replace("{}", real)}, SECRET)


def test_a_changed_body_is_refused():
    with pytest.raises(WebhookVerificationError, match="the body was altered"):
        verify(BODY.replace(b"ada", b"eve"), signed(), SECRET)


@pytest.mark.parametrize(("age", "word"), [(310, "old"), (-310, "new")])
def test_a_time_out_of_tolerance_is_refused(age, word):
    with pytest.raises(WebhookVerificationError, match=f"too {word}"):
        verify(BODY, signed(age=age), SECRET)
    assert verify(BODY, signed(age=age), SECRET, tolerance=400)


@pytest.mark.parametrize("age", [290, -290])
def test_a_time_within_tolerance_is_accepted(age):
    assert verify(BODY, signed(age=age), SECRET)


@pytest.mark.parametrize("timestamp", ["1e9", "-1", "nan", "\u0661\u0662", "9" * 30, " 5", "1.0"])
def test_a_timestamp_is_whole_seconds(timestamp):
    key = bytes(range(32))
    headers = {"webhook-id": "m", "webhook-timestamp": timestamp, "webhook-signature": own_signature(key, "m", timestamp)}

    with pytest.raises(WebhookVerificationError, match="webhook-timestamp"):
        verify(BODY, headers, SECRET)


def own_signature(key, webhook_id, timestamp, body=BODY):
    return "v1," + base64.b64encode(webhooks.hmac.digest(key, f"{webhook_id}.{timestamp}.".encode() + body, "sha256")).decode()


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_not base64", "plain text", "whsec_\u00e9", "whsec_\udcff"])
def test_invalid_secret_is_rejected_and_not_repeated(secret):
    with pytest.raises(WebhookVerificationError) as caught:
        verify(BODY, signed(), [secret])

    assert not secret or secret not in str(caught.value).replace("whsec_ followed", "")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"subscription_id": "s", "event": {}}', b'{"subscription_id": "s", "event": 1}']
)
def test_a_signed_body_that_is_not_the_protocols_is_refused(body):
    with pytest.raises(WebhookVerificationError, match="does not follow the protocol"):
        verify(body, signed(body), SECRET)


def test_invalid_utf_8_is_rejected():
    now = str(int(time.time()))
    headers = {
        "webhook-id": "m",
        "webhook-timestamp": now,
        "webhook-signature": own_signature(bytes(range(32)), "m", now, b"\xff"),
    }

    with pytest.raises(WebhookVerificationError, match="does not follow the protocol"):
        verify(b"\xff", headers, SECRET)


@pytest.mark.parametrize("tolerance", [float("nan"), -1, None, "300"])
def test_invalid_tolerance_is_rejected(tolerance):
    with pytest.raises(InputValidationError):
        verify(BODY, signed(), SECRET, tolerance=tolerance)


HOSTILE = [
    "\udcff",
    "a\udc80b",
    "\ud800",
    "\U0010ffff",
    "\xff",
    "\0",
    "v1," * 1_000,
    "v1,\udcff",
    "," * 5_000,
    " ",
    "9" * 12,
    "9" * 5_000,
    "\u0664",
]


@pytest.mark.case("streams 43")
@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature", "x-other"])
def test_any_invalid_header_raises_verification_error(name, value):
    headers = signed() | {name: value}
    for tolerance in (300, float("inf")):
        if name == "x-other":
            assert verify(BODY, headers, SECRET, tolerance)
        else:
            with pytest.raises(WebhookVerificationError):
                verify(BODY, headers, SECRET, tolerance)


@pytest.mark.case("streams 43")
@pytest.mark.parametrize("body", [b"\xff", b"\0" * 1000, b"[" * 100_000, b"", "\udcff", "{}\ud800"])
def test_any_invalid_body_raises_verification_error(body):
    with pytest.raises(WebhookVerificationError):
        verify(body, signed(), SECRET)


@pytest.mark.case("streams 43")
def test_a_signed_time_beyond_the_calendar_is_refused_at_any_tolerance():
    headers = {
        "webhook-id": "m",
        "webhook-timestamp": "9" * 12,
        "webhook-signature": own_signature(bytes(range(32)), "m", "9" * 12),
    }

    with pytest.raises(WebhookVerificationError):
        verify(BODY, headers, SECRET, tolerance=float("inf"))


@pytest.mark.case("streams 43")
@pytest.mark.parametrize("secret", [None, b"whsec_abc", 7, [None], [SECRET, None], [b"whsec_abc"], {}.keys()])
def test_secret_of_another_type_raises_type_error(secret):
    with pytest.raises(TypeError, match="secret must be the subscription's"):
        verify(BODY, signed(), secret)


@pytest.mark.case("streams 43")
@pytest.mark.parametrize("payload", [{"event": {}}, [], None, 7])
def test_parsed_body_raises_type_error_that_says_what_to_pass(payload):
    with pytest.raises(TypeError, match="body as bytes, exactly as received"):
        verify(payload, signed(), SECRET)


@pytest.mark.case("streams 43")
@pytest.mark.parametrize("headers", [None, [("webhook-id", "m")], {b"webhook-id": b"m"}, "webhook-id: m"])
def test_headers_of_another_type_raise_type_error(headers):
    with pytest.raises(TypeError, match="headers must be"):
        verify(BODY, headers, SECRET)
    with pytest.raises(TypeError, match="must be a str, not list"):
        verify(BODY, signed() | {"webhook-id": ["m"]}, SECRET)


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_other_bytes_types_are_accepted(kind):
    assert verify(kind(BODY), signed(), SECRET)


def test_verification_error_is_an_openintent_error_and_picklable():
    error = WebhookVerificationError("no")

    assert isinstance(error, OpenIntentError)
    assert str(pickle.loads(pickle.dumps(error))) == "no"


def test_webhooks_module_needs_only_the_standard_library():
    code = "import sys; sys.modules['httpx2'] = None; from openintent import webhooks; webhooks.verify"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_headers_of_flask_and_the_standard_library_are_accepted():
    flask, standard = Headers(signed()), Message()
    for name, value in signed().items():
        standard[name] = value

    assert verify(BODY, flask, SECRET)
    assert verify(BODY, standard, SECRET)
