"""Stream state without I/O: what to request, what frames mean, and when to reconnect (protocol K-4, S-1 to S-3)."""

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from ._backoff import exponential_delay
from ._call import Call
from ._parameters import Id, path, without_none
from ._request_flow import NoResponse, Request, Response, ServerContext, connection_error, error_from_response, is_transient
from ._sse import Frame, Parser
from .enums import EventType
from .errors import AuthenticationError, ConnectionFailedError, InputValidationError, OpenIntentError
from .models import Event
from .validation import validate_whole_number
from .validation.events import validate_event_types

SILENCE_TIMEOUT = 40.0
"""Seconds without a byte after which a connection is dead: the server sends something every 15 seconds."""

INITIAL_RETRY = 1.0
"""Seconds before a reconnect, until the server has sent a `retry` field."""

MAX_PAUSE = 60.0
MAX_RETRY_AFTER = 3600.0
MAX_POSITION = 2**63 - 1

ENDED = NoResponse("the connection was closed", sent=True, timeout=False)

log = logging.getLogger("openintent")


def stream_call(
    *,
    intent_id: Id | None = None,
    portfolio_id: Id | None = None,
    agent_id: str | None = None,
    event_types: EventType | str | Sequence[EventType | str] | None = None,
) -> Call[Event]:
    """Return the request for a stream. Raise InputValidationError for more than one topic or invalid event types."""
    topics = without_none(intents=intent_id, portfolios=portfolio_id, agents=agent_id)
    if len(topics) > 1:
        raise InputValidationError("pass one of intent_id, portfolio_id and agent_id, or none", field="intent_id")
    types = [event_types] if isinstance(event_types, str) else () if event_types is None else event_types
    validate_event_types(types)
    topic = next(iter(topics.items()), ("events",))
    return Call(
        method="GET",
        path=path(*topic, "subscribe"),
        params=without_none(event_type=",".join(types) or None),
        parse=Event.from_json,
    )


class StreamState:
    """The state of a stream over all of its connections.

    position        the next connection asks for the events after it; None until the server has sent one
    start_position  the position at which the first connection started
    is_connected    whether the server has begun to send
    end_reason      the reason with which the server has announced the end of this connection, empty before that
    pause           seconds to wait before the next connection
    """

    def __init__(self, call: Call[Event], server: ServerContext, *, after: int | None, reconnect: bool) -> None:
        if after is not None:
            validate_whole_number(after, "after", 0, MAX_POSITION)
        self._call = call
        self._server = server
        self._reconnect = reconnect
        self._retry = INITIAL_RETRY
        self._failures = 0
        self.position = self.start_position = after
        self.pause = 0.0
        self._reset_connection()

    def describe(self, name: str) -> str:
        """Return the representation of the stream."""
        return f"{name}({self._call.path!r}, position={self.position})"

    def _reset_connection(self) -> None:
        self._parser = Parser()
        self.end_reason = ""
        self.is_connected = False

    def request(self) -> Request:
        """Return the request for the next connection."""
        self._reset_connection()
        request = self._server.request(self._call, self._call.params)
        headers = {
            **request.headers,
            "Accept": "text/event-stream",
            "Accept-Encoding": "identity",  # Compression would hold events back.
            "Cache-Control": "no-store",
        }
        if self.position is not None:
            headers["Last-Event-ID"] = str(self.position)
        return Request(self._call, request.url, headers, None)

    @staticmethod
    def is_stream(status: int, headers: Mapping[str, str]) -> bool:
        """Return whether a response is the stream; any other is for `handle_refusal`."""
        return status == 200 and headers.get("Content-Type", "").partition(";")[0].strip().lower() == "text/event-stream"

    def handle_refusal(self, response: Response) -> None:
        """Schedule a reconnect after a response that is no stream. Raise OpenIntentError if it is not transient."""
        if is_transient(response.status) and self._reconnect:
            return self._schedule_reconnect(f"HTTP {response.status}", response.retry_after)
        if response.status >= 300:
            raise error_from_response(self._call, response)
        raise self._protocol_error(f"HTTP {response.status}, {response.headers.get('Content-Type')}")

    def handle_disconnect(self, failed: NoResponse) -> None:
        """Schedule a reconnect after a connection failed or ended. Raise ConnectionFailedError if `reconnect` is off."""
        reason = self.end_reason or failed.reason
        if self._reconnect:
            return self._schedule_reconnect(reason)
        if self.end_reason == "key_revoked":
            raise AuthenticationError("The key was revoked while the stream was open.", status_code=401, code="unauthenticated")
        if self.end_reason:
            raise ConnectionFailedError(f"{self._call}: the server ended the stream ({reason}).")
        raise connection_error(Request(self._call, self._server.root, {}, None), failed, self._server.hint)

    def feed(self, chunk: bytes) -> list[Event]:
        """Return the new events in this chunk. Raise OpenIntentError if it does not follow the protocol."""
        try:
            frames = self._parser.feed(chunk)
            return [event for frame in frames if not self.end_reason and (event := self._handle_frame(frame))]
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise self._protocol_error(repr(error)) from error

    def _handle_frame(self, frame: Frame) -> Event | None:
        if frame.retry is not None:
            self._retry = min(frame.retry / 1000, MAX_PAUSE)
        body = _body(frame)
        if isinstance(body, dict) and "event_type" in body:  # A client may log an event of type "bye".
            event = Event.from_json(body)
            is_new = self._advance_to(int(frame.id or "") if event.position is None else event.position)
            return event if is_new else None
        if frame.event == "connected" and body is not None:
            position = int(body["position"])
            self.is_connected = True
            self._failures = 0
            if self.position is not None and position < self.position:
                log.warning(
                    "%s: the server's log ends at %s, before the position %s of this stream. Was a backup restored? "
                    "The stream continues with the events that follow.",
                    self._call, position, self.position,
                )  # fmt: skip
            self.position = position
            if self.start_position is None:
                self.start_position = position
        elif frame.event == "bye":
            self.end_reason = str((body or {}).get("reason") or "bye")
        elif frame.id:
            self._advance_to(int(frame.id))
        return None

    def _advance_to(self, position: int) -> bool:
        """Return whether that is further than before: if not, the event came on an earlier connection."""
        if self.position is not None and position <= self.position:
            return False
        self.position = position
        return True

    def _schedule_reconnect(self, reason: str, retry_after: float | None = None) -> None:
        self._failures += 1
        delay = exponential_delay(self._failures, base=self._retry, longest=MAX_PAUSE)
        # Jitter only adds: no reconnect comes early, and the clients that were disconnected together do not return together.
        self.pause = min(retry_after or 0.0, MAX_RETRY_AFTER) + delay * (1 + self._server.retries.jitter() / 2)
        level = logging.INFO if self._failures == 1 else logging.WARNING
        log.log(level, "%s: connection lost (%s); reconnecting in %.1f s", self._call, reason, self.pause)

    def _protocol_error(self, detail: str) -> OpenIntentError:
        return OpenIntentError(
            f"{self._call}: the response does not follow the protocol ({detail}). Is base_url the address of an OpenIntent server?"
        )


def _body(frame: Frame) -> Any:
    """Return the JSON of a frame. That of a `ping`, which proxies and other servers send, may be anything."""
    try:
        return None if frame.data is None else json.loads(frame.data)
    except ValueError:
        if frame.event == "ping":
            return None
        raise
