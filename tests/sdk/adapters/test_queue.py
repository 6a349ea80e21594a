"""The queue behind the adapters: the call to the model never waits for the log, and the log misses nothing (K-6)."""

import gc
import logging
import re
import socket
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from types import SimpleNamespace

import pytest
from openintent import OpenIntentClient, errors
from openintent.adapters import AdapterConfig, OpenAIAdapter, queue
from pytest_httpserver import HTTPServer

from tests.databases import migrated_database
from tests.sdk.conftest import json_response
from tests.sdk.samples import INTENT
from tests.servers import Server

from .conftest import KEY

SOON = 30

pytestmark = [pytest.mark.rule("K-6"), pytest.mark.database("sqlite")]


def model(answer="Hello"):
    """Return a client of a provider that responds at once."""
    message = SimpleNamespace(content=answer, refusal=None, tool_calls=None)
    choices = [SimpleNamespace(index=0, message=message, finish_reason="stop")]
    usage = SimpleNamespace(prompt_tokens=1, completion_tokens=1, total_tokens=2, prompt_tokens_details=None)
    whole = SimpleNamespace(model="gpt-4o", choices=choices, usage=usage)
    return SimpleNamespace(chat=SimpleNamespace(completions=SimpleNamespace(create=lambda **_: whole)))


def ask(adapter, times=1, **asked):
    for _ in range(times):
        adapter.chat.completions.create(**{"model": "gpt-4o", "messages": [], **asked})


@pytest.fixture
def connected(script):
    with OpenIntentClient(script.url, KEY, "ada", timeout=5) as client:
        yield client


@pytest.fixture
def short_pauses(monkeypatch):
    """Shorten the pauses between retries."""
    monkeypatch.setattr("openintent.adapters.sender.MAX_PAUSE", 0.01)


@pytest.fixture
def warnings(caplog):
    caplog.set_level(logging.INFO, "openintent.adapters")

    def warnings(level=logging.WARNING):
        return [each.getMessage() for each in caplog.records if (each.name, each.levelno) == ("openintent.adapters", level)]

    return warnings


