"""Both clients: same methods, same types, lifecycle and threads."""

import asyncio
import inspect
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Barrier, Thread
from typing import ClassVar

import openintent
import pytest
from mypy import api as mypy
from openintent import AsyncOpenIntentClient, OpenIntentClient

from .conftest import json_response, to_response
from .samples import EVENT, INTENT, LEASE

pytestmark = pytest.mark.database("sqlite")


USE = Path(__file__).with_name("test_ordinary_use.py")

MISTYPED = """
from openintent import AsyncOpenIntentClient, OpenIntentClient
OpenIntentClient("http://x").create_intent(titel="x")
OpenIntentClient("http://x").update_state("x", "1")
async def forgets(client: AsyncOpenIntentClient) -> int:
    return client.get_intent("x").version
"""


def methods():
    return [name for name, _ in inspect.getmembers(OpenIntentClient, inspect.isfunction) if not name.startswith("_")]


def test_the_clients_differ_in_their_context_manager_alone():
    def public(client):
        return {name for name in dir(client) if not name.startswith("_")}

    assert public(OpenIntentClient) == public(AsyncOpenIntentClient)
    assert inspect.signature(OpenIntentClient) == inspect.signature(AsyncOpenIntentClient)


def test_every_method_has_a_docstring():
    assert [name for name in methods() if not inspect.getdoc(getattr(OpenIntentClient, name))] == []


def test_type_checkers_know_arguments_and_results(tmp_path):
    (tmp_path / "mistyped.py").write_text(MISTYPED)

    out, err, _ = mypy.run(["--strict", "--config-file=", str(tmp_path), str(USE)])

    assert err == ""
    assert USE.name not in out
    assert 'Unexpected keyword argument "titel"' in out
    assert 'incompatible type "str"; expected "int"' in out
    assert '"Coroutine[Any, Any, Intent]" has no attribute "version"' in out


def test_all_public_names_are_importable():
    for name in openintent.__all__:
        assert getattr(openintent, name) is not None

    with pytest.raises(AttributeError):
        openintent.no_such_thing  # noqa: B018


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_import_needs_only_requests_and_no_server_module():
    result = run(
        "import sys, openintent\n"
        "heavy = {'httpx2', 'asyncio', 'django', 'config', 'pydantic', 'openai'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )

    assert result.returncode == 0, result.stderr


def test_async_client_without_httpx2_names_the_package():
    result = run(
        "import sys; sys.modules['httpx2'] = None\n"
        "import openintent\n"
        "openintent.OpenIntentClient('http://x')\n"
        "from openintent import AsyncOpenIntentClient"
    )

    assert "ImportError: AsyncOpenIntentClient needs httpx2: pip install 'httpx2" in result.stderr


class Recorder(OpenIntentClient):
    """A client that sends nothing."""

    def send(self, call):
        return call


def test_a_client_whose_send_returns_the_call_describes_it():
    call = Recorder("http://x").log_stream_chunk(INTENT["id"], "s1", chunk_index=3)

    assert str(call) == f"POST /api/v1/intents/{INTENT['id']}/events"
    assert call.json == {
        "event_type": "stream_chunk",
        "payload": {"stream_id": "s1", "chunk_index": 3},
    }


def test_a_client_serves_many_threads_at_once(script):
    together = Barrier(8, timeout=10)

    def answer(request):
        together.wait()  # All requests are open at the same moment.
        return json_response({**EVENT, "trace_id": request.get_json()["trace_id"]})

    script.respond(*[answer] * 8)
    names = [f"trace {n}" for n in range(8)]

    with OpenIntentClient(script.url) as client, ThreadPoolExecutor(8) as threads:
        events = threads.map(lambda name: client.log_event(INTENT["id"], "comment", trace_id=name), names)

        assert [event.trace_id for event in events] == names


class KeepsAlive(BaseHTTPRequestHandler):
    """A server that answers `{}` and keeps the connection open, which pytest-httpserver never does."""

    protocol_version = "HTTP/1.1"
    ports: ClassVar[list[int]] = []

    def do_GET(self):
        self.ports.append(self.client_address[1])
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")


def test_requests_in_a_row_share_a_connection(connect):
    with ThreadingHTTPServer(("127.0.0.1", 0), KeepsAlive) as server:
        Thread(target=server.serve_forever, args=(0.01,)).start()
        client = connect(f"http://127.0.0.1:{server.server_port}")

        client.discover()
        client.discover()

        client.close()
        server.shutdown()

    one, other = KeepsAlive.ports[-2:]
    assert one == other


def test_a_closed_client_says_so(client):
    client.close()

    with pytest.raises(RuntimeError, match="closed"):
        client.get_intent(INTENT["id"])


def test_close_is_idempotent(client):
    client.close()
    client.close()


def test_leaving_the_block_closes_the_client(script):
    script.respond(EVENT)

    with OpenIntentClient(script.url) as client:
        client.log_event(INTENT["id"], "comment")

    with pytest.raises(RuntimeError):
        client.get_intent(INTENT["id"])


def test_leaving_the_async_block_closes_the_client(script):
    script.respond(EVENT)

    async def block():
        async with AsyncOpenIntentClient(script.url) as client:
            await client.log_event(INTENT["id"], "comment")
        with pytest.raises(RuntimeError):
            await client.get_intent(INTENT["id"])

    asyncio.run(block())


def test_a_password_in_netrc_is_not_sent(client, script, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("default login me password pw")
    monkeypatch.setenv("NETRC", str(netrc))
    script.respond(INTENT)

    client.get_intent(INTENT["id"])

    assert "Authorization" not in script.seen[0].headers


@pytest.mark.rule("K-9")
def test_an_async_client_may_be_used_in_several_event_loops(script):
    lease = {**LEASE, "expires_at": LEASE["acquired_at"].replace("05.678901", "06.678901")}
    script.respond(*[lambda request: to_response({"GET": INTENT, "POST": lease, "DELETE": None}[request.method])] * 200)
    client = AsyncOpenIntentClient(script.url)

    async def use():
        async with client.lease(INTENT["id"], "draft", 1):
            return {each.id for each in await asyncio.gather(*[client.get_intent(INTENT["id"]) for _ in range(5)])}

    assert [asyncio.run(use()), asyncio.run(use())] == [{INTENT["id"]}] * 2
    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(lambda _: asyncio.run(client.get_intent(INTENT["id"])).id, range(9))) == [INTENT["id"]] * 9
    assert [seen.method for seen in script.seen].count("DELETE") == 2
    asyncio.run(client.close())
    with pytest.raises(RuntimeError, match="closed"):
        asyncio.run(use())


def close_in_a_block(url):
    with OpenIntentClient(url) as client, client.lease(INTENT["id"], "draft"):
        client.close()
        raise ZeroDivisionError


async def close_in_an_async_block(url):
    async with AsyncOpenIntentClient(url) as client, client.lease(INTENT["id"], "draft"):
        await client.close()
        raise ZeroDivisionError


@pytest.mark.parametrize("use", [close_in_a_block, lambda url: asyncio.run(close_in_an_async_block(url))], ids=["sync", "async"])
def test_a_client_that_is_closed_in_a_block_does_not_hide_its_error(script, use):
    script.respond(LEASE)

    with pytest.raises(ZeroDivisionError):
        use(script.url)
