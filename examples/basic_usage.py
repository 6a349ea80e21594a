"""Lifecycle of an intent, from its creation to its completion.

    make run                              # or openintent-server, in another terminal
    python examples/basic_usage.py

For a server that is not local, set OPENINTENT_URL and OPENINTENT_API_KEY.
"""

import os

from openintent import ConflictError, Intent, IntentStatus, OpenIntentClient

URL = os.environ.get("OPENINTENT_URL", "http://localhost:8000")
KEY = os.environ.get("OPENINTENT_API_KEY", "dev-user-key")


def main() -> None:
    with OpenIntentClient(URL, api_key=KEY, agent_id="agent:analyst") as client:
        intent = client.create_intent(
            title="Summarise the customer feedback of the fourth quarter",
            description="Three findings, each with its evidence",
            constraints={"max_cost": 5.0, "deadline": "2030-01-31"},
            state={"findings": [], "progress": 0},
        )
        print(f"created    {intent.id} ({intent.status}, version {intent.version})")

        intent = client.set_status(intent.id, intent.version, IntentStatus.ACTIVE, reason="Feedback is complete")

        # No other agent can write below /findings while we hold the lease. It is renewed automatically, and released at the end.
        with client.lease(intent.id, "findings", duration_seconds=60):
            for finding in analyse():
                intent = add_finding(client, intent, finding)
        print(f"found      {len(intent.state['findings'])} things (version {intent.version})")

        client.record_cost(intent.id, "api_call", "0.042", "USD", provider="openai", model="gpt-4")
        client.add_attachment(intent.id, "findings.txt", "text/plain", content="\n".join(intent.state["findings"]).encode())

        intent = client.set_status(intent.id, intent.version, IntentStatus.COMPLETED)
        print(f"completed  for {client.get_cost_summary(intent.id)['total']} USD")

        for event in client.get_events(intent.id):
            print(f"  {event.sequence:>2} {event.event_type:<17} {event.actor}")


def analyse() -> list[str]:
    """Return findings: replace this by your own work."""
    return ["Delivery is too slow", "The manual is liked", "Prices are not understood"]


def add_finding(client: OpenIntentClient, intent: Intent, finding: str) -> Intent:
    """Append a finding, retrying at the current version if another writer came first."""
    patches = [{"op": "append", "path": "/findings", "value": finding}]
    while True:
        try:
            return client.update_state(intent.id, intent.version, patches=patches)
        except ConflictError:
            intent = client.get_intent(intent.id)


if __name__ == "__main__":
    main()
