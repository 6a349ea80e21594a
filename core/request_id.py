"""Request id: connects a response with its log lines."""

import re
from contextvars import ContextVar

from core.ids import random_text

HEADER = "X-Request-ID"

_VALID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
_current: ContextVar[str | None] = ContextVar("request_id", default=None)
request_id = _current.get
"""Return the id of the current request, or None outside of one."""


def set_request_id(proposed: str | None) -> str:
    """Set and return the current request's id: the proposed one if it is valid, else a new one."""
    chosen = proposed if proposed and _VALID.fullmatch(proposed) else random_text()
    _current.set(chosen)
    return chosen
