"""The official conformance suite at /mcp, with the product's tools and a key: what a revision of the protocol requires of servers.

The suite calls tools, resources and prompts of a server made for it. The scenarios that do nothing else are named here, and are
looked at for the form of each message alone.
"""

import json
import os
import re
import subprocess
import threading
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.clients.packages import BIN, RegistryOutOfReachError, installed
from tests.doors.conftest import KEY

pytestmark = [pytest.mark.full, pytest.mark.database("sqlite"), pytest.mark.rule("M-7")]

REVISIONS = ["2025-11-25", "2026-07-28"]
MADE_FOR_IT = re.compile(
    r"completion-|tools-call-|logging-|elicitation-|prompts-|resources-(read|templates|subscribe|unsubscribe)|json-schema-|tasks-|http-custom-header"
    r"|input-required-result-(basic|request-state|multi|non-tool|result-type|tampered|capability)"
)
"""Scenarios of a server's tools, resources, prompts and tasks that the suite has a name for."""
NOT_TESTABLE = re.compile(r"^Not testable: server does not list the diagnostic tool")
NO_PROMPTS = "sep-2549-prompts-list-caching-hints"
"""Checks of other scenarios that need the same."""


class WithKey(BaseHTTPRequestHandler):
    """Passes requests on with a key, which the suite cannot send."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
        connection = HTTPConnection(*self.server.target, timeout=60)
        try:
            connection.request(self.command, self.path, body, {**headers, "X-API-Key": KEY, "X-Agent-ID": "ada"})
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        self.send_response(response.status)
        for name, value in response.getheaders():
            if name.lower() not in ("connection", "content-length", "date", "server", "transfer-encoding"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_DELETE = do_OPTIONS = do_POST  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def address(server):
    with ThreadingHTTPServer(("127.0.0.1", 0), WithKey) as http:
        host, _, port = server.url.removeprefix("http://").partition(":")
        http.target = (host, int(port))
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}/mcp"
        http.shutdown()


@pytest.fixture
def suite():
    """The command of the suite."""
    try:
        return [str(installed() / ".bin" / "conformance"), "server"]
    except RegistryOutOfReachError as problem:
        pytest.skip(str(problem))


@pytest.mark.parametrize("revision", REVISIONS)
def test_the_product_conforms(suite, address, revision, tmp_path, record_property):
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    command = [*suite, "--url", address, "--requirements", revision, "--output-dir", str(tmp_path)]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False).stdout

    found = {path.parent.name: json.loads(path.read_text()) for path in tmp_path.glob("**/checks.json")}
    own = {name: checks for name, checks in found.items() if not MADE_FOR_IT.match(scenario(name))}
    assert own, said
    failed = [
        (scenario(name), check["id"], check.get("errorMessage"))
        for name, checks in found.items()
        for check in checks
        if check["status"] == "FAILURE" and (name in own or check["id"] == "wire-schema-valid")
    ]
    passed = sum(check["status"] == "SUCCESS" for checks in found.values() for check in checks)
    record_property("figure", f"{revision}: {len(own)} of {len(found)} scenarios need no fixture; {passed} checks passed")
    assert [each for each in failed if not (NOT_TESTABLE.match(each[2] or "") or each[1] == NO_PROMPTS)] == []


def scenario(folder: str) -> str:
    """Return the name of the scenario whose results are in the folder."""
    return re.sub(r"^server-(.+)-\d{4}-.*$", r"\1", folder)
