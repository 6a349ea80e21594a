"""Direct requests: from uvicorn's parser to a thread and back to the socket, without an ASGI task.

The task, its events and two separate writes are half of what a small request costs in the event loop. Only requests to
Django whose whole body has arrived are handled in this way; all others go the way of ASGI.
"""

from collections.abc import Callable
from copy import copy
from functools import cache
from typing import Any

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from core.serving.wsgi_bridge import Response, WSGIBridge

Prepare = Callable[[Any], Any]
"""Returns the scope of a request as the bridge gets it, or None if the request is not for the bridge."""

_handlers: list[tuple[WSGIBridge, Prepare]] = []


def register(bridge: WSGIBridge, prepare: Prepare) -> None:
    """Let the bridge handle requests directly."""
    _handlers[:] = [(bridge, prepare)]


def submit(app: Any, scope: Any, body: bytes, respond: Callable[[Response], None]) -> bool:
    """Run the request; `respond` gets the response, in the event loop. Return False, and do nothing, if it must go to `app`.

    `app` is what uvicorn calls; its handling of proxies' headers is applied.
    """
    for bridge, prepare in _handlers:
        prepared = prepare(_with_proxy_headers(app, scope))
        return prepared is not None and bridge.submit(prepared, body, respond)
    return False


def sender(response: Response) -> Callable[[Any, Any, Any], Any]:
    """Return an ASGI application that sends the response, which is a stream."""

    async def send_response(scope: Any, receive: Any, send: Any) -> None:
        await _handlers[0][0].send(response, send)

    return send_response


def _with_proxy_headers(app: Any, scope: Any) -> Any:
    """Return the scope with the client and scheme that a trusted proxy names."""
    if not isinstance(app, ProxyHeadersMiddleware) or not any(name.startswith(b"x-forwarded-") for name, _ in scope["headers"]):
        return scope
    changed = {**scope}
    coroutine: Any = _for_scope_only(app)(changed, None, None)  # type: ignore[arg-type]
    try:
        coroutine.send(None)  # It waits for nothing.
    except StopIteration:
        return changed
    raise AssertionError("uvicorn's ProxyHeadersMiddleware has waited")


@cache
def _for_scope_only(app: ProxyHeadersMiddleware) -> ProxyHeadersMiddleware:
    async def ignore(*_: Any) -> None: ...

    middleware = copy(app)
    middleware.app = ignore
    return middleware
