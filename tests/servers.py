"""Servers as processes of their own, as users run them."""

import atexit
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from hashlib import sha256
from typing import Any

from tests.processes import ROOT, Process

ATTACHMENTS = tempfile.mkdtemp(prefix="openintent-attachments-")
atexit.register(shutil.rmtree, ATTACHMENTS, ignore_errors=True)

STARTUP = 60.0  # Seconds, on a machine that is busy with other tests.


class Server:
    """An `openintent-server` on a free port of this machine, in dev mode unless `environment` says otherwise.

    Use it in a `with` block, or `start` it; `kill` is kill -9, `stop` is SIGTERM.
    """

    forked = False
    """Whether it is forked (tests.processes), as tests have it; benchmarks measure servers as users start them."""

    def __init__(self, database_url: str, **environment: str) -> None:
        self.database_url = database_url
        self.environment = environment
        self.url = ""
        self.port = "0"  # That the system chooses; another to start again where it was.
        self.log: deque[str] = deque(maxlen=2000)

    def __enter__(self) -> "Server":
        return self.start()

    def __exit__(self, *_: Any) -> None:
        self.stop()

    def start(self, *program: str) -> "Server":
        """`program` is what Python runs, instead of the server as it is."""
        self.process = self._begin(program)
        announced = threading.Event()
        self._reader = threading.Thread(target=self._read_log, args=[announced], daemon=True)
        self._reader.start()
        announced.wait(STARTUP)
        if not self._listens():
            self.kill()
            raise RuntimeError("the server did not start:\n" + "\n".join(self.log))
        return self

    def _begin(self, program: tuple[str, ...]) -> "Process | subprocess.Popen[str]":
        arguments = ["--host", "127.0.0.1", "--port", self.port, "--database-url", self.database_url]
        environment = {**os.environ, **self._defaults(), **self.environment}
        if self.forked and not program:
            return Process("config.server", arguments, environment)
        command = [sys.executable, *(program or ("-m", "config.server")), *arguments]
        return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)

    def _defaults(self) -> dict[str, str]:
        """Servers of one database have one folder for files: by default, beside PostgreSQL, that is the checkout."""
        folder = f"{ATTACHMENTS}/{sha256(self.database_url.encode()).hexdigest()[:16]}"
        return {"OPENINTENT_LOG_LEVEL": "info", "PYTHONUNBUFFERED": "1", "OPENINTENT_ATTACHMENTS_DIR": folder}

    @property
    def api(self) -> str:
        return f"{self.url}/api/v1"

    def kill(self) -> None:
        self.process.kill()
        self._wait()

    def stop(self) -> int:
        """End it as an operator does. Answers the exit code."""
        self.process.terminate()
        return self._wait()

    def _wait(self) -> int:
        code = self.process.wait(timeout=30)
        self._reader.join()
        assert self.process.stderr
        self.process.stderr.close()
        return code

    def _listens(self) -> bool:
        """Whether it takes connections: now, or soon after it has said where."""
        deadline = time.monotonic() + STARTUP
        while self.url and self.process.poll() is None and time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", int(self.url.rpartition(":")[2]))).close()
                return True
            except ConnectionRefusedError:
                time.sleep(0.01)
        return False

    def _read_log(self, announced: threading.Event) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self.log.append(line.rstrip())
            if match := re.match(r"  API +http://localhost:(\d+)", line):
                self.url = f"http://127.0.0.1:{match[1]}"
                announced.set()
        announced.set()


class Started(Server):
    """As users start it, by a Python of its own: where the start or the end is the point, or its memory is measured."""

    forked = False