@pytest.fixture
def unavailable(short_pauses):
    """Return a client of an unreachable server, which is started after the test to accept the rest."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with OpenIntentClient(f"http://127.0.0.1:{port}", KEY) as client:
        yield client
        with HTTPServer(port=port) as back:
            back.expect_request(re.compile(".*")).respond_with_json({"events": []})
            assert queue.get_queue(client).flush(SOON)


def without_costs(client, intent_id=INTENT["id"], **config):
    return OpenAIAdapter(model(), client, intent_id, AdapterConfig(record_costs=False, **config))


def sent(script):
    return [[event["event_type"] for event in seen.body["events"]] for seen in script.seen]


def refusal(status, code, **members):
    return (status, {"code": code, "message": f"No: {code}", **members}, {})


def test_events_logged_together_are_one_batch(connected, script):
    script.respond({"events": []})
    adapter = without_costs(connected)

    ask(adapter, times=3)

    assert adapter.flush(SOON)
    assert sent(script) == [["llm_request_started", "llm_request_completed"] * 3]
    assert script.seen[0].headers["X-Api-Key"] == KEY
    assert script.seen[0].headers["X-Agent-Id"] == "ada"
    assert adapter.flush(0)


@pytest.mark.parametrize(
    "answer", [refusal(503, "unavailable"), refusal(429, "rate_limited", retry_after=0.01), refusal(500, "internal")]
)
def test_unaccepted_batch_is_resent_unchanged(connected, script, short_pauses, warnings, answer):
    script.respond(answer, answer, {"events": []})
    adapter = without_costs(connected)

    ask(adapter)

    assert adapter.flush(SOON)
    assert len({seen.headers["Idempotency-Key"] for seen in script.seen}) == 1
    assert [seen.body for seen in script.seen] == [script.seen[0].body] * 3
    assert len(warnings()) == 1
    assert warnings(logging.INFO) == ["The OpenIntent server is reachable again."]


def test_batch_that_always_fails_does_not_block_others(connected, script, short_pauses, warnings):
    script.respond(*[refusal(500, "internal")] * 5, {"events": []})
    first, second = without_costs(connected, "first"), without_costs(connected, "second")

    ask(first)
    ask(second)

    assert first.flush(SOON)
    assert [seen.target for seen in script.seen] == ["/api/v1/intents/first/events/batch"] * 5 + [
        "/api/v1/intents/second/events/batch"
    ]


def test_rejected_event_does_not_drop_its_batch(connected, script):
    def judge(request):
        bad = any(event["payload"].get("model") == "bad" for event in request.json["events"])
        answer = {"code": "invalid", "message": "No."} if bad else {"events": []}
        return json_response(answer, 400 if bad else 200)

    script.respond(*[judge] * 20)
    heard = []
    adapter = without_costs(connected, on_error=lambda error, context: heard.append((type(error), context)))

    for name in ("one", "bad", "two", "three"):
        ask(adapter, model=name)

    assert adapter.flush(SOON)
    accepted = [
        seen.body["events"] for seen in script.seen if not any(e["payload"]["model"] == "bad" for e in seen.body["events"])
    ]
    assert [event["payload"]["model"] for events in accepted for event in events] == [
        "one",
        "one",
        "two",
        "two",
        "three",
        "three",
    ]
    assert len({seen.headers["Idempotency-Key"] for seen in script.seen}) == len(script.seen)
    refused = {"phase": "refused", "intent_id": INTENT["id"], "provider": "openai", "count": 1}
    assert heard == [(errors.ValidationError, refused)] * 2


@pytest.mark.parametrize(
    ("status", "code"), [(404, "not_found"), (403, "forbidden"), (401, "unauthenticated"), (413, "too_large")]
)
def test_rejected_batch_does_not_block_others(connected, script, warnings, status, code):
    rejected = refusal(status, code)
    script.respond(*[rejected] * (3 if status == 413 else 1), {"events": []})
    heard = []
    gone = without_costs(connected, "gone", on_error=lambda error, context: heard.append(context))
    other = without_costs(connected, "other")

    ask(gone)
    ask(other)

    assert gone.flush(SOON)
    assert script.seen[-1].target == "/api/v1/intents/other/events/batch"
    assert [context["phase"] for context in heard] == ["refused"] * len(heard)
    assert sum(context["count"] for context in heard) == 2
    assert len(warnings()) == len(heard)


def test_outage_is_one_warning(unavailable, warnings):
    heard = []
    adapter = without_costs(unavailable, on_error=lambda error, context: heard.append((type(error), context["phase"])))
    ask(adapter, times=20)

    assert not adapter.flush(0.3)
    ask(adapter, times=20)
    assert not adapter.flush(0.1)

    assert len(warnings()) == 1
    assert "The OpenIntent server is unavailable" in warnings()[0]
    assert heard == [(errors.ConnectionFailedError, "sending")]


def test_the_call_does_not_wait_for_a_server_that_hangs(connected, script):
    let_go = threading.Event()

    def hang(request):
        assert let_go.wait(SOON)
        return json_response({"events": []})

    script.respond(hang, {"events": []}, {"events": []})
    adapter = without_costs(connected)
    ask(adapter)
    assert not adapter.flush(0.2)
    assert script.seen, "the queue has asked, and waits"

    ask(adapter, times=100)

    assert not let_go.is_set(), "a hundred calls have been made meanwhile"
    let_go.set()
    assert adapter.flush(SOON)
    assert sum(map(len, sent(script))) == 202


def test_a_full_queue_drops_the_newest_and_counts_them(connected, script, monkeypatch, warnings):
    monkeypatch.setattr(queue, "MAX_ENTRIES", 10)
    let_go = threading.Event()
    script.respond(lambda request: let_go.wait(SOON) and json_response({"events": []}), *[{"events": []}] * 5)
    heard = []
    adapter = without_costs(connected, on_error=lambda error, context: heard.append(context["phase"]))

    for number in range(8):
        ask(adapter, model=f"model {number}")
    let_go.set()
    assert adapter.flush(SOON)
    monkeypatch.setattr(queue, "WARN_INTERVAL", 0)
    ask(adapter, model="later")
    assert adapter.flush(SOON)

    models = [event["payload"]["model"] for seen in script.seen for event in seen.body["events"]]
    assert models == [f"model {number}" for number in range(5) for _ in range(2)] + ["later"] * 2
    assert heard == ["queueing"] * 6
    counts = [int(each.split(": ")[1].split()[0]) for each in warnings() if "is full" in each]
    assert sum(counts) == 6


def test_a_full_queue_is_full_by_size_as_well(connected, script, monkeypatch):
    monkeypatch.setattr(queue, "MAX_CHARACTERS", 50_000)
    monkeypatch.setattr(queue, "WARN_INTERVAL", 0)
    let_go = threading.Event()
    script.respond(lambda request: let_go.wait(SOON) and json_response({"events": []}), *[{"events": []}] * 9)
    adapter = OpenAIAdapter(model("x" * 20_000), connected, INTENT["id"], AdapterConfig(record_costs=False))

    ask(adapter, times=9)
    let_go.set()

    assert adapter.flush(SOON)
    assert Counter(kind for kinds in sent(script) for kind in kinds)["llm_request_completed"] == 2


def test_events_during_an_outage_are_sent_afterwards(tmp_path, vendor, short_pauses):
    server = Server(migrated_database(vendor, tmp_path))
    with server, OpenIntentClient(server.url, KEY, "ada") as client:
        intent = client.create_intent(title="Through a restart")
        adapter = OpenAIAdapter(model(), client, intent.id)
        server.port = server.url.rpartition(":")[2]
        server.kill()

        ask(adapter, times=5)
        assert not adapter.flush(0.3)
        server.start()

        assert adapter.flush(SOON)
        kinds = [event.event_type for event in client.get_events(intent.id)[1:]]
        assert kinds == ["llm_request_started", "llm_request_completed"] * 5 + ["cost_recorded"] * 5


def test_many_threads_lose_and_mix_no_events(api, intent):
    adapter = OpenAIAdapter(model(), api, intent.id)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: ask(adapter, times=10), range(8)))

    assert adapter.flush(SOON)
    logged_events = {}
    for event in api.get_events(intent.id)[1:]:
        if "request_id" in event.payload:
            logged_events.setdefault(event.payload["request_id"], []).append(event.event_type)
    assert list(logged_events.values()) == [["llm_request_started", "llm_request_completed"]] * 80
    assert api.get_cost_summary(intent.id)["count"] == 80


def test_adapters_of_one_client_share_a_queue_with_one_thread_that_ends(api, intent, monkeypatch):
    def threads():
        return [thread for thread in threading.enumerate() if thread.name == "openintent-adapters" and thread.is_alive()]

    before = len(threads())
    monkeypatch.setattr(queue, "IDLE_TIMEOUT", 0.05)
    for _ in range(3):
        ask(OpenAIAdapter(model(), api, intent.id))
        assert len(threads()) - before <= 1
    assert OpenAIAdapter(model(), api, intent.id).flush(SOON)
    assert queue.get_queue(api) is queue.get_queue(api)

    own = [thread for thread in threads() if queue.get_queue(api)._thread is thread]
    for thread in own:
        thread.join(SOON)
    assert queue.get_queue(api)._thread is None
    ask(OpenAIAdapter(model(), api, intent.id))
    assert OpenAIAdapter(model(), api, intent.id).flush(SOON)
    assert len(api.get_costs(intent.id)) == 4


def test_exception_of_on_error_is_only_logged(unavailable, warnings):
    def fails(error, context):
        raise ZeroDivisionError

    adapter = without_costs(unavailable, on_error=fails)
    ask(adapter)
    assert not adapter.flush(0.3)

    assert any("on_error failed" in message for message in warnings(logging.ERROR))


def test_a_stream_collected_in_the_middle_of_a_put_blocks_nothing(api, intent):
    """A finalizer may run at any moment: also while its own thread holds the queue's lock."""
    adapter = without_costs(api, intent.id)
    waiting = queue.get_queue(api)

    with waiting._lock:
        ask(adapter)

    assert adapter.flush(SOON)
    gc.collect()


