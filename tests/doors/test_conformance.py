"""The official conformance suite at /mcp, with the product's tools and a key: what a revision of the protocol requires of servers.

The suite calls tools, resources and prompts of a server made for it. The scenarios that do nothing else are named here, and are
looked at for the form of each message alone.
"""

import json
import os
import re
import subprocess
import threading
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.clients.packages import BIN
from tests.databases import migrated_database
from tests.doors.conftest import KEY
from tests.servers import Server

pytestmark = [pytest.mark.full, pytest.mark.database("sqlite"), pytest.mark.rule("M-7")]

REVISIONS = ["2025-11-25", "2026-07-28"]
MADE_FOR_IT = re.compile(
    r"completion-|tools-call-|logging-|elicitation-|prompts-|resources-(read|templates|subscribe|unsubscribe)|json-schema-|tasks-|http-custom-header"
    r"|input-required-result-(basic|request-state|multi|non-tool|result-type|tampered|capability)"
)
"""Scenarios of a server's tools, resources, prompts and tasks that the suite has a name for."""
NOT_TESTABLE = re.compile(r"^Not testable: server does not list the diagnostic tool")
NOT_SCORED = re.compile("tasks-|json-schema-|http-(header|custom)|server-(session-lifecycle|sse-polling)")
"""Scenarios that run without being required: an extension, and what the suite's own server does not pass."""
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
            self.answer(connection.getresponse())
        finally:
            connection.close()

    def answer(self, response: HTTPResponse) -> None:
        """Pass the response on, part by part: the client may have to answer one of a stream before the next one comes."""
        self.send_response(response.status)
        for name, value in response.getheaders():
            if name.lower() not in ("connection", "content-length", "date", "server", "transfer-encoding"):
                self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while part := response.read1(65_536):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    do_GET = do_DELETE = do_OPTIONS = do_POST  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def with_key(server):
    """The address at which the server's /mcp needs no key."""
    with ThreadingHTTPServer(("127.0.0.1", 0), WithKey) as http:
        host, _, port = server.url.removeprefix("http://").partition(":")
        http.target = (host, int(port))
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}/mcp"
        http.shutdown()


@pytest.fixture(scope="module")
def made_for_it(vendor, tmp_path_factory):
    """The server with the tools of tests/doors/conformance_server.py."""
    server = Server(migrated_database(vendor, tmp_path_factory.mktemp("conformance")))
    yield server.start("-m", "tests.doors.conformance_server")
    server.stop()


@pytest.fixture
def suite(node_modules):
    """The command of the suite."""
    return [str(node_modules / ".bin" / "conformance"), "server"]


@pytest.fixture
def results(suite, tmp_path):
    """`results(server, revision)`: the checks of each scenario."""

    def run(server, revision):
        environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
        with with_key(server) as address:
            command = [*suite, "--url", address, "--requirements", revision, "--output-dir", str(tmp_path)]
            said = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False).stdout
        found = {scenario(path.parent.name): json.loads(path.read_text()) for path in tmp_path.glob("**/checks.json")}
        assert len(found) > 30, said
        return found

    return run


def failures(found):
    """Return the scenario, the id and the message of each check that has failed."""
    return [
        (name, check["id"], check.get("errorMessage") or "")
        for name, checks in found.items()
        for check in checks
        if check["status"] == "FAILURE"
    ]


def passed(found):
    return sum(check["status"] == "SUCCESS" for checks in found.values() for check in checks)


@pytest.mark.parametrize("revision", REVISIONS)
def test_the_product_conforms(results, server, revision, record_property):
    found = results(server, revision)

    own = [name for name in found if not MADE_FOR_IT.match(name)]
    failed = [each for each in failures(found) if each[0] in own or each[1] == "wire-schema-valid"]
    record_property("figure", f"{revision}: {len(own)} of {len(found)} scenarios need no fixture; {passed(found)} checks passed")
    assert [each for each in failed if not (NOT_TESTABLE.match(each[2]) or each[1] == NO_PROMPTS)] == []


@pytest.mark.parametrize("revision", REVISIONS)
def test_the_way_of_messages_conforms(results, made_for_it, revision, record_property):
    found = results(made_for_it, revision)

    scored = [name for name in found if not NOT_SCORED.match(name)]
    record_property("figure", f"{revision}: {len(scored)} scored scenarios of {len(found)}; {passed(found)} checks passed")
    assert [each for each in failures(found) if each[0] in scored] == []


def scenario(folder: str) -> str:
    """Return the name of the scenario whose results are in the folder."""
    return re.sub(r"^server-(.+)-\d{4}-.*$", r"\1", folder)
