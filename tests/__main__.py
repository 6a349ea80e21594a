"""`python -m tests`: the whole suite on SQLite, then on PostgreSQL. Arguments go to pytest."""

import os
import subprocess
import sys

VENDORS = ("sqlite", "postgresql")


def main() -> int:
    worst = 0
    for vendor in VENDORS:
        print(f"== {vendor} ==", flush=True)
        command = [sys.executable, "-m", "pytest", *sys.argv[1:]]
        worst = max(worst, subprocess.call(command, env={**os.environ, "TEST_DATABASE": vendor}))
    return worst


if __name__ == "__main__":
    sys.exit(main())
