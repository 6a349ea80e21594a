"""`python -m tests`: the whole suite on SQLite and on PostgreSQL, side by side. Arguments go to pytest.

Each database's run leaves out what the other's shows (tests/plugin.py); `SYSTEM_ROUNDS=full` runs everything on both.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

VENDORS = ("sqlite", "postgresql")
ROOT = Path(__file__).parent.parent
SHARED_OUT = ("--numprocesses=2", "--dist=loadfile", "--no-loadscope-reorder")
"""Much of the suite waits for servers. `-n 0` among the arguments keeps each database's tests in one process."""


def main() -> int:
    with ThreadPoolExecutor(len(VENDORS)) as pool:
        return max(pool.map(partial(run, arguments=sys.argv[1:]), VENDORS))


def run(vendor: str, arguments: list[str]) -> int:
    """Run pytest on that database, each line of what it says after the database's name. Answers its exit code."""
    command = [sys.executable, "-m", "pytest", *SHARED_OUT, *arguments]
    environment = {**os.environ, "TEST_DATABASE": vendor, "TEST_SHARED_OUT": "1", "PYTHONUNBUFFERED": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # Each of a hundred processes would compile the project anew.
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        assert process.stdout
        for line in process.stdout:
            sys.stdout.write(f"{vendor:<10} | {line}")
            sys.stdout.flush()
    return process.returncode


if __name__ == "__main__":
    sys.exit(main())
