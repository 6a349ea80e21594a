"""Agent ids: valid, reserved and look-alike ids (protocol §1.1)."""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

MAX_AGENT_ID = 255
AGENT_ID = re.compile(r"[^\x00-\x20\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\x00-\x20\x7f-\x9f])?")
"""The rule as far as a pattern can express it; `agent_id_problem` checks invisible characters, too."""
INVISIBLE_CATEGORIES = ("Cc", "Cf", "Cs")
"""Unicode categories of invisible characters: control, format and surrogate."""

SERVER_ID, USER_PREFIX = "system", "user:"
RESERVED_PATTERN = "^([Ss][Yy][Ss][Tt][Ee][Mm]$|[Uu][Ss][Ee][Rr]:)"
"""Pattern of reserved ids, for schemas."""
SERVER_RESERVED = f"{SERVER_ID!r} is reserved for the server; choose another id"
USER_RESERVED = f"ids that begin with {USER_PREFIX!r} are reserved for console users; choose another id"
INVALID_CHARACTERS = "cannot contain control or format characters, nor begin or end with a space"


class Problem(NamedTuple):
    """Reason why an agent id is refused."""

    message: str
    code: str


@lru_cache(maxsize=10_000)  # Called for each request with an X-Agent-ID.
def agent_id_problem(given: str) -> Problem | None:
    """Return the reason why the agent id is refused, or None."""
    if not 1 <= len(given) <= MAX_AGENT_ID:
        return Problem(f"must have 1 to {MAX_AGENT_ID} characters", "invalid")
    if not AGENT_ID.fullmatch(given):
        return Problem(INVALID_CHARACTERS, "invalid")
    if not given.isascii() and (given != given.strip() or has_invisible_characters(given)):
        return Problem(INVALID_CHARACTERS, "invisible_character")
    folded = fold_agent_id(given)
    if folded == SERVER_ID:
        return Problem(SERVER_RESERVED, "reserved")
    if folded.startswith(USER_PREFIX):
        return Problem(USER_RESERVED, "reserved")
    return None


def has_invisible_characters(text: str) -> bool:
    """Return whether the text has control or format characters, which make different texts look the same."""
    if text.isascii():
        return not text.isprintable()
    return any(unicodedata.category(each) in INVISIBLE_CATEGORIES for each in text)


@lru_cache(maxsize=10_000)
def fold_agent_id(text: str) -> str:
    """Return a key that is equal for look-alike ids: without case, width, invisible characters and look-alike letters."""
    if not text.isascii():
        visible = "".join(
            each for each in unicodedata.normalize("NFKC", text) if unicodedata.category(each) not in INVISIBLE_CATEGORIES
        )
        text = unicodedata.normalize("NFKC", visible.casefold()).translate(_LOOK_ALIKE)
    return " ".join(text.lower().split())


_LOOK_ALIKE = str.maketrans(
    # Cyrillic, Greek and others, in lower case, whose small or capital form looks like a Latin letter.
    "авекмнорстухіјѕԁһԛԝӏғ" + "αβεηικμνορτυχζϲϳ" + "ıɑɡⅼ",
    "abekmhopctyxijsdhqwlf" + "abenikmvoptuxzcj" + "iagl",
)
