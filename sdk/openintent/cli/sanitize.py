"""Text from elsewhere, made harmless: a title must not move the cursor, change colours or turn a line around."""

import re

_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What controls a terminal instead of standing on it, and what reverses or breaks lines."""

_UNSAFE_IN_JSON = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""The same, without what JSON escapes by itself and without the newlines between its members."""


def plain(text: object) -> str:
    """One line, with what is unsafe written as Python would: a line break is `\\n`, an escape character `\\x1b`."""
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), str(text))


def plain_lines(text: str) -> str:
    """The same for text of several lines."""
    return "\n".join(map(plain, text.splitlines()))


def plain_json(text: str) -> str:
    """JSON that means the same, and is harmless to look at."""
    return _UNSAFE_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
