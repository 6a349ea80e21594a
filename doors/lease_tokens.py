"""Fencing tokens of an agent's leases, which the door finds in the log: no model repeats them, no process remembers them (rules M-2, M-3)."""

from doors.operations import Door

ENDED = ("lease_released", "lease_expired", "lease_revoked")
LEASE_EVENTS = ",".join(["lease_acquired", "lease_renewed", *ENDED])


async def fencing_headers(door: Door, intent_path: str) -> dict[str, str]:
    """Return the header of a write to the intent: with the token of the lease that the agent holds, or that it has lost.

    A lost one makes the server refuse the write (`lease_lost`), until the agent leases a scope again: it does not know of its
    loss. Leases of files guard no state and have no part in it.
    """
    found = await door.get(f"{intent_path}/events", event_type=LEASE_EVENTS, order="desc", limit=200)
    ended: set[str] = set()
    is_newest = True
    for event in found["events"]:
        lease = event["payload"]
        if lease["agent_id"] != door.agent or lease["scope"].startswith("file:") or lease["lease_id"] in ended:
            continue
        if event["event_type"] not in ENDED or (is_newest and event["event_type"] != "lease_released"):
            return {"x_fencing_token": str(lease["fencing_token"])}
        ended.add(lease["lease_id"])
        is_newest = False
    return {}
