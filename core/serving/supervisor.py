"""Supervisor of `openintent-server --workers N`: starts, watches and replaces the processes that share one port.

uvicorn's own supervisor is not used: its children outlive a parent that is killed, one that needs longer than a ping to
start is killed again and again, its exit code is 0 when no process could start, and it runs the caller's script again.
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

POLL_EVERY = 0.1  # Seconds.
START_TIMEOUT = 120.0  # Seconds, on a busy machine.
HEARTBEAT_TIMEOUT = 30.0  # Seconds without a heartbeat, after which a process counts as stuck.
RESTART_DELAY = 1.0  # Seconds between starts of a process that exits at once.
STOP_TIMEOUT = GRACE + 20.0  # Seconds: for running requests, and for what runs beside them.

log = logging.getLogger("openintent.supervisor")


class StartupFailed(RuntimeError):
    """A process exited before any of them served; it has logged the reason."""


class WorkerProcess:
    """A serving process. It sends heartbeats over a socket pair, and stops when the supervisor's end is closed."""

    def __init__(self, listener: socket.socket, environment: dict[str, str]) -> None:
        self.started_at = self.last_heartbeat = monotonic()
        self.is_serving = False
        self._heartbeats, theirs = socket.socketpair()
        self._heartbeats.setblocking(False)
        with theirs:
            fds = (listener.fileno(), theirs.fileno())
            # -P: modules in the working directory must not shadow ours; all paths are in the environment.
            command = [sys.executable, "-P", "-m", "core.serving.worker_process", *map(str, fds)]
            self.process = subprocess.Popen(command, env=environment, pass_fds=fds)

    def check(self) -> None:
        """Read its heartbeats; kill it if they have stopped."""
        try:
            received = self._heartbeats.recv(1024)
        except OSError:  # There was none, or the process is gone.
            received = b""
        if received:
            self.is_serving, self.last_heartbeat = True, monotonic()
        elif monotonic() - self.last_heartbeat > (HEARTBEAT_TIMEOUT if self.is_serving else START_TIMEOUT):
            log.error("process %d is stuck and is killed", self.process.pid)
            self.process.kill()
            self.process.wait()

    def close(self) -> None:
        """Close the socket of its heartbeats."""
        self._heartbeats.close()


class Supervisor:
    """Keeps `size` processes serving until SIGINT or SIGTERM."""

    def __init__(self, size: int, listener: socket.socket, environment: dict[str, str]) -> None:
        """`environment` is added to this process's own."""
        self._size = size
        self._listener = listener
        self._environment = {**os.environ, **environment, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))}
        self._processes: list[WorkerProcess] = []
        self._has_served = False
        self._signal = 0

    def run(self) -> None:
        """Start the processes and replace those that exit. Raise StartupFailed, or KeyboardInterrupt after SIGINT."""
        with self._record_signals():
            try:
                for _ in range(self._size):
                    self._processes.append(WorkerProcess(self._listener, self._environment))
                while not self._signal:
                    for index, process in enumerate(self._processes):
                        process.check()
                        self._has_served = self._has_served or process.is_serving
                        if process.process.poll() is not None:
                            self._replace(index, process)
                    sleep(POLL_EVERY)
            finally:
                self._stop()
        if self._signal == signal.SIGINT:
            raise KeyboardInterrupt

    def _replace(self, index: int, process: WorkerProcess) -> None:
        if not self._has_served:
            raise StartupFailed(f"a process exited with code {process.process.returncode} before it could serve.")
        if monotonic() - process.started_at < RESTART_DELAY:
            return
        log.warning("process %d exited with code %d and is replaced", process.process.pid, process.process.returncode)
        process.close()
        self._processes[index] = WorkerProcess(self._listener, self._environment)

    def _stop(self) -> None:
        """Let the processes finish their requests; kill those that exceed the timeout."""
        for process in self._processes:
            process.process.terminate()
        deadline = monotonic() + STOP_TIMEOUT
        for process in self._processes:
            try:
                process.process.wait(max(0.0, deadline - monotonic()))
            except subprocess.TimeoutExpired:
                log.error("process %d does not stop and is killed", process.process.pid)
                process.process.kill()
                process.process.wait()
            process.close()

    @contextmanager
    def _record_signals(self) -> Iterator[None]:
        """Record SIGINT and SIGTERM instead of being ended by them."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def record(number: int, _: object) -> None:
            self._signal = self._signal or number

        before = {number: signal.signal(number, record) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
