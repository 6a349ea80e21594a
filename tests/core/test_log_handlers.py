"""Log handler: every line is written, in order, and a reader that is slow costs no memory."""

import logging
import os
import subprocess
import sys
import threading
from io import StringIO

import pytest

from core.log_handlers import BufferedStreamHandler
from tests.system.concurrent_clients import until


class Stalled(StringIO):
    """A stream that takes nothing before `go`."""

    def __init__(self):
        super().__init__()
        self.go = threading.Event()

    def write(self, text):
        self.go.wait()
        return super().write(text)


@pytest.fixture
def handler():
    handler = BufferedStreamHandler("delayed")
    handler.setStream(StringIO())
    yield handler
    handler.close()


@pytest.fixture
def log(handler):
    log = logging.Logger("test")
    log.addHandler(handler)
    return log


def test_line_is_written_without_a_later_one(handler, log):
    log.info("one")

    until(lambda: handler.stream.getvalue() == "one\n", "the line")


def test_line_of_another_logger_is_written_at_once_in_order(handler, log):
    for number in range(5):
        log.info("line %s", number)
    handler.handle(logging.LogRecord("other", logging.INFO, "", 1, "now", (), None))

    assert handler.stream.getvalue().splitlines()[-2:] == ["line 4", "now"]


def test_lines_of_threads_are_written_once_and_in_their_order(handler, log):
    threads = [threading.Thread(target=lambda name=name: [log.info("%s %s", name, i) for i in range(2_000)]) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    handler.flush()

    written = handler.stream.getvalue().splitlines()
    assert len(written) == 8_000
    for name in "abcd":
        assert [line for line in written if line.startswith(name)] == [f"{name} {i}" for i in range(2_000)]


def test_writing_waits_for_nobody_who_logs(handler, log):
    """Whoever logs holds the handler's lock and waits for what is being written: waiting for each other, both would hang."""
    log.info("one")
    handler.acquire()
    thread = threading.Thread(target=handler.flush, daemon=True)
    thread.start()

    thread.join(10)
    is_waiting = thread.is_alive()
    handler.release()

    assert not is_waiting


def test_logging_waits_for_a_reader_that_is_slow(handler, log):
    handler.setStream(Stalled())
    lines = 3 * handler.MAX_LINES
    thread = threading.Thread(target=lambda: [log.info("%s", i) for i in range(lines)])
    thread.start()

    thread.join(0.5)
    is_waiting = thread.is_alive()
    handler.stream.go.set()
    thread.join()
    handler.flush()

    assert is_waiting
    assert handler.stream.getvalue().split() == [str(i) for i in range(lines)]


def test_closed_stream_stops_nobody(handler, log):
    handler.stream.close()

    log.info("unseen")
    handler.flush()


def test_lines_before_the_end_of_the_process_are_written():
    program = "import django; django.setup(); import logging; logging.getLogger('openintent.request').info('the last line')"

    environment = {**os.environ, "OPENINTENT_LOG_LEVEL": "info"}
    ended = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60, check=True
    )

    assert "the last line" in ended.stderr


def test_forked_child_writes_its_own_lines(handler, log):
    program = """
import logging, os
from core.log_handlers import BufferedStreamHandler
log = logging.Logger("delayed"); log.addHandler(BufferedStreamHandler("delayed"))
log.info("parent")
if os.fork() == 0:
    log.info("child")
    logging.shutdown()
    os._exit(0)
os.wait()
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)

    assert sorted(ended.stderr.split()) == ["child", "parent"]
