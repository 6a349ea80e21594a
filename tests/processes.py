"""The project's programs as processes of their own, which begin in a fraction of a second.

To import the libraries takes three quarters of a server's start, and the tests start hundreds of programs. So one process
imports them once, and each program is forked from it: it has its own environment, pipes, signals and exit code, and imports
all modules of the project itself. What is shown of the start as users have it takes `subprocess` (tests/config/test_server.py).
"""

import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from io import TextIOWrapper
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent

LIBRARIES = [
    "daphne.server",
    "django.contrib.admin",
    "django.contrib.postgres.fields",
    "django.core.management",
    "django.db.backends.postgresql.base",
    "django.db.backends.sqlite3.base",
    "django.db.migrations.executor",
    "django.test",
    "environ",
    "httptools",
    "inflection",
    "jsonschema",
    "markdown",
    "orjson",
    "psycopg",
    "pygments.formatters.html",
    "pygments.lexers.special",
    "requests_hardened",
    "storages.backends.s3",
    "uritemplate",
    "uvicorn",
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.protocols.websockets.websockets_sansio_impl",
    "uvloop",
    "websockets",
    "whitenoise.middleware",
    "yaml",
]
"""What takes long to import, and looks at no setting as it is imported."""


class Process:
    """`python -m module arguments…` at the root of the checkout, with what tests use of `subprocess.Popen`."""

    def __init__(
        self, module: str, arguments: Sequence[str], environment: Mapping[str, str], *, reads_stdout: bool = False
    ) -> None:
        """`environment` is all that it sees. Its stderr is a pipe; so is its stdout for a caller who reads it."""
        self.args = [module, *arguments]
        stderr, its_stderr = _context().Pipe(duplex=False)
        stdout, its_stdout = _context().Pipe(duplex=False) if reads_stdout else (None, None)
        self._process = _context().Process(
            target=_run, args=(module, list(arguments), dict(environment), its_stdout, its_stderr), daemon=True
        )
        self._process.start()
        for end in filter(None, (its_stdout, its_stderr)):
            end.close()
        self.stdout, self.stderr = stdout and _text(stdout), _text(stderr)
        self.pid: int = self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Raises TimeoutExpired."""
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def run(module: str, arguments: Sequence[str], environment: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run it to its end."""
    process = Process(module, arguments, environment, reads_stdout=True)
    assert process.stdout
    with process.stdout, process.stderr, ThreadPoolExecutor(1) as pool:
        errors = pool.submit(process.stderr.read)
        output = process.stdout.read()
        return subprocess.CompletedProcess(process.args, process.wait(), output, errors.result())


@cache
def _context() -> Any:
    context = get_context("forkserver")
    context.set_forkserver_preload(LIBRARIES)
    return context


def _text(pipe: Connection) -> TextIOWrapper:
    reader = open(os.dup(pipe.fileno()), encoding="utf-8")  # noqa: SIM115  Whoever has the process closes it.
    pipe.close()
    return reader


def _run(module: str, arguments: list[str], environment: dict[str, str], stdout: Connection | None, stderr: Connection) -> None:
    """In the new process."""
    for pipe, number in (stdout, 1), (stderr, 2):
        if pipe:
            os.dup2(pipe.fileno(), number)
            pipe.close()
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
