"""Rings between processes, through the channel layer (architecture §4).

What is sent says that the log has grown, and nothing else; whoever hears it reads the log. All of it may be lost: readers
look every second by themselves. A Redis that is away costs a second's delay, and one warning.
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
PAUSE = 0.02  # Seconds between two rings: a busy log rings 50 times a second, not for each event.
ASK_EVERY = 5.0  # Seconds without a ring, after which the way is tried.
ECHO_WITHIN = 1.0  # Seconds. What is sent comes back to the sender as well: this is how it knows that it would hear others.
TRIES = 3  # A subscription may begin an instant after the first message.
RETRY_AFTER, RETRY_AT_MOST = 0.5, 5.0  # Seconds.

log = logging.getLogger("openintent.wakeups")


class EchoMissing(Exception):
    """What was sent has not come back."""


class RedisWakeups:
    """Passes on the rings of this process's log and rings those of others, in a thread of its own, where Redis is configured.

    A connection that fails in any way is given up, and all begins anew in another event loop, which is what the layer keeps
    its state by: its own attempts to mend a connection do not always end.
    """

    def __init__(self) -> None:
        self._me = uuid4().hex
        self._thread = threading.Thread(target=self._run, name="ringing", daemon=True)
        self._stopping = threading.Event()
        self._has_news = False
        self._is_away = False
        self._stop: Callable[[], object] = lambda: None
        self._ear: wakeups.AsyncListener | None = None

    def start(self) -> None:
        """Again does nothing: a server without a lifespan (daphne) asks at every request."""
        if settings.REDIS_URL and self._thread.ident is None:
            self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        with suppress(RuntimeError):  # That loop has ended.
            self._stop()
        if self._thread.ident is not None:
            self._thread.join(timeout=5)

    def _run(self) -> None:
        pause = RETRY_AFTER
        with wakeups.positions_assigned.listen(self._ring):
            while not self._stopping.is_set():
                was_away = self._is_away
                self._connect()
                pause = min(pause * 2, RETRY_AT_MOST) if was_away and self._is_away else RETRY_AFTER
                self._stopping.wait(random.uniform(pause / 2, pause))

    def _ring(self) -> None:
        self._has_news = True
        if self._ear:
            self._ear.notify()

    def _connect(self) -> None:
        try:
            asyncio.run(self._ring_and_hear())
        except asyncio.CancelledError:
            pass
        except Exception as error:
            self._warn(error)

    async def _ring_and_hear(self) -> None:
        """Until something fails."""
        self._echo, self._ear = asyncio.Event(), (ear := wakeups.AsyncListener())
        task = asyncio.current_task()
        assert task
        self._stop = partial(asyncio.get_running_loop().call_soon_threadsafe, task.cancel)
        layer = channel_layers.make_backend(DEFAULT_CHANNEL_LAYER)
        hearing = None
        try:
            channel = await layer.new_channel()
            await layer.group_add(GROUP, channel)
            hearing = asyncio.ensure_future(self._hear(layer, channel))
            await self._ask(layer, channel)
            self._say_that_it_is_back()
            await self._pass_on(ear, layer, channel)
        finally:
            await _end(layer, hearing)

    async def _pass_on(self, ear: wakeups.AsyncListener, layer: Any, channel: str) -> None:
        while not self._stopping.is_set():
            await ear.wait(ASK_EVERY)
            has_news, self._has_news = self._has_news, False
            await (self._send(layer.group_send, GROUP) if has_news else self._ask(layer, channel))
            await asyncio.sleep(PAUSE)

    async def _ask(self, layer: Any, channel: str) -> None:
        """Send something to ourselves alone. Raises Deaf."""
        await self._send(layer.send, channel)

    async def _send(self, send: Any, to: str) -> None:
        """Send, and see it come back. Raises Deaf, and whatever the layer raises."""
        self._echo.clear()
        for _ in range(TRIES):
            await send(to, {"type": "grown", "from": self._me})
            with suppress(TimeoutError):
                await asyncio.wait_for(self._echo.wait(), ECHO_WITHIN)
                return
        raise EchoMissing("Redis does not send back what it was sent")

    async def _hear(self, layer: Any, channel: str) -> None:
        while True:
            message = await layer.receive(channel)
            if message.get("from") == self._me:
                self._echo.set()
            else:
                wakeups.remote_positions_assigned.notify()

    def _warn(self, error: Exception) -> None:
        if not self._is_away:
            self._is_away = True
            log.warning(
                "Redis cannot be used (%s: %s): what other processes write is noticed within a second, not at once",
                type(error).__name__,
                error,
            )

    def _say_that_it_is_back(self) -> None:
        if self._is_away:
            self._is_away = False
            log.warning("Redis is back")
        wakeups.remote_positions_assigned.notify()  # Nobody knows what was rung meanwhile.


async def _end(layer: Any, hearing: "asyncio.Future[None] | None") -> None:
    """Close the connections, whatever state they are in."""
    if hearing:
        hearing.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await hearing
    with suppress(Exception):
        await layer.flush()
