"""WSGI bridge: an ASGI application that runs Django's WSGI handler in a pool of threads with persistent connections.

Django's own ASGI handler switches threads several times per request, and opens a connection for each
(architecture §5 has the figures: 2.7 ms of CPU against 0.5 ms).
"""

import asyncio
import logging
import sys
from collections.abc import Callable, Generator
from functools import lru_cache, partial
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, Protocol, cast

from django.conf import settings

from core import strict_json
from core.errors import CONTENT_TYPE, PRIVATE, BodyTimeout, Internal, ProtocolError, TooLarge, Unavailable
from core.request_id import HEADER, set_request_id
from core.serving.thread_pool import ThreadPool, Together

SPOOL_ABOVE = 2**20  # Bytes of a body that are kept in memory; larger ones go to disk.
UNCHECKED_BODY = 64 * 2**10  # Bytes of a body that may be read before its sender is checked.

log = logging.getLogger("openintent.wsgi")

Environ = dict[str, Any]
Predicate = Callable[[Any], bool]
Response = tuple[dict[str, Any], bytes | Generator[bytes, None, None]]


class BodyLimits(Protocol):
    """Limits of the bytes of a request body."""

    def max_body(self, scope: Any) -> int:
        """Return the limit for any caller."""

    def known_limit(self, scope: Any) -> int | None:
        """Return the caller's limit, or None if it needs a database query."""

    def looked_up_limit(self, scope: Any) -> int:
        """Return the caller's limit, from a thread, with database queries. Raise ProtocolError if the caller is refused."""


class ClientDisconnected(Exception):
    """The client has closed the connection before its request was complete."""


class WSGIBridge:
    """ASGI application that runs a WSGI one in threads of its own, which long streams elsewhere do not occupy."""

    def __init__(
        self,
        wsgi: Callable[..., Any],
        *,
        threads: int,
        limits: BodyLimits,
        is_short_write: Predicate | None = None,
        together: Together | None = None,
        is_long: Predicate | None = None,
        patience: float | None = None,
    ) -> None:
        self.wsgi = wsgi
        self.limits = limits
        self.spooled = 0
        """Bytes of all bodies in several parts whose requests are not finished."""
        self.threads = ThreadPool(threads, "django", patience=patience)
        self.is_short_write = is_short_write
        """Whether a request writes to the database, and waits for nothing else. Only for a database with a single writer."""
        self.writer = ThreadPool(1 if is_short_write else 0, "django-writer", together=together)
        """Thread of short writes, which run `together`: in several, they would queue for the database and for the interpreter's lock."""

        self.is_long = is_long
        """Whether a request may take tenths of a second."""
        self.long = ThreadPool(1 if is_long else 0, "django-long")
        """Thread of long requests: in several, they would keep others waiting for a thread and for the interpreter's lock."""

    def close(self) -> None:
        for each in (self.threads, self.writer, self.long):
            each.close()

    def submit(self, scope: Any, body: bytes, respond: Callable[[Response], None]) -> bool:
        """Run a request whose whole body has arrived; `respond` gets the response. Return False, and do nothing, if the body is large.

        It costs half of `__call__`, which reads a body in parts, and needs a task.
        """
        if len(body) > UNCHECKED_BODY or len(body) > self.limits.max_body(scope):
            return False
        stream = BytesIO(body)
        self._threads_for(scope, stream).submit(
            self._run,
            _environ(scope, stream),
            done=lambda response, error: respond(response if error is None else _error_response(error, scope)),
            expires=True,
        )
        return True

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            body = await self.read(scope, receive)
        except ClientDisconnected:
            return
        except ProtocolError as refusal:
            refusal.headers["Connection"] = "close"  # The rest of the body is not read.
            return await self.send(problem_response(refusal, scope), send)
        with body:
            try:
                response = await self._threads_for(scope, body).run(self._run, _environ(scope, body), expires=True)
            except Exception as error:
                response = _error_response(error, scope)
        await self.send(response, send)

    async def fetch(self, scope: Any) -> list[Any]:
        """Return the response messages of the request, which is assumed to have no body."""
        messages: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            messages.append(message)

        await self(scope, receive, send)
        return messages

    def _threads_for(self, scope: Any, body: BinaryIO) -> ThreadPool:
        if self.is_long and self.is_long(scope):
            return self.long
        is_short = self.is_short_write and self.is_short_write(scope) and isinstance(body, BytesIO)
        return self.writer if is_short else self.threads

    async def read(self, scope: Any, receive: Any) -> BinaryIO:
        """Return the whole body. Raise TooLarge before reading more than the limit, BodyTimeout, Unavailable or ClientDisconnected.

        Of a refused caller, only the part that came with the headers is read.
        """
        limit = self.limits.max_body(scope)
        expected = 0
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit():
                expected = int(value)
        if expected > limit:
            raise _too_large(limit)
        is_checked = expected > UNCHECKED_BODY
        if is_checked and expected > (limit := await self._caller_limit(scope)):
            raise _too_large(limit)
        message = await _receive_part(receive)
        if not message.get("more_body", False) and len(message["body"]) <= limit:
            return BytesIO(message["body"])  # As nearly all bodies, it came in one part.
        if not is_checked:
            limit = await self._caller_limit(scope)
        return await self._spool(message, receive, limit)

    async def _caller_limit(self, scope: Any) -> int:
        """Return the limit for this caller. Raise ProtocolError if the caller is refused."""
        known = self.limits.known_limit(scope)
        if known is not None:
            return known
        return await self.threads.run(self.limits.looked_up_limit, scope, expires=True)

    async def _spool(self, message: dict[str, Any], receive: Any, limit: int) -> BinaryIO:
        body: Any = SpooledTemporaryFile(SPOOL_ABOVE)  # noqa: SIM115  The caller closes it.
        size = 0
        try:
            async with asyncio.timeout(settings.BODY_TIMEOUT):
                while True:
                    size += len(message["body"])
                    self.spooled += len(message["body"])
                    if size > limit:
                        raise _too_large(limit)
                    if self.spooled > settings.MAX_SPOOLED:
                        raise Unavailable("Too many large request bodies are being received.")
                    body.write(message["body"])
                    if not message.get("more_body", False):
                        body.seek(0)
                        return cast(BinaryIO, _SpooledBody(body, partial(self._release, size)))
                    message = await _receive_part(receive)
        except BaseException as error:
            self._release(size)
            body.close()
            if isinstance(error, TimeoutError):
                raise BodyTimeout(settings.BODY_TIMEOUT) from None
            raise

    def _release(self, size: int) -> None:
        self.spooled -= size

    async def send(self, response: Response, send: Any) -> None:
        """Send a response, a stream part by part."""
        start, parts = response
        if isinstance(parts, bytes):
            await send(start)
            await send({"type": "http.response.body", "body": parts})
            return
        try:
            await send(start)
            while (part := await self.threads.run(next, parts, None)) is not None:
                await send({"type": "http.response.body", "body": part, "more_body": True})  # Waits for a slow client.
            await send({"type": "http.response.body", "body": b""})
        finally:
            await self.threads.run(parts.close)

    def _run(self, environ: Environ) -> Response:
        """Run Django. Return the start of the response and its body: whole, or as a generator for a stream."""
        start: dict[str, Any] = {"type": "http.response.start"}

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            start["status"] = int(status[:3])
            start["headers"] = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]

        response = self.wsgi(environ, start_response)
        if getattr(response, "streaming", False):
            return start, _closing(response)
        try:
            body = b"".join(response)
        finally:
            response.close()
        start["headers"] = [header for header in start["headers"] if header[0] != b"content-length"]
        if start["status"] not in (204, 304):  # They have no content (RFC 9110 §8.6).
            start["headers"].append((b"content-length", str(len(body)).encode()))
        return start, body


