"""Results of the tools that ask, and the comparison of questions (rules M-5, M-6)."""

from typing import Any

from doors.operations import Door
from doors.schemas import result, text

QUESTION = result(
    {
        "arbitration_id": text("For wait_for_decision"),
        "status": text("pending, resolved, withdrawn or expired"),
        "url": text("Page where a person decides"),
        "decision": {"type": ["object", "null"]},
    },
    "arbitration_id",
    "status",
    "url",
)


APPROVALS = {"options": ["approve", "refuse"], "grants": ["approve"]}
"""The answers of which the first one makes a permit."""


def request_body(given: dict[str, Any]) -> dict[str, Any]:
    """Return the body of the request that the arguments of `ask` stand for."""
    body = {name: value for name, value in given.items() if name not in ("question", "remedy")}
    remedy = given.get("remedy")
    if isinstance(remedy, dict):
        body = {**remedy, **APPROVALS, **body}
    elif remedy is not None:
        body["remedy"] = remedy  # It is refused, with its name.
    return {**body, "reason": given.get("question", "")}


async def list_questions(door: Door, path: str) -> list[dict[str, Any]]:
    """Return the questions about the intent at the path."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = await door.get(f"{path}/arbitrations", limit=1000, cursor=cursor)
        found += page["arbitrations"]
        cursor = page["next"]
        if cursor is None:
            return found


def is_same(asked: dict[str, Any], body: dict[str, Any], agent: str) -> bool:
    """Return whether the agent has asked this already (rule M-6)."""
    return (
        asked["requester_id"] == agent
        and asked["reason"] == body["reason"]
        and asked["context"] == (body.get("context") or {})
        and asked["blocking"] == bool(body.get("blocking"))
        and all(asked[name] == body[name] for name in ("response_schema", "audience", "urgency", "action") if name in body)
        and [each["label"] for each in asked["options"]] == _labels(body.get("options"))
    )


def _labels(options: Any) -> list[Any]:
    given = options if isinstance(options, list) else []
    return [each.get("label") if isinstance(each, dict) else each for each in given]


def question_result(door: Door, arbitration: dict[str, Any]) -> dict[str, Any]:
    """Return the result of a tool about the question: with the page where a person decides."""
    names = ("status", "reason", "decision", "expires_at")
    return {
        "arbitration_id": arbitration["id"],
        "url": door.page(f"/admin/governance/arbitration/{arbitration['id']}/change/"),
        **{name: arbitration[name] for name in names},
    }
