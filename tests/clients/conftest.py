"""Clients in other languages: the commands and programs of docs/other-languages.md, as a reader runs them."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT, blocks
from tests.docs.run_shell_blocks import ADDRESS, commands

from .packages import BIN

PAGE = ROOT / "docs/other-languages.md"

INSTALLS = ("npm install", "pip install")
"""What the locks have installed already."""

PATIENCE = 120  # Seconds, on a machine that is busy with other tests.


class Reader:
    """Reader of the tutorial: an empty folder, a server, and the page."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url = url
        self.folder = folder

    def follow(self, section: str) -> str:
        """Do what a section says, block by block. Answers what was printed."""
        found = [block for block in blocks(PAGE) if block.heading == section]
        assert found, section
        return "".join(self._do(block) for block in found)

    def run(self, *command: str) -> str:
        """Raises AssertionError with all that was said, if it fails or warns."""
        environment = {
            **os.environ,
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "OPENINTENT_URL": self._url,
            "REDOCLY_TELEMETRY": "off",
            "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true",
        }
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=PATIENCE)
        said = done.stdout + done.stderr
        assert done.returncode == 0, said
        assert not re.search(r"warning(?!s?\W+0\b)", said, re.IGNORECASE), said
        return done.stdout

    def _do(self, block):
        if block.title:
            (self.folder / block.title).write_text(block.code)
            return ""
        wanted = [each for each in commands(block.code) if not each.startswith(INSTALLS)]
        return "".join(self.run("bash", "-c", each.replace(ADDRESS, self._url)) for each in wanted)


@pytest.fixture(scope="module")
def reader(server, tmp_path_factory):
    return Reader(server.url, tmp_path_factory.mktemp("reader"))


@pytest.fixture(scope="module")
def npm(reader, node_modules):
    """The packages of package-lock.json, in the reader's folder."""
    (reader.folder / "node_modules").symlink_to(node_modules)
