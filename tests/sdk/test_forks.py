"""A client and the processes that are forked from its own: each has its own connections and locks (protocol K-9)."""

import asyncio
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from openintent import AsyncOpenIntentClient, OpenIntentClient

from .fake_stream_server import FakeStreamServer, connected, frame, next_positions, sending
from .samples import INTENT

pytestmark = [pytest.mark.rule("K-9"), pytest.mark.database("sqlite")]

CHILDREN = 8
ROUNDS, CALLS = (20, 500) if os.environ.get("SYSTEM_ROUNDS") == "full" else (1, 60)


class IntentHandler(BaseHTTPRequestHandler):
    """A handler that answers each request with the intent that it asks for, and keeps the connection open."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # Head and body in one write: with two, the second waits up to 40 ms for a delayed acknowledgement.

    def do_GET(self):
        body = json.dumps({**INTENT, "id": self.path.rpartition("/")[2]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class IntentServer(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True


@pytest.fixture(scope="module")
def url():
    with IntentServer(("127.0.0.1", 0), IntentHandler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def fork(work):
    """Run `work` in a forked process. Return a function that waits for its end, and returns the text that it returned."""
    reader, writer = os.pipe()
    if not (pid := os.fork()):
        try:
            os.write(writer, str(work()).encode())
        except BaseException as error:
            os.write(writer, repr(error).encode())
        finally:
            os._exit(0)
    os.close(writer)

    def wait():
        with open(reader) as output:
            text = output.read()
        os.waitpid(pid, 0)
        return text

    return wait


@pytest.mark.case("coordination P7", "streams 15")
def test_forked_children_get_their_own_answers(url):
    def work(name):
        return sum(client.get_intent(f"{name}-{number}").id != f"{name}-{number}" for number in range(CALLS))

    with OpenIntentClient(url) as client:
        for each in range(ROUNDS):
            client.get_intent("parent")
            children = [fork(lambda name=f"{each}-{child}": work(name)) for child in range(CHILDREN)]

            assert work("parent") == 0
            assert [wait() for wait in children] == ["0"] * CHILDREN


def test_forked_children_of_an_async_client_get_their_own_answers(url):
    async def read(client, name):
        return [(await client.get_intent(f"{name}-{number}")).id for number in range(10)]

    async def main():
        async with AsyncOpenIntentClient(url) as client:
            await read(client, "parent")
            children = [fork(lambda name=name: asyncio.Runner().run(read(client, name))) for name in ("a", "b")]

            assert await read(client, "parent") == [f"parent-{number}" for number in range(10)]
            assert [wait() for wait in children] == [str([f"{name}-{number}" for number in range(10)]) for name in ("a", "b")]

    asyncio.run(main())


def test_locks_that_other_threads_hold_do_not_block_a_child(url):
    with OpenIntentClient(url) as client:
        locks = [client._connections._lock, client._server.tokens._lock]
        for lock in locks:
            lock.acquire()

        child = fork(lambda: client.get_intent("child").id)

        assert child() == "child"
        for lock in locks:
            lock.release()


def test_stream_of_the_parent_survives_a_child_that_ends_its_own():
    server = FakeStreamServer(chunked=True)
    more = threading.Event()

    def slowly(connection):
        sending(connected(1), frame(2))(connection)
        more.wait()
        connection.send_text(frame(3))
        connection.wait_for_disconnect()

    server.scripts = [slowly, sending(connected(2), frame(3), keep=True)]
    with OpenIntentClient(server.url) as client, client.stream() as stream:
        assert next_positions(stream, 1) == [2]

        child = fork(lambda: [next_positions(stream, 1), client.close()])
        assert child() == "[[3], None]"
        more.set()

        assert next_positions(stream, 1) == [3]
    server.close()
