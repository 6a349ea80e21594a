"""Random histories of ask, vote, change, spend and revoke: nothing is spent but what was granted, once (rules A-8 to A-14)."""

import os
import sys
from collections import Counter
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from access.services import create_key
from tests.conftest import Caller, fresh
from tests.governance.permits import REFUND, approve, ask, permits, spend

PARTS, EXAMPLES = (20, 500) if os.environ.get("SYSTEM_ROUNDS") == "full" else (1, 40)
"""Parts of the 10,000 histories, which processes can share."""

ACTIONS = [REFUND, {**REFUND, "params": {**REFUND["params"], "amount": 1200}}, {**REFUND, "target": "order-1"}]
WHICH = st.sampled_from([-1, -1, -1, -2, -3])
"""The request, from the last one."""

ASK = st.tuples(st.just("ask"), st.sampled_from([None, None, 1, 2]), st.booleans())
KINDS = {
    "ask": ASK,
    "vote": st.tuples(st.just("vote"), WHICH, st.integers(0, 2), st.sampled_from(["approve", "approve", "approve", "no"])),
    "spend": st.tuples(
        st.just("spend"), WHICH, st.sampled_from(["ada", "ada", "ada", "eve", "thief"]), st.sampled_from([0, 0, 0, 1, 2])
    ),
    "change": st.tuples(st.just("change")),
    "rebind": st.tuples(st.just("rebind"), WHICH, st.integers(0, 2), st.just("approve")),
    "revoke": st.tuples(st.just("revoke"), WHICH),
}
STEPS = st.sampled_from(["ask", *["vote"] * 4, *["spend"] * 5, "change", "rebind", "revoke"]).flatmap(KINDS.__getitem__)


class Model:
    """The rules in a few lines: who has granted which act, for which version."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.version = 1

    def vote(self, one: dict[str, Any], voter: int, decision: str, *, rebinds: bool) -> bool:
        """Return whether the vote is accepted."""
        if one["status"] != "pending":
            return False
        if decision == "approve" and one["binds"] and one["version"] != self.version:
            if not rebinds:
                return False
            one["version"], one["votes"] = self.version, set()
        if voter in one["votes"]:
            return False
        if decision != "approve":
            one["status"] = "refused"
            return True
        one["votes"].add(voter)
        if len(one["votes"]) >= (one["quorum"] or 1):
            one["status"] = "live"
        return True

    def may_spend(self, one: dict[str, Any], agent: str, action: int) -> bool:
        is_current = not one["binds"] or one["version"] == self.version
        return one["status"] == "live" and agent == "ada" and action == 0 and is_current


@pytest.mark.rule("A-8", "A-9", "A-10", "A-11", "A-13", "A-14")
@pytest.mark.parametrize("part", range(PARTS))
def test_only_granted_acts_are_spent_and_each_once(api, part):
    found: Counter[str] = Counter()

    @seed(part)
    @given(first=ASK, steps=st.lists(STEPS, min_size=3, max_size=20))
    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
    def replay(first, steps):
        with transaction.atomic():
            found.update(_replay(api, [first, *steps]))
            transaction.set_rollback(True)

    replay()
    sys.stdout.write(f"{dict(found)}\n")


def _replay(api: Caller, steps: list[tuple[Any, ...]]) -> list[str]:
    """Compare each answer with the model. Return how the requests have ended."""
    model, intent = Model(), api.post("/intents", {"title": "Something to do"}).json()
    voters = [Caller(create_key(name=str(number), role="arbiter", created_by="test")[1], "v") for number in range(3)]
    thief = Caller(create_key(name="thief", role="agent", created_by="test")[1], "ada")
    callers = {"ada": Caller("agent-research-key", "ada"), "eve": Caller("agent-research-key", "eve"), "thief": thief}
    ada = callers["ada"]
    for step, *given_values in steps:
        if step == "ask":
            quorum, binds = given_values
            body = ask(ada, intent, quorum=quorum, bind_version=binds)
            terms = {"body": body, "quorum": quorum, "binds": binds, "version": model.version}
            model.asked.append({**terms, "votes": set(), "status": "pending"})
            continue
        if step == "change":
            assert api.post(f"/intents/{intent['id']}/state", {"state": {"a": 1}}, version=model.version).status_code == 200
            model.version += 1
            continue
        if not model.asked:
            continue
        one = model.asked[given_values[0] % len(model.asked)]
        if step in ("vote", "rebind"):
            _, voter, decision = given_values
            more = {"rebind": True, "seen_version": model.version} if step == "rebind" else {}
            response = approve(voters[voter], one["body"], decision, **more)
            assert (response.status_code < 300) == model.vote(one, voter, decision, rebinds=bool(more)), response.json()
            continue
        permit = next((each for each in permits(ada, intent) if each["arbitration_id"] == one["body"]["id"]), None)
        assert (permit is not None) == (one["status"] in ("live", "spent", "revoked"))
        if permit is None:
            continue
        if step == "revoke":
            response = ada.post(f"/permits/{permit['id']}/revoke", {})
            if response.json()["status"] == "revoked":
                one["status"] = "revoked"
            continue
        _, agent, action = given_values
        response = spend(callers[agent], permit, ACTIONS[action])
        assert (response.status_code == 200) == model.may_spend(one, agent, action), response.json()
        if response.status_code == 200:
            one["status"] = "spent"
    assert fresh(api, intent)["version"] == model.version
    return [one["status"] for one in model.asked]
