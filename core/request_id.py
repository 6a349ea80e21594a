"""The id that ties an answer to its lines in the log."""

import re
from contextvars import ContextVar
from secrets import token_hex

HEADER = "X-Request-ID"

_ACCEPTABLE = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
_current: ContextVar[str | None] = ContextVar("request_id", default=None)


def request_id() -> str | None:
    """The id of the request that is being answered, or None outside of one."""
    return _current.get()


def set_request_id(offered: str | None) -> str:
    """Take over the id that a proxy or caller gave, if it is harmless, or make one."""
    chosen = offered if offered and _ACCEPTABLE.fullmatch(offered) else token_hex(8)
    _current.set(chosen)
    return chosen