class _SpooledBody:
    """Body on disk that calls `closed` when it is closed, to release its share of MAX_SPOOLED."""

    def __init__(self, file: Any, closed: Callable[[], None]) -> None:
        self._file = file
        self._closed = closed
        for name in ("read", "readline", "readlines", "seek", "tell", "write"):
            setattr(self, name, getattr(file, name))

    def __enter__(self) -> "_SpooledBody":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._closed()


def _too_large(limit: int) -> TooLarge:
    return TooLarge("The request body is too large.", limit=limit)


async def _receive_part(receive: Any) -> dict[str, Any]:
    """Return a part of the body. Raise ClientDisconnected if the connection is closed."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientDisconnected
    return {"body": b"", **message}


def _closing(response: Any) -> Generator[bytes, None, None]:
    try:
        yield from response
    finally:
        response.close()


def request_meta(scope: Any) -> Environ:
    """Return the peer and headers of a request or WebSocket handshake as WSGI variables."""
    meta: Environ = {"REMOTE_ADDR": (scope.get("client") or ("", 0))[0]}
    for name, value in scope["headers"]:
        if key := _meta_key(name):
            text = value.decode("latin-1")
            meta[key] = f"{meta[key]},{text}" if key in meta and key != "CONTENT_TYPE" else text
    return meta


@lru_cache(maxsize=1_000)
def _meta_key(header: bytes) -> str | None:
    """Return the WSGI variable of the header, or None if it is left out."""
    name = header.decode("latin-1")
    if name == "content-length" or "_" in name:  # X_Api_Key must not pass for X-Api-Key.
        return None
    key = name.upper().replace("-", "_")
    return key if key == "CONTENT_TYPE" else f"HTTP_{key}"


def _environ(scope: Any, body: BinaryIO) -> Environ:
    """Return the WSGI environ of the request (PEP 3333)."""
    server = scope.get("server") or ("localhost", 80)
    environ: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": scope.get("root_path", "").encode().decode("latin-1"),
        "PATH_INFO": scope["path"].encode().decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1] or 80),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        **request_meta(scope),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    environ["CONTENT_LENGTH"] = str(body.seek(0, 2))  # Known by now, also for a chunked body.
    body.seek(0)
    return environ


def _error_response(error: BaseException, scope: Any) -> Response:
    """Return the response to an error outside of Django."""
    if isinstance(error, Unavailable):
        return problem_response(error, scope)
    log.error("request failed outside of Django", exc_info=error)
    return problem_response(Internal(), scope)


def problem_response(refusal: ProtocolError, scope: Any) -> Response:
    """Return the problem response of an error outside of Django, and log it."""
    proposed = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"x-request-id"), None)
    request_id = set_request_id(proposed)
    body = strict_json.dumps(refusal.body())
    headers = {
        "content-type": CONTENT_TYPE,
        "content-length": str(len(body)),
        "cache-control": PRIVATE,
        HEADER.lower(): request_id,
        **refusal.headers,
    }
    log.info("request refused", extra={"fields": {"path": scope["path"], "status": refusal.status, "code": refusal.code}})
    encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http.response.start", "status": refusal.status, "headers": encoded}, body
