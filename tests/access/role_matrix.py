"""`python -m tests.access.role_matrix`: write tests/access/role_matrix.csv anew, what each operation answers to each kind of caller."""

import csv
import os
import subprocess
import sys
from pathlib import Path

TABLE = Path(__file__).with_suffix(".csv")
CALLERS = ("no key", "wrong", "revoked", "expired", "observer", "agent", "arbiter", "operator", "bound agent", "maker")
"""The maker is the agent whose lease, question, portfolio and subscription it is about; the others have made nothing of it."""
REWRITE = "OPENINTENT_REWRITE_ROLE_MATRIX"


def read() -> dict[str, list[str]]:
    """Each row by its operation."""
    with TABLE.open(newline="") as file:
        return {operation: answers for operation, *answers in list(csv.reader(file))[1:]}


def is_rewritten() -> bool:
    return REWRITE in os.environ


def write(operation: str, answers: list[str]) -> None:
    """Put the row in its place, with the others sorted."""
    rows = read() if TABLE.exists() else {}
    rows[operation] = answers
    with TABLE.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(
            [["operation", *CALLERS], *([name, *rows[name]] for name in sorted(rows))]
        )


if __name__ == "__main__":
    TABLE.unlink(missing_ok=True)
    tests = ["tests/access/test_role_matrix.py", "-q", "-p", "no:xdist"]
    sys.exit(subprocess.call([sys.executable, "-m", "pytest", *tests], env={**os.environ, REWRITE: "1"}))
