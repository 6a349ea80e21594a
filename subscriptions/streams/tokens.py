"""Tokens that open a stream in place of a key, for browsers' EventSource, which can send no header.

A token says whose key it stands for, what it opens and until when, and is signed: no row is kept. It opens what its key opens, as
long as that lives, and nothing but streams; those that are open outlast it, and end with its key (rule S-5).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.core import signing
from rest_framework.request import Request

from access import ratelimit
from access.authentication import KeyAuthentication, key_from_headers
from access.identity import Caller
from access.key_lookup import caller_for_key, is_dev_key
from access.loopback import remote_origin_reason
from core.errors import Forbidden, Unauthenticated
from intents.topics import Topic

PARAMETER = "token"
LONGEST = 1_000  # Characters.


@dataclass(frozen=True, slots=True)
class StreamToken:
    key_id: UUID
    topic: Topic | None
    """None: any."""
    expires_at: datetime

    def __str__(self) -> str:
        said = [self.key_id.hex, self.topic, int(self.expires_at.timestamp())]
        return signing.dumps(said, salt=__name__)

    @classmethod
    def read(cls, text: str) -> "StreamToken | None":
        """Return what the server has signed, or None."""
        if len(text) > LONGEST:
            return None
        try:
            key_id, topic, expires_at = signing.loads(text, salt=__name__)
        except signing.BadSignature:
            return None
        return cls(UUID(key_id), topic, datetime.fromtimestamp(expires_at, UTC))


class StreamAuthentication(KeyAuthentication):
    """A key as elsewhere, or `?token=`. What a token is for stands in `request.auth`."""

    def authenticate(self, request: Request) -> tuple[Caller, Any]:
        text = request.query_params.get(PARAMETER)
        if text is None or key_from_headers(request.META):
            return super().authenticate(request)
        token = StreamToken.read(text)
        if token is None or token.expires_at <= datetime.now(UTC):
            raise Unauthenticated("The token is wrong or has expired. Make another one with POST /api/v1/stream-tokens.")
        return _caller_with(token, request.META), token


def _caller_with(token: StreamToken, meta: Mapping[str, Any]) -> Caller:
    """Raises Unauthenticated, RateLimited."""
    caller = caller_for_key(token.key_id)
    if caller is None:
        raise Unauthenticated("The key of this token is revoked or has expired.")
    if is_dev_key(caller.key_id) and (reason := remote_origin_reason(meta)):
        raise Unauthenticated(f"The keys of dev mode are for this machine alone, and {reason}. Make an API key, and use that.")
    ratelimit.spend(caller.key_id)
    return caller


def require_topic(auth: object, topic: Topic) -> None:
    """Refuse what the request's token is not for. Raises Forbidden."""
    if isinstance(auth, StreamToken) and auth.topic not in (None, topic):
        raise Forbidden("This token is for another stream.")
