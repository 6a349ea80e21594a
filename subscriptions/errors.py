"""Refusals of streams and subscriptions (protocol §2)."""

from config.errors import ProtocolError


class TooManyStreams(ProtocolError):
    """The key has as many streams open as it may have in one server process. Close one, follow several topics on one WebSocket, or have the operator raise OPENINTENT_MAX_STREAMS_PER_KEY."""

    code, title, status = "too_many_streams", "Too many streams", 429

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"This key has {limit} streams open, which is all it may have.", limit=limit, headers={"Retry-After": "5"}
        )
