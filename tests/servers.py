"""Servers as processes of their own, as users run them."""

import os
import re
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path
from typing import Any

STARTUP = 60.0  # Seconds, on a machine that is busy with other tests.


class Server:
    """An `openintent-server` on a free port of this machine, in dev mode unless `environment` says otherwise.

    Use it in a `with` block, or `start` it; `kill` is kill -9, `stop` is SIGTERM.
    """

    def __init__(self, database_url: str, **environment: str) -> None:
        self.database_url = database_url
        self.environment = environment
        self.url = ""
        self.log: deque[str] = deque(maxlen=2000)

    def __enter__(self) -> "Server":
        return self.start()

    def __exit__(self, *_: Any) -> None:
        self.stop()

    def start(self) -> "Server":
        self.process = subprocess.Popen(
            [sys.executable, "-m", "config.server", "--host", "127.0.0.1", "--port", "0", "--database-url", self.database_url],
            cwd=Path(__file__).parent.parent,
            env={**os.environ, "OPENINTENT_LOG_LEVEL": "info", "PYTHONUNBUFFERED": "1", **self.environment},
            stderr=subprocess.PIPE,
            text=True,
        )
        ready = threading.Event()
        self._reader = threading.Thread(target=self._read_log, args=[ready], daemon=True)
        self._reader.start()
        if not ready.wait(STARTUP) or not self.url:
            self.kill()
            raise RuntimeError("the server did not start:\n" + "\n".join(self.log))
        return self

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

    def _read_log(self, ready: threading.Event) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self.log.append(line.rstrip())
            if match := re.match(r"  API +http://localhost:(\d+)", line):
                self.url = f"http://127.0.0.1:{match[1]}"
            if "Application startup complete" in line:
                ready.set()
        ready.set()
