"""Following the log, short of I/O: what to ask for, what the frames mean, and when to ask again (protocol K-4, S-1 to S-3)."""

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from ._endpoint import Call
from ._request_flow import Answer, Lost, Peer, Request, no_answer, refused
from ._sse import Frame, Parser
from .enums import EventType
from .errors import AuthenticationError, ConnectionFailedError, InputValidationError, OpenIntentError
from .models import Event
from .resources._helpers import Id, given, path
from .validation import validate_whole_number
from .validation.events import validate_event_types

SILENCE = 40.0
"""Seconds without a byte after which a connection is dead: the server says something every 15 seconds."""

RETRY = 1.0
"""Seconds before the next attempt, as long as the server has not said how many."""

LONGEST_PAUSE = 60.0
LONGEST_RETRY_AFTER = 3600.0
POSITION = 2**63 - 1

ENDED = Lost("the connection was closed", sent=True, timeout=False)

_MAY_PASS = {429, 502, 503, 504}

log = logging.getLogger("openintent")


def followed(
    *,
    intent_id: Id | None = None,
    portfolio_id: Id | None = None,
    agent_id: str | None = None,
    event_types: EventType | str | Sequence[EventType | str] | None = None,
) -> Call[Event]:
    """The request for a stream. Raises InputValidationError."""
    named = given(intents=intent_id, portfolios=portfolio_id, agents=agent_id)
    if len(named) > 1:
        raise InputValidationError("a stream is about one intent, one portfolio or one agent", field="intent_id")
    types = [event_types] if isinstance(event_types, str) else () if event_types is None else event_types
    validate_event_types(types)
    where = next(iter(named.items()), ("events",))
    return Call(
        method="GET",
        path=path(*where, "subscribe"),
        params=given(event_type=",".join(types) or None),
        parse=Event.from_json,
    )


class Following:
    """Where a stream stands, over all of its connections.

    position      what the next connection asks for the events after; None until the server has said where it is
    began         where the first one started
    is_connected  whether the server has begun to send
    is_over       whether it has said goodbye on this connection
    pause         seconds to wait before the next connection
    """

    def __init__(self, call: Call[Event], peer: Peer, *, after: int | None, reconnect: bool) -> None:
        if after is not None:
            validate_whole_number(after, "after", 0, POSITION)
        self._call = call
        self._peer = peer
        self._reconnect = reconnect
        self._retry = RETRY
        self._failures = 0
        self.position = self.began = after
        self.pause = 0.0
        self._begin()

    def _begin(self) -> None:
        self._parser = Parser()
        self._goodbye = ""
        self.is_connected = False

    @property
    def is_over(self) -> bool:
        return bool(self._goodbye)

    def request(self) -> Request:
        """What to send for the next connection."""
        self._begin()
        request = self._peer.request(self._call, self._call.params)
        headers = {
            **request.headers,
            "Accept": "text/event-stream",
            "Accept-Encoding": "identity",  # Whatever compresses a stream keeps events back.
            "Cache-Control": "no-store",
        }
        if self.position is not None:
            headers["Last-Event-ID"] = str(self.position)
        return Request(self._call, request.url, headers, None)

    @staticmethod
    def is_stream(status: int, headers: Mapping[str, str]) -> bool:
        """Whether what was answered is the stream; everything else is for `refuse`."""
        return status == 200 and headers.get("Content-Type", "").partition(";")[0].strip().lower() == "text/event-stream"

    def refuse(self, answer: Answer) -> None:
        """Take an answer that is no stream. Raises OpenIntentError, unless it may go better soon."""
        if answer.status in _MAY_PASS and self._reconnect:
            return self._plan(f"HTTP {answer.status}", answer.retry_after)
        if answer.status >= 300:
            raise refused(self._call, answer)
        raise self._not_the_protocols(f"HTTP {answer.status}, {answer.headers.get('Content-Type')}")

    def lose(self, lost: Lost) -> None:
        """Take a connection that failed or has ended. Raises ConnectionFailedError where there is to be no other."""
        reason = self._goodbye or lost.reason
        if self._reconnect:
            return self._plan(reason)
        if self._goodbye == "key_revoked":
            raise AuthenticationError("The key was revoked while the stream was open.", status_code=401, code="unauthenticated")
        if self._goodbye:
            raise ConnectionFailedError(f"{self._call}: the server has ended the stream ({reason}).")
        raise no_answer(Request(self._call, self._peer.root, {}, None), lost)

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that are new in this chunk. Raises OpenIntentError for what is not the protocol's."""
        try:
            return [event for frame in self._parser.feed(chunk) if not self.is_over and (event := self._take(frame))]
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise self._not_the_protocols(repr(error)) from error

    def _take(self, frame: Frame) -> Event | None:
        if frame.retry is not None:
            self._retry = min(frame.retry / 1000, LONGEST_PAUSE)
        body = None if frame.data is None else json.loads(frame.data)
        if isinstance(body, dict) and "event_type" in body:  # A client may log an event of type "bye".
            return self._new(Event.from_json(body), frame)
        if frame.event == "connected" and body is not None:
            self._connected(body)
        elif frame.event == "bye":
            self._goodbye = str((body or {}).get("reason") or "bye")
        elif frame.id:
            self._come_to(int(frame.id))
        return None

    def _new(self, event: Event, frame: Frame) -> Event | None:
        position = int(frame.id or "") if event.position is None else event.position
        return event if self._come_to(position) else None

    def _come_to(self, position: int) -> bool:
        """Answers whether that is further than before: what is not, was heard on an earlier connection."""
        if self.position is not None and position <= self.position:
            return False
        self.position = position
        return True

    def _connected(self, body: Mapping[str, Any]) -> None:
        self.is_connected = True
        self._failures = 0
        at = int(body["position"])
        if self.position is not None and at < self.position:
            log.warning(
                "%s: the server's log ends at %s, before %s, to which this stream had come. Was a backup restored? "
                "Events up to that position are taken for known.",
                self._call, at, self.position,
            )  # fmt: skip
        self._come_to(at)
        if self.began is None:
            self.began = at

    def _plan(self, reason: str, retry_after: float | None = None) -> None:
        self._failures += 1
        grown = min(self._retry * 2.0 ** min(self._failures - 1, 16), LONGEST_PAUSE)
        asked = min(retry_after or 0.0, LONGEST_RETRY_AFTER)
        # Never before its time, and not all at once: the others who were cut off come back too.
        self.pause = asked + grown * (1 + self._peer.retries.jitter() / 2)
        level = logging.INFO if self._failures == 1 else logging.WARNING
        log.log(level, "%s: cut off (%s); once more in %.1f s", self._call, reason, self.pause)

    def _not_the_protocols(self, what: str) -> OpenIntentError:
        return OpenIntentError(
            f"{self._call}: what came is not the protocol's ({what}). Is base_url the address of an OpenIntent server?"
        )
