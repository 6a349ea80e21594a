"""The documentation, built as `make docs` builds it."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

from tests.processes import ROOT


def build_site(folder: Path) -> Path:
    """Return the built site, below this folder. Building takes seconds: of several processes that ask, one builds."""
    site = folder / "site"
    with (folder / "site.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not site.exists():
            _build(folder / "site.partial").rename(site)
    return site


def _build(folder: Path) -> Path:
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr, done.stderr
    return folder
