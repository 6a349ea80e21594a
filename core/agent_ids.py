"""Agent ids: which text may be one, which names are taken, and what looks alike (protocol §1.1)."""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

MAX_AGENT_ID = 255
AGENT_ID = re.compile(r"[^\x00-\x20\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\x00-\x20\x7f-\x9f])?")
"""What every reader of a schema understands of the rule; `problem_with` knows the invisible characters beyond it."""
INVISIBLE = ("Cc", "Cf", "Cs")
"""Unicode's categories of what nobody sees: control and format characters, and halves of characters."""

SERVER_ID, USER_PREFIX = "system", "user:"
RESERVED = "^([Ss][Yy][Ss][Tt][Ee][Mm]$|[Uu][Ss][Ee][Rr]:)"
"""What a schema can say of the names that are taken."""
NOT_THE_SERVER = f"{SERVER_ID!r} is the server itself; act under another name"
NOT_A_PERSON = f"names that begin with {USER_PREFIX!r} are those of signed-in people; act under another name"
LOOKS = "cannot contain control or format characters, nor begin or end with a space"


class Problem(NamedTuple):
    message: str
    code: str


@lru_cache(maxsize=10_000)  # Asked for each request with an X-Agent-ID.
def agent_id_problem(given: str) -> Problem | None:
    """Return why no key may act, or be acted upon, under this name; None where it may."""
    if not 1 <= len(given) <= MAX_AGENT_ID:
        return Problem(f"must have 1 to {MAX_AGENT_ID} characters", "invalid")
    if not AGENT_ID.fullmatch(given):
        return Problem(LOOKS, "invalid")
    if not given.isascii() and (given != given.strip() or has_invisible_characters(given)):
        return Problem(LOOKS, "invisible_character")
    known_as = fold_agent_id(given)
    if known_as == SERVER_ID:
        return Problem(NOT_THE_SERVER, "reserved")
    if known_as.startswith(USER_PREFIX):
        return Problem(NOT_A_PERSON, "reserved")
    return None


def has_invisible_characters(text: str) -> bool:
    """Whether it has a control or format character, with which two texts can look the same and differ."""
    if text.isascii():
        return not text.isprintable()
    return any(unicodedata.category(each) in INVISIBLE for each in text)


@lru_cache(maxsize=10_000)
def fold_agent_id(text: str) -> str:
    """Return what is the same for texts that look the same: without case, width, invisible characters and look-alike letters."""
    if not text.isascii():
        visible = "".join(each for each in unicodedata.normalize("NFKC", text) if unicodedata.category(each) not in INVISIBLE)
        text = unicodedata.normalize("NFKC", visible.casefold()).translate(_LOOK_ALIKE)
    return " ".join(text.lower().split())


_LOOK_ALIKE = str.maketrans(
    # Cyrillic, Greek and others, in lower case, whose small or capital form looks like a Latin letter.
    "авекмнорстухіјѕԁһԛԝӏғ" + "αβεηικμνορτυχζϲϳ" + "ıɑɡⅼ",
    "abekmhopctyxijsdhqwlf" + "abenikmvoptuxzcj" + "iagl",
)