def test_closing_the_client_does_not_close_its_log(server, api, intent):
    with OpenIntentClient(server.url, KEY) as client:
        adapter = OpenAIAdapter(model(), client, intent.id)
        ask(adapter)

    ask(adapter)

    assert adapter.flush(SOON)
    assert len(api.get_costs(intent.id)) == 2


def test_events_have_their_time_of_occurrence(connected, script, short_pauses):
    script.respond(refusal(503, "unavailable"), refusal(503, "unavailable"), {"events": []})
    before = time.time()

    ask(adapter := without_costs(connected))
    after = time.time()

    assert adapter.flush(SOON)
    for event in script.seen[-1].body["events"]:
        assert before <= datetime.fromisoformat(event["payload"]["occurred_at"]).timestamp() <= after


def test_a_callback_may_flush(connected, script):
    """Flushing runs in the sending thread, which must not wait for itself."""
    heard = []
    script.respond(refusal(404, "not_found"))
    adapter = without_costs(connected, on_error=lambda error, context: heard.append(adapter.flush(SOON)))

    ask(adapter)

    assert adapter.flush(SOON / 2)
    assert heard == [False]


def test_without_a_thread_the_next_entry_tries_again(connected, script, monkeypatch):
    def no_thread(_):
        raise RuntimeError("can't start new thread")

    script.respond({"events": []})
    adapter = without_costs(connected)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", no_thread)
        ask(adapter)

    ask(adapter)

    assert adapter.flush(SOON)
    assert sum(map(len, sent(script))) == 4
