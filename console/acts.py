"""Acts for display: nothing that a digest covers is cut (rule A-10)."""

from typing import Any

import orjson

from governance.models import Arbitration, Status
from governance.permits import changes_since

SHOWN_DIGEST = 12  # Characters.


def describe_act(asked: Arbitration) -> dict[str, Any]:
    """Return the act of a question in full, with the beginning of its digest and what has changed since it was asked."""
    action = asked.action or {}
    return {
        **action,
        "params": orjson.dumps(action["params"], option=orjson.OPT_INDENT_2).decode(),
        "digest": (asked.action_sha256 or "")[:SHOWN_DIGEST],
        "changed": changes_since(asked.intent, asked) if asked.status == Status.PENDING else [],
    }
