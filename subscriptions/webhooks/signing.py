"""Signatures of webhooks, as Standard Webhooks has them: HMAC-SHA256 of the id, the time and the exact bytes (rule W-1)."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime

PREFIX = "whsec_"


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def headers(*, id: str, at: datetime, body: bytes, secrets: Iterable[str]) -> dict[str, str]:
    """Each of the secrets signs; the receiver needs to know one of them."""
    timestamp = str(int(at.timestamp()))
    signed = b".".join([id.encode(), timestamp.encode(), body])
    signatures = [f"v1,{_sign(secret, signed)}" for secret in secrets]
    return {"webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": " ".join(signatures)}


def _sign(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
