"""`client.wait_for_decision()`: until there is one, or there will be none (protocol A-6)."""

import pickle
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from openintent import (
    ArbitrationStatus,
    AuthenticationError,
    DecisionTimeoutError,
    InputValidationError,
    NotFoundError,
    OpenIntentClient,
    OpenIntentError,
    ServerError,
    UndecidedError,
)

from tests.databases import migrated_database
from tests.servers import Server

from .samples import INTENT

pytestmark = [pytest.mark.rule("A-6"), pytest.mark.full, pytest.mark.database("sqlite")]

ID = "44444444-4444-4444-8444-444444444444"
PENDING = {
    "id": ID,
    "intent_id": INTENT["id"],
    "requester_id": "ada",
    "reason": "A or B?",
    "status": "pending",
    "created_at": INTENT["created_at"],
}
RESOLVED = {**PENDING, "status": "resolved"}


@pytest.fixture
def live(connect, server):
    return connect(server.url, "dev-user-key", "ada")


def later(server, act):
    """Do it in a moment, as somebody else."""

    def run():
        time.sleep(0.3)
        with OpenIntentClient(server.url, "dev-user-key", "boss") as boss:
            act(boss)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_the_decision_is_there_as_soon_as_it_is_made(live, server):
    intent = live.create_intent(title="x")
    asked = live.request_arbitration(intent.id, "A or B?")
    begun = time.monotonic()
    deciding = later(server, lambda boss: boss.record_decision(intent.id, "A", arbitration_id=asked.id))

    decided = live.wait_for_decision(intent.id, asked.id, timeout=30)

    deciding.join()
    assert (decided.status, decided.decision.decision, decided.decision.decided_by) == (ArbitrationStatus.RESOLVED, "A", "boss")
    assert time.monotonic() - begun < 15
    assert live.wait_for_decision(intent.id, asked.id, timeout=0) == decided


def test_withdrawn_arbitration_raises(live, server):
    intent = live.create_intent(title="x")
    asked = live.request_arbitration(intent.id, "A or B?")
    withdrawing = later(server, lambda boss: boss.withdraw_arbitration(asked.id))

    with pytest.raises(UndecidedError) as caught:
        live.wait_for_decision(intent.id, asked.id)

    withdrawing.join()
    assert (caught.value.code, caught.value.arbitration.status) == ("arbitration_withdrawn", "withdrawn")
    assert not isinstance(caught.value, TimeoutError)


@pytest.mark.rule("A-5")
def test_expired_arbitration_raises(live):
    intent = live.create_intent(title="x")
    asked = live.request_arbitration(intent.id, "A or B?", expires_at=datetime.now(UTC) + timedelta(seconds=1))

    with pytest.raises(UndecidedError) as caught:
        live.wait_for_decision(intent.id, asked.id)

    assert caught.value.code == "arbitration_expired"


@pytest.mark.parametrize("timeout", [0, 0.3, 1.2])
def test_decision_timeout_raises_only_after_the_timeout(connect, server, timeout):
    client = connect(server.url, "dev-user-key")
    intent = client.create_intent(title="x")
    asked = client.request_arbitration(intent.id, "A or B?")
    restore_pauses(client)
    begun = time.monotonic()

    with pytest.raises(TimeoutError) as caught:
        client.wait_for_decision(intent.id, asked.id, timeout=timeout)

    assert isinstance(caught.value, DecisionTimeoutError)
    assert caught.value.arbitration.status == "pending"
    assert timeout <= time.monotonic() - begun < timeout + 3


def restore_pauses(client):
    """Sleep for real: the fixture's clients do not."""
    import asyncio  # noqa: PLC0415

    if isinstance(client, OpenIntentClient):
        client._sleep = time.sleep
    else:
        client._client._sleep = asyncio.sleep


def test_arbitration_of_another_intent_is_not_found(live):
    intent, other = live.create_intent(title="x"), live.create_intent(title="y")
    asked = live.request_arbitration(other.id, "A or B?")

    with pytest.raises(NotFoundError):
        live.wait_for_decision(intent.id, asked.id)
    with pytest.raises(NotFoundError):
        live.wait_for_decision(intent.id, ID)


def test_wait_for_decision_polls_with_long_requests(client, script, slept):
    script.respond(*[PENDING] * 3, RESOLVED)

    assert client.wait_for_decision(INTENT["id"], ID).status == "resolved"

    assert [seen.target.rpartition("?")[2] for seen in script.seen] == ["wait=0", *["wait=30"] * 3]
    assert len(slept) == 2  # An answer that came at once is no reason to hurry.
    assert min(slept) >= 0.5


@pytest.mark.case("console L22")
def test_question_that_is_waited_for_is_logged_once_with_its_page(client, script, slept, caplog):
    script.respond(*[PENDING] * 3, RESOLVED)

    with caplog.at_level("INFO", "openintent"):
        client.wait_for_decision(INTENT["id"], ID)

    page = f"{client.base_url}/admin/governance/arbitration/{ID}/change/"
    said = [record.getMessage() for record in caplog.records if record.name == "openintent"]
    assert said == [f"Waiting for a decision on 'A or B?': {page}"]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 521])
def test_transient_errors_are_retried(client, script, slept, status):
    script.respond(*[(status, {"code": "x"}, {"Retry-After": "7"})] * 5, RESOLVED)

    assert client.wait_for_decision(INTENT["id"], ID).status == "resolved"

    assert len(slept) == 5
    assert all(pause >= 7 for pause in slept)


@pytest.mark.parametrize(("status", "error"), [(401, AuthenticationError), (501, ServerError)])
def test_permanent_errors_are_raised(client, script, status, error):
    script.respond((status, {"message": "no"}, {}))

    with pytest.raises(error):
        client.wait_for_decision(INTENT["id"], ID)


def test_outage_for_the_whole_timeout_is_a_timeout(connect):
    client = connect("http://127.0.0.1:9")
    restore_pauses(client)

    with pytest.raises(DecisionTimeoutError) as caught:
        client.wait_for_decision(INTENT["id"], ID, timeout=1)

    assert caught.value.arbitration is None


@pytest.mark.parametrize("timeout", [-1, float("nan")])
def test_invalid_timeout_is_rejected(client, script, timeout):
    with pytest.raises(InputValidationError):
        client.wait_for_decision(INTENT["id"], ID, timeout=timeout)
    assert script.seen == []


def test_server_restart_is_survived(connect, vendor, tmp_path):
    with Server(migrated_database(vendor, tmp_path)) as server:
        server.port = server.url.rpartition(":")[2]
        client = connect(server.url, "dev-user-key")
        restore_pauses(client)
        intent = client.create_intent(title="x")
        asked = client.request_arbitration(intent.id, "A or B?")

        def restart(boss):
            server.kill()
            server.start()
            boss.record_decision(intent.id, "A", arbitration_id=asked.id)

        restarting = later(server, restart)
        decided = client.wait_for_decision(intent.id, asked.id, timeout=60)
        restarting.join()

    assert decided.decision.decision == "A"


def test_the_errors_can_be_pickled():
    error = pickle.loads(pickle.dumps(DecisionTimeoutError("late", code="decision_timeout")))

    assert (str(error), error.code, error.arbitration) == ("late", "decision_timeout", None)
    assert isinstance(error, OpenIntentError)
