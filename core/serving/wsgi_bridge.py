"""Django's synchronous stack in one hop: the whole WSGI handler runs in one of a few threads that keep their connections.

Django's own ASGI handler hops between threads several times for a request, and opens a connection for each
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
from core.serving.thread_pool import ThreadPool

SPOOL_ABOVE = 2**20  # Bytes of a body that are kept in memory; what is larger goes to disk.
UNASKED = 64 * 2**10  # Bytes of a body for whose announcement nobody is asked whether its sender may send it.
WAIT_FOR_THREAD = 10.0  # Seconds.

log = logging.getLogger("openintent.wsgi")

Environ = dict[str, Any]
Response = tuple[dict[str, Any], bytes | Generator[bytes, None, None]]


class BodyLimits(Protocol):
    """How many bytes a request's body may have."""

    def max_body(self, scope: Any) -> int:
        """Whoever sends it."""

    def known_limit(self, scope: Any) -> int | None:
        """From this caller; None where only the database knows."""

    def looked_up_limit(self, scope: Any) -> int:
        """The same in a thread, asking the database. Raises ProtocolError for a caller whose body is not read."""


class ClientDisconnected(Exception):
    """The client has closed the connection before its request was complete."""


class WSGIBridge:
    """An ASGI application that runs a WSGI one. Its threads are its own: a long stream elsewhere takes none of them."""

    def __init__(self, wsgi: Callable[..., Any], *, threads: int, limits: BodyLimits) -> None:
        self.wsgi = wsgi
        self.limits = limits
        self.spooled = 0
        """Bytes of all bodies that did not come in one part and whose requests are not answered yet."""
        self.threads = ThreadPool(threads, "django")
        self.free = asyncio.Semaphore(threads)

    def close(self) -> None:
        self.threads.close()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            body = await self._read(scope, receive)
        except ClientDisconnected:
            return
        except ProtocolError as refusal:
            refusal.headers["Connection"] = "close"  # The rest of the body is not read.
            return await send_problem(refusal, scope, send)
        with body:
            try:
                start, parts = await self._through_django(_environ(scope, body))
            except Unavailable as refusal:
                return await send_problem(refusal, scope, send)
            except Exception:
                log.exception("a request failed outside of Django")
                return await send_problem(Internal(), scope, send)
        await self._answer(start, parts, send)

    async def fetch(self, scope: Any) -> list[Any]:
        """The messages that answer the request, taken to have no body."""
        answer: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            answer.append(message)

        await self(scope, receive, send)
        return answer

    async def _read(self, scope: Any, receive: Any) -> BinaryIO:
        """Return the whole body. Raises TooLarge before more than the limit was read, BodyTimeout, Unavailable, ClientGone.

        Of who may not send one, no more is read than what came with the head.
        """
        limit = self.limits.max_body(scope)
        expected = 0
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit():
                expected = int(value)
        if expected > limit:
            raise _too_large(limit)
        is_asked = expected > UNASKED
        if is_asked and expected > (limit := await self._limit_of_caller(scope)):
            raise _too_large(limit)
        message = await _receive_part(receive)
        if not message.get("more_body", False) and len(message["body"]) <= limit:
            return BytesIO(message["body"])  # As nearly all do, it came in one part.
        if not is_asked:
            limit = await self._limit_of_caller(scope)
        return await self._spool(message, receive, limit)

    async def _limit_of_caller(self, scope: Any) -> int:
        """Raises ProtocolError for a caller whose body is not read."""
        known = self.limits.known_limit(scope)
        if known is not None:
            return known
        await self._take_thread()
        try:
            return await self.threads.run(self.limits.looked_up_limit, scope)
        finally:
            self.free.release()

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
                        raise Unavailable("Too many large bodies are on their way.")
                    body.write(message["body"])
                    if not message.get("more_body", False):
                        body.seek(0)
                        return cast(BinaryIO, _Spooled(body, partial(self._give_back, size)))
                    message = await _receive_part(receive)
        except BaseException as error:
            self._give_back(size)
            body.close()
            if isinstance(error, TimeoutError):
                raise BodyTimeout(settings.BODY_TIMEOUT) from None
            raise

    def _give_back(self, size: int) -> None:
        self.spooled -= size

    async def _take_thread(self) -> None:
        """Raises Unavailable where none becomes free in time."""
        if not self.free.locked():
            await self.free.acquire()
            return
        try:
            await asyncio.wait_for(self.free.acquire(), WAIT_FOR_THREAD)
        except TimeoutError:
            raise Unavailable("The server is too busy at the moment.") from None

    async def _through_django(self, environ: Environ) -> Response:
        """Raises Unavailable."""
        await self._take_thread()
        try:
            return await self.threads.run(self._run, environ)
        finally:
            self.free.release()  # Before the answer goes out: a client that does not read it keeps nobody waiting.

    async def _answer(self, start: dict[str, Any], parts: bytes | Generator[bytes, None, None], send: Any) -> None:
        if isinstance(parts, bytes):
            await send(start)
            await send({"type": "http.response.body", "body": parts})
            return
        try:
            await send(start)
            while (part := await self.threads.run(next, parts, None)) is not None:
                await send({"type": "http.response.body", "body": part, "more_body": True})  # Waits for a slow reader.
            await send({"type": "http.response.body", "body": b""})
        finally:
            await self.threads.run(parts.close)

    def _run(self, environ: Environ) -> Response:
        """In a thread: run Django. Answers the start of the response, and its body: whole, or part by part for a stream."""
        start: dict[str, Any] = {"type": "http.response.start"}

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            start["status"] = int(status[:3])
            start["headers"] = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]

        response = self.wsgi(environ, start_response)
        if getattr(response, "streaming", False):
            return start, _parts(response)
        try:
            body = b"".join(response)
        finally:
            response.close()
        start["headers"] = [header for header in start["headers"] if header[0] != b"content-length"]
        if start["status"] not in (204, 304):  # One has no content, the other that of what it does not send (RFC 9110 §8.6).
            start["headers"].append((b"content-length", str(len(body)).encode()))
        return start, body


