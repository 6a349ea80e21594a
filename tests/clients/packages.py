"""npm packages of the tests of generated clients, pinned by package-lock.json: `python -m tests.clients.packages` installs them."""

import fcntl
import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent
LOCK, MODULES = HERE / "package-lock.json", HERE / "node_modules"
INSTALLED = MODULES / ".package-lock.json"
COMMAND = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=1", "--loglevel=error"]
OUT_OF_REACH = re.compile(
    r"npm error code (EAI_AGAIN|ECONN\w+|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|\w*TIMEDOUT|\w*SOCKET_TIMEOUT|\w+_CERT_?\w*|E40[137]|E5\d\d)\b"
)
"""What npm says where the registry, or a proxy before it, cannot be reached or lets nobody in. All else is a fault of ours."""
WAY_OUT = """The tests that need its packages fail; to run the others alone: make test-all ARGS='-m "not npm"'"""


class RegistryOutOfReachError(Exception):
    pass


def installed() -> Path:
    """The folder of the packages, which are installed if they are not there. Of several processes that ask, one does it.

    Raises RegistryOutOfReachError; CalledProcessError, after what npm said on stderr.
    """
    with (HERE / "package.json").open() as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not INSTALLED.exists() or INSTALLED.stat().st_mtime < LOCK.stat().st_mtime:
            _install()
    return MODULES


def _install() -> None:
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    done = subprocess.run(COMMAND, cwd=HERE, env=environment, capture_output=True, text=True, check=False)
    if reason := OUT_OF_REACH.search(done.stderr):
        raise RegistryOutOfReachError(f"the npm registry cannot be reached from this machine: {reason[1]}. {WAY_OUT}")
    sys.stderr.write(done.stderr)
    done.check_returncode()
    INSTALLED.touch()


if __name__ == "__main__":
    try:
        installed()
    except RegistryOutOfReachError as problem:
        sys.stderr.write(f"\n*** {problem}\n\n")
        sys.exit(os.EX_TEMPFAIL)  # And not 1, as after a fault of ours.
