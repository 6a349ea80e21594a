"""Test runner: `python -m tests [--all | --rest]` runs the tests on SQLite and on PostgreSQL, side by side.

Without an option it runs the quick ones, `--rest` those that it leaves out, `--all` both (tests/pytest_plugin.py). With these two, the
quick ones then run without the server's fast paths. Other arguments go to pytest.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROCESSES = {"sqlite": 2, "postgresql": 1}
"""Of a quick run, whose larger part is SQLite's."""
PROCESSES_OF_ALL = {"sqlite": 2, "postgresql": 2}
DISTRIBUTION = ("--dist=loadfile", "--no-loadscope-reorder")
SCOPES = {"--all": "all", "--rest": "rest"}


def main(arguments: list[str]) -> int:
    """Run both databases' tests. Return the higher exit code."""
    scope = next((SCOPES[each] for each in arguments if each in SCOPES), "quick")
    others = [each for each in arguments if each not in SCOPES]
    with ThreadPoolExecutor(len(PROCESSES)) as pool:
        found = [*pool.map(partial(run, scope=scope, arguments=others), PROCESSES)]
        if scope != "quick":
            found += pool.map(partial(run, scope="quick", arguments=others, OPENINTENT_FAST_PATHS="0"), PROCESSES)
        return max(found)


def run(vendor: str, scope: str, arguments: list[str], **environment: str) -> int:
    """Run pytest on that database, with the database's name before each line of its output. Return its exit code."""
    processes = (PROCESSES if scope == "quick" else PROCESSES_OF_ALL)[vendor]
    command = [sys.executable, "-m", "pytest", f"--scope={scope}", f"--numprocesses={processes}", *DISTRIBUTION, *arguments]
    environment = {**os.environ, "TEST_DATABASE": vendor, "PYTHONUNBUFFERED": "1", **environment}
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
    sys.exit(main(sys.argv[1:]))