class _Spooled:
    """A body that takes nothing any more from what all of them may have, once it is closed."""

    def __init__(self, file: Any, closed: Callable[[], None]) -> None:
        self._file = file
        self._closed = closed
        for name in ("read", "readline", "readlines", "seek", "tell", "write"):
            setattr(self, name, getattr(file, name))

    def __enter__(self) -> "_Spooled":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._closed()


def _too_large(limit: int) -> TooLarge:
    return TooLarge("The body of the request is too large.", limit=limit)


async def _receive_part(receive: Any) -> dict[str, Any]:
    """A part of the body. Raises ClientGone."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientDisconnected
    return {"body": b"", **message}


def _parts(response: Any) -> Generator[bytes, None, None]:
    try:
        yield from response
    finally:
        response.close()


def request_meta(scope: Any) -> Environ:
    """Return the peer and the headers of a request, or of a WebSocket's handshake, as WSGI has them."""
    meta: Environ = {"REMOTE_ADDR": (scope.get("client") or ("", 0))[0]}
    for name, value in scope["headers"]:
        if key := _meta_key(name):
            text = value.decode("latin-1")
            meta[key] = f"{meta[key]},{text}" if key in meta and key != "CONTENT_TYPE" else text
    return meta


@lru_cache(maxsize=1_000)
def _meta_key(header: bytes) -> str | None:
    """Return WSGI's name of the header; None for one that is left out."""
    name = header.decode("latin-1")
    if name == "content-length" or "_" in name:  # X_Api_Key must not pass for X-Api-Key.
        return None
    key = name.upper().replace("-", "_")
    return key if key == "CONTENT_TYPE" else f"HTTP_{key}"


def _environ(scope: Any, body: BinaryIO) -> Environ:
    """WSGI's view of the request (PEP 3333)."""
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


async def send_problem(refusal: ProtocolError, scope: Any, send: Any) -> None:
    """Answer with the refusal, where the request does not come as far as Django, or has passed it."""
    offered = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"x-request-id"), None)
    request_id = set_request_id(offered)
    body = strict_json.dumps(refusal.body())
    headers = {
        "content-type": CONTENT_TYPE,
        "content-length": str(len(body)),
        "cache-control": PRIVATE,
        HEADER.lower(): request_id,
        **refusal.headers,
    }
    log.info("refused", extra={"fields": {"path": scope["path"], "status": refusal.status, "code": refusal.code}})
    encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": refusal.status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})
