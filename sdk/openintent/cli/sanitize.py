"""Sanitizing of external text: a title must not move the cursor, change colours or reverse a line."""

import re

_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that control a terminal, and those that reverse or break lines."""

_UNSAFE_IN_JSON = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""The same without those that JSON escapes, and without the newlines between its members."""


def escape(text: object) -> str:
    """Return one line with unsafe characters escaped as in Python: a line break is `\\n`, an escape character `\\x1b`."""
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), str(text))


def escape_lines(text: str) -> str:
    """Escape each line of the text."""
    return "\n".join(map(escape, text.splitlines()))


def escape_json(text: str) -> str:
    """Return equivalent JSON with unsafe characters escaped."""
    return _UNSAFE_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
