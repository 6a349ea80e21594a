"""`openintent-server --workers N`: processes that serve one port, and one that looks after them.

uvicorn's own supervisor is not used: its children outlive a parent that is killed, one that needs longer than a ping to
start is killed again and again, its exit code is 0 when nothing could be started, and it runs the caller's script anew.
"""

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep

from core.serving.uvicorn_server import GRACE

LOOK_EVERY = 0.1  # Seconds.
START_WITHIN = 120.0  # Seconds, on a machine that is busy.
STUCK_AFTER = 30.0  # Seconds without a beat, after which a process is taken to be stuck.
PAUSE = 1.0  # Seconds between the starts of one that dies at birth and of the next.
END_WITHIN = GRACE + 20.0  # Seconds: those of running requests, and those of what runs beside them.

log = logging.getLogger("openintent.supervisor")


class StartupFailed(RuntimeError):
    """No process could be brought to serve; its own last words are above."""


class WorkerProcess:
    """A process that serves. A pair of sockets joins it to this one: it sends beats, and ends when the other side is gone."""

    def __init__(self, listener: socket.socket, environment: dict[str, str]) -> None:
        self.since = self.last_beat = monotonic()
        self.is_serving = False
        self._line, theirs = socket.socketpair()
        self._line.setblocking(False)
        with theirs:
            fds = (listener.fileno(), theirs.fileno())
            # -P: what lies in the working directory must not stand in for a module of ours; all paths are in the environment.
            command = [sys.executable, "-P", "-m", "core.serving.worker_process", *map(str, fds)]
            self.process = subprocess.Popen(command, env=environment, pass_fds=fds)

    @property
    def pid(self) -> int:
        return self.process.pid

    def look(self) -> None:
        """Hear its beats; kill it where they have stopped."""
        if self._beats():
            self.is_serving, self.last_beat = True, monotonic()
        elif monotonic() - self.last_beat > (STUCK_AFTER if self.is_serving else START_WITHIN):
            log.error("process %d is stuck, and killed", self.pid)
            self.process.kill()
            self.process.wait()

    def has_ended(self) -> bool:
        return self.process.poll() is not None

    def leave(self) -> None:
        """Let go of what is kept for it."""
        self._line.close()

    def _beats(self) -> bool:
        try:
            return bool(self._line.recv(1024))
        except OSError:  # Nothing came, or the process is gone.
            return False


class Supervisor:
    """`run` keeps so many processes serving until SIGINT or SIGTERM."""

    def __init__(self, size: int, listener: socket.socket, environment: dict[str, str]) -> None:
        """`environment` is added to this process's own."""
        self._size = size
        self._listener = listener
        self._environment = {**os.environ, **environment, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))}
        self._members: list[WorkerProcess] = []
        self._has_served = False
        self._signal = 0

    def run(self) -> None:
        """Raises CrewFailed, KeyboardInterrupt."""
        with self._signals():
            try:
                for _ in range(self._size):
                    self._members.append(self._start())
                while not self._signal:
                    self._look()
                    sleep(LOOK_EVERY)
            finally:
                self._end()
        if self._signal == signal.SIGINT:
            raise KeyboardInterrupt

    def _start(self) -> WorkerProcess:
        return WorkerProcess(self._listener, self._environment)

    def _look(self) -> None:
        for number, member in enumerate(self._members):
            member.look()
            self._has_served = self._has_served or member.is_serving
            if member.has_ended():
                self._replace(number, member)

    def _replace(self, number: int, member: WorkerProcess) -> None:
        if not self._has_served:
            raise StartupFailed(f"a process ended before it could serve, with the code {member.process.returncode}.")
        if monotonic() - member.since < PAUSE:
            return
        log.warning("process %d ended with the code %d and is replaced", member.pid, member.process.returncode)
        member.leave()
        self._members[number] = self._start()

    def _end(self) -> None:
        """Have all of them finish what they do; kill those that take too long."""
        for member in self._members:
            member.process.terminate()
        deadline = monotonic() + END_WITHIN
        for member in self._members:
            try:
                member.process.wait(max(0.0, deadline - monotonic()))
            except subprocess.TimeoutExpired:
                log.error("process %d does not end, and is killed", member.pid)
                member.process.kill()
                member.process.wait()
            member.leave()

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Note a signal instead of dying of it."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _note(self, number: int, _: object) -> None:
        self._signal = self._signal or number
