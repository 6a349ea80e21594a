"""Authentication and authorization: API keys, roles, identities and delegations.

    make run                              # or openintent-server, in another terminal
    python examples/auth_identity.py

It needs an operator's key: dev-user-key, or the one in OPENINTENT_API_KEY. The keys that it creates are revoked at its end.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta

from openintent import AuthenticationError, OpenIntentClient, PermissionDeniedError

URL = os.environ.get("OPENINTENT_URL", "http://localhost:8000")
KEY = os.environ.get("OPENINTENT_API_KEY", "dev-user-key")


def main() -> None:
    with OpenIntentClient(URL, api_key=KEY, agent_id="ops") as operator, ExitStack() as staff:
        # One key for each program, with the role that it needs, bound to its agent: the actors in the log cannot be forged.
        worker = staff.enter_context(employed(operator, "agent:worker", "agent"))
        auditor = staff.enter_context(employed(operator, "agent:auditor", "observer"))
        arbiter = staff.enter_context(employed(operator, "agent:arbiter", "arbiter"))

        # The registry: keys with their agent, role and last use.
        for key in operator.list_keys():
            if key.revoked_at is None:
                print(f"key        {key.agent_id or '(any agent)':<15} {key.role:<9} last used {key.last_used_at or 'never'}")

        intent = worker.create_intent(title="Close the account of customer 7", assign="agent:worker")
        print(f"acts       {intent.created_by}: its key says who it is")

        # An observer can read but not write; a bound key cannot act as another agent.
        print(f"reads      {auditor.get_intent(intent.id).title!r}")
        refused("observer writes", lambda: auditor.log_event(intent.id, "comment", {"text": "Hm"}))
        refused("pretends", lambda: pretend(operator, intent.id))

        # The requester does not decide: an arbiter does, or an agent with a delegation for this intent and time.
        question = worker.request_arbitration(intent.id, "Is the debt to be waived?", options=["waive", "collect"])
        refused("decides itself", lambda: worker.record_decision(intent.id, "waive"))
        decision = arbiter.record_decision(intent.id, "collect", "It is large", arbitration_id=question.id)
        print(f"decides    {decision.decided_by}: {decision.decision}")

        in_an_hour = datetime.now(UTC) + timedelta(hours=1)
        delegation = arbiter.create_delegation("agent:worker", intents=[intent.id], actions=["decide"], expires_at=in_an_hour)
        # With a type of its own the decision stands alone, without an arbitration.
        lent = worker.record_decision(intent.id, "by instalments", decision_type="terms")
        print(f"delegated  {lent.decided_by} may decide for an hour")
        arbiter.revoke_delegation(delegation.id)
        refused("decides after that", lambda: worker.record_decision(intent.id, "waive", decision_type="terms"))

        roll_over(operator)


@contextmanager
def employed(operator: OpenIntentClient, agent_id: str, role: str) -> Iterator[OpenIntentClient]:
    """Yield a client with a key of its own, and revoke the key afterwards. The key is shown once: store it with your secrets."""
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    key = operator.create_key(agent_id, role=role, agent_id=agent_id, expires_at=tomorrow)
    try:
        with OpenIntentClient(URL, api_key=key.key) as client:
            yield client
    finally:
        operator.revoke_key(key.id)


def pretend(operator: OpenIntentClient, intent_id: str) -> None:
    """Use a key that is bound to one agent as another agent."""
    key = operator.create_key("agent:mallory", agent_id="agent:mallory")
    try:
        with OpenIntentClient(URL, api_key=key.key, agent_id="agent:worker") as mallory:
            mallory.log_event(intent_id, "comment", {"text": "I am the worker"})
    finally:
        operator.revoke_key(key.id)


def roll_over(operator: OpenIntentClient) -> None:
    """Rotate a key without downtime: create the new one, deploy it, revoke the old one."""
    old = operator.create_key("reports, until today", agent_id="agent:reports")
    new = operator.create_key("reports, from today", agent_id="agent:reports")
    with OpenIntentClient(URL, api_key=new.key) as renewed, OpenIntentClient(URL, api_key=old.key) as outdated:
        renewed.list_intents(limit=1)
        operator.revoke_key(old.id)
        refused("old key", lambda: outdated.list_intents(limit=1))
    operator.revoke_key(new.id)


def refused(what, call) -> None:
    """Print the error of a call that must be rejected."""
    try:
        call()
    except (AuthenticationError, PermissionDeniedError) as error:
        print(f"refused    {what}: {error.status_code} {error.code}")
    else:
        raise RuntimeError(f"{what}: this should have been refused")


if __name__ == "__main__":
    main()
