"""Test runner: `python -m tests [--all | --rest]` runs the tests on SQLite and on PostgreSQL, side by side.

Without an option it runs the quick ones, `--rest` those that it leaves out, `--all` both (tests/pytest_plugin.py). With these two, the
quick ones then run without the server's fast paths. Other arguments go to pytest.
"""

import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Thread

ROOT = Path(__file__).parent.parent
PROCESSES = {"sqlite": 2, "postgresql": 1}
"""Of a quick run, whose larger part is SQLite's."""
PROCESSES_OF_ALL = {"sqlite": 2, "postgresql": 2}
DISTRIBUTION = ("--dist=loadfile", "--no-loadscope-reorder", "--max-worker-restart=0")
SECONDS_TO_READ = 10
"""The output has no end as long as a server has it that outlived a process of the tests (faulthandler_exit_on_timeout)."""
REPEATED_LINES = 100
"""Of a run that failed: the end of an output is what is read, and all that some systems keep."""
SCOPES = {"--all": "all", "--rest": "rest"}


def main(arguments: list[str]) -> int:
    """Run both databases' tests, then repeat the ends of the runs that failed. Return the highest exit code."""
    scope = next((SCOPES[each] for each in arguments if each in SCOPES), "quick")
    others = [each for each in arguments if each not in SCOPES]
    with ThreadPoolExecutor(len(PROCESSES)) as pool:
        found = [*pool.map(partial(run, scope=scope, arguments=others), PROCESSES)]
        if scope != "quick":
            found += pool.map(partial(run, scope="quick", arguments=others, OPENINTENT_FAST_PATHS="0"), PROCESSES)
    for code, end in found:
        if code:
            sys.stdout.writelines(["\n", *end])
    return max(code for code, _ in found)


def run(vendor: str, scope: str, arguments: list[str], **environment: str) -> tuple[int, deque[str]]:
    """Run pytest on that database, with the database's name before each line of its output. Return its exit code and the last lines."""
    processes = (PROCESSES if scope == "quick" else PROCESSES_OF_ALL)[vendor]
    command = [sys.executable, "-m", "pytest", f"--scope={scope}", f"--numprocesses={processes}", *DISTRIBUTION, *arguments]
    environment = {**os.environ, "TEST_DATABASE": vendor, "PYTHONUNBUFFERED": "1", **environment}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # Each of a hundred processes would compile the project anew.
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    assert process.stdout
    end: deque[str] = deque(maxlen=REPEATED_LINES)
    reader = Thread(target=_copy, args=(process.stdout, vendor, end), daemon=True)
    reader.start()
    code = process.wait()
    reader.join(SECONDS_TO_READ)
    return code, end


def _copy(lines: Iterable[str], vendor: str, end: deque[str]) -> None:
    for line in lines:
        line = f"{vendor:<10} | {line}"
        sys.stdout.write(line)
        sys.stdout.flush()
        end.append(line)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
