"""Verbs cost the same however many arbitrations there are besides, in steps of SQLite's virtual machine."""

from datetime import UTC, datetime

import pytest

from governance.models import Arbitration, Status
from tests.conftest import fresh
from tests.governance.conftest import LATER, decide, make_arbitration
from tests.sqlite_steps import STEPS, counted_steps

pytestmark = [pytest.mark.django_db, pytest.mark.database("sqlite")]

OTHERS = 2_000


def add_arbitrations(intent, status):
    at = datetime(2026, 1, 1, tzinfo=UTC)
    resolved_at = at if status == Status.RESOLVED else None
    about = {"requester_id": "ada", "principal": "ada", "reason": "Which?", "blocking": True, "status_before": "active"}
    Arbitration.objects.bulk_create(
        Arbitration(intent_id=intent["id"], sequence=1, status=status, created_at=at, resolved_at=resolved_at, **about)
        for _ in range(OTHERS)
    )


def set_status(caller, intent, status):
    return caller.post(f"/intents/{intent['id']}/status", {"status": status}, version=fresh(caller, intent)["version"])


def complete_dependency(caller, intent):
    dependency = caller.post("/intents", {"title": "First"}).json()
    caller.post(
        f"/intents/{intent['id']}/dependencies", {"depends_on": [dependency["id"]]}, version=fresh(caller, intent)["version"]
    )
    return set_status(caller, dependency, "completed")


ACTS = {
    "request": (lambda api, ada, intent, asked: ada.post(f"/intents/{intent['id']}/arbitrate", {"reason": "And?"}), 201),
    "blocking request": (
        lambda api, ada, intent, asked: ada.post(
            f"/intents/{intent['id']}/arbitrate", {"reason": "And?", "blocking": True, "expires_at": LATER}
        ),
        201,
    ),
    "decision": (lambda api, ada, intent, asked: decide(api, intent), 201),
    "named decision": (lambda api, ada, intent, asked: decide(api, intent, arbitration_id=asked["id"]), 201),
    "withdrawal": (lambda api, ada, intent, asked: ada.post(f"/arbitrations/{asked['id']}/withdraw", {}), 200),
    "refused unblocking": (lambda api, ada, intent, asked: set_status(api, intent, "active"), 409),
    "end of all": (lambda api, ada, intent, asked: set_status(api, intent, "abandoned"), 200),
    "dependency": (lambda api, ada, intent, asked: complete_dependency(api, intent), 200),
}


@pytest.mark.parametrize("place", ["ended here", "pending elsewhere"])
@pytest.mark.parametrize("act", ACTS)
def test_other_arbitrations_are_not_read(act, place, api, ada, make_intent):
    run, status = ACTS[act]
    counts = []
    for has_others in (False, False, True):  # The first time, more is looked up.
        intent = make_intent()
        asked = make_arbitration(ada, intent, blocking=True)
        if has_others:
            add_arbitrations(*((intent, Status.RESOLVED) if place == "ended here" else (make_intent(), Status.PENDING)))
        with counted_steps() as count:
            response = run(api, ada, intent, asked)
        assert response.status_code == status, response.json()
        counts.append(count[0])

    assert counts[2] < counts[1] + OTHERS / STEPS, "each arbitration that is read takes a step at least"
