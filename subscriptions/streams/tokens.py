"""Stream tokens for browsers' EventSource, which cannot send headers (rule S-5).

A token is signed, without a database row, and contains the key's id, the topic and the expiry. It opens streams of its
key only, while the key is valid; open streams continue after its expiry, and end with the key.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.core import signing
from rest_framework.request import Request

from access.authentication import KeyAuthentication, key_from_headers
from access.identity import Caller
from access.key_lookup import caller_for_key, is_dev_key
from access.loopback import remote_origin_reason
from core.errors import Forbidden, Unauthenticated
from intents.topics import Topic

PARAMETER = "token"
MAX_LENGTH = 1_000  # Characters.


@dataclass(frozen=True, slots=True)
class StreamToken:
    key_id: UUID
    topic: Topic | None
    """None: any topic."""
    expires_at: datetime

    def __str__(self) -> str:
        values = [self.key_id.hex, self.topic, int(self.expires_at.timestamp())]
        return signing.dumps(values, salt=__name__)

    @classmethod
    def read(cls, text: str) -> "StreamToken | None":
        """Return the token of a text, or None if its signature is not valid."""
        if len(text) > MAX_LENGTH:
            return None
        try:
            key_id, topic, expires_at = signing.loads(text, salt=__name__)
        except signing.BadSignature:
            return None
        return cls(UUID(key_id), topic, datetime.fromtimestamp(expires_at, UTC))


class StreamAuthentication(KeyAuthentication):
    """Authentication by key, or by `?token=`, which is then `request.auth`."""

    def authenticate(self, request: Request) -> tuple[Caller, Any]:
        text = request.query_params.get(PARAMETER)
        if text is None or key_from_headers(request.META):
            return super().authenticate(request)
        token = StreamToken.read(text)
        if token is None or token.expires_at <= datetime.now(UTC):
            raise Unauthenticated("The token is invalid or expired. Create a new one with POST /api/v1/stream-tokens.")
        caller = caller_for_key(token.key_id)
        if caller is None:
            raise Unauthenticated("The key of this token is revoked or expired.")
        if is_dev_key(caller.key_id) and (reason := remote_origin_reason(request.META)):
            raise Unauthenticated(f"The keys of dev mode are valid on this machine only, and {reason}. Create an API key.")
        return caller, token


def require_topic(auth: object, topic: Topic) -> None:
    """Raise Forbidden if the request's token is for another topic."""
    if isinstance(auth, StreamToken) and auth.topic not in (None, topic):
        raise Forbidden("This token is for another stream.")
