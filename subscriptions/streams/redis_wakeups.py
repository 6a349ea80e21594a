"""Wake-ups between processes through the channel layer, in Redis (architecture §4).

A message only says that the log has new positions; its receivers read the log. Messages may be lost: readers poll every
second as well. While Redis is unavailable, events of other processes are delayed by a second, and one warning is logged.
"""

import asyncio
import logging
import random
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import uuid4

from channels.layers import DEFAULT_CHANNEL_LAYER, channel_layers
from django.conf import settings

from intents import wakeups

GROUP = "log"
PAUSE = 0.02  # Seconds between messages: a busy log sends 50 per second, not one per event.
PING_EVERY = 5.0  # Seconds without a message, after which the connection is tested.
ECHO_TIMEOUT = 1.0  # Seconds. Messages come back to their sender, which shows that it would receive those of others.
ATTEMPTS = 3  # A subscription may begin an instant after the first message.
MIN_RETRY_DELAY, MAX_RETRY_DELAY = 0.5, 5.0  # Seconds.

log = logging.getLogger("openintent.wakeups")


class EchoMissing(Exception):
    """A message has not come back to its sender."""


class RedisWakeups:
    """Sends this process's wake-ups and receives those of others, in a thread of its own, if Redis is configured.

    After any error it starts over in a new event loop, by which the channel layer keeps its state: the layer's own
    reconnection does not always end.
    """

    def __init__(self) -> None:
        self._sender_id = uuid4().hex
        self._thread = threading.Thread(target=self._run, name="redis-wakeups", daemon=True)
        self._stopping = threading.Event()
        self._has_news = False
        self._is_unavailable = False
        self._cancel: Callable[[], object] = lambda: None
        self._listener: wakeups.AsyncListener | None = None

    def start(self) -> None:
        """Start the thread. Idempotent: servers without a lifespan (daphne) call it at every request."""
        if settings.REDIS_URL and self._thread.ident is None:
            self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        with suppress(RuntimeError):  # The loop has ended.
            self._cancel()
        if self._thread.ident is not None:
            self._thread.join(timeout=5)

    def _run(self) -> None:
        delay = MIN_RETRY_DELAY

        def notify() -> None:
            self._has_news = True
            if self._listener:
                self._listener.notify()

        with wakeups.positions_assigned.listen(notify):
            while not self._stopping.is_set():
                was_unavailable = self._is_unavailable
                try:
                    asyncio.run(self._exchange())
                except asyncio.CancelledError:
                    pass
                except Exception as error:
                    if not self._is_unavailable:
                        self._is_unavailable = True
                        message = (
                            "Redis is unavailable (%s: %s): events of other processes are noticed within a second, not at once"
                        )
                        log.warning(message, type(error).__name__, error)
                is_still_unavailable = was_unavailable and self._is_unavailable
                delay = min(delay * 2, MAX_RETRY_DELAY) if is_still_unavailable else MIN_RETRY_DELAY
                self._stopping.wait(random.uniform(delay / 2, delay))

    async def _exchange(self) -> None:
        """Send and receive wake-ups until an error."""
        self._echo, self._listener = asyncio.Event(), (listener := wakeups.AsyncListener())
        task = asyncio.current_task()
        assert task
        self._cancel = partial(asyncio.get_running_loop().call_soon_threadsafe, task.cancel)
        layer = channel_layers.make_backend(DEFAULT_CHANNEL_LAYER)
        receiving = None
        try:
            channel = await layer.new_channel()
            await layer.group_add(GROUP, channel)
            receiving = asyncio.ensure_future(self._receive(layer, channel))
            await self._send(layer.send, channel)
            if self._is_unavailable:
                self._is_unavailable = False
                log.warning("Redis is available again")
            wakeups.remote_positions_assigned.notify()  # Messages may have been missed meanwhile.
            while not self._stopping.is_set():
                await listener.wait(PING_EVERY)
                has_news, self._has_news = self._has_news, False
                await (self._send(layer.group_send, GROUP) if has_news else self._send(layer.send, channel))
                await asyncio.sleep(PAUSE)
        finally:
            if receiving:
                receiving.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await receiving
            with suppress(Exception):  # Closes the connections, whatever their state.
                await layer.flush()

    async def _send(self, send: Any, to: str) -> None:
        """Send a message and wait for its echo. Raise EchoMissing if there is none, and any error of the layer."""
        self._echo.clear()
        for _ in range(ATTEMPTS):
            await send(to, {"type": "grown", "from": self._sender_id})
            with suppress(TimeoutError):
                await asyncio.wait_for(self._echo.wait(), ECHO_TIMEOUT)
                return
        raise EchoMissing("Redis does not return messages to their sender")

    async def _receive(self, layer: Any, channel: str) -> None:
        while True:
            message = await layer.receive(channel)
            if message.get("from") == self._sender_id:
                self._echo.set()
            else:
                wakeups.remote_positions_assigned.notify()
