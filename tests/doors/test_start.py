"""Costs of the door: none until /mcp is asked for with a key (D-247). `-rP` prints the figures."""

import sys
from pathlib import Path
from time import monotonic

import psutil
import pytest
import requests

from tests.databases import migrated_database
from tests.doors.conftest import KEY, Rest
from tests.doors.test_mcp import JSON, LIST
from tests.servers import Started

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads which libraries a process has loaded from /proc"),
]


def loads_sdk(server):
    """Return whether the process has loaded the SDK: its models are in a library of their own."""
    return "pydantic_core" in Path(f"/proc/{server.process.pid}/maps").read_text()


def megabytes(server):
    return psutil.Process(server.process.pid).memory_info().rss / 2**20


def test_sdk_is_loaded_by_the_first_request_with_a_key(vendor, tmp_path):
    with Started(migrated_database(vendor, tmp_path), OPENINTENT_WORKER="false") as server:
        Rest(server.url).intent()
        refused = requests.post(f"{server.url}/mcp", json=LIST, headers={**JSON, "X-API-Key": "wrong"}, timeout=60)
        before = megabytes(server)
        assert (refused.status_code, loads_sdk(server)) == (401, False)

        began = monotonic()
        listed = requests.post(f"{server.url}/mcp", json=LIST, headers={**JSON, "X-API-Key": KEY}, timeout=60)
        seconds = monotonic() - began

        assert (listed.status_code, loads_sdk(server)) == (200, True)
        print(f"{before:.0f} MB before, {megabytes(server):.0f} MB after; the first call took {seconds:.1f} s")
