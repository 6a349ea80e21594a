"""Text of others in notices: without invisible characters, links and mentions, for each format (rule H-6)."""

import re

from core.errors import truncate
from core.invisible_characters import name_invisible

_SCHEME = re.compile(r"\b([a-z][a-z0-9+.-]{0,20}):(?=//)|\b(mailto|tel|javascript|data):", re.IGNORECASE)
_BARE_HOST = re.compile(r"\b(www)\.|(?<=\w)\.(?=[a-z]{2,24}(?::\d|[/?#]))", re.IGNORECASE)


def show(text: str, length: int, *, lines: bool = False) -> str:
    """Return text of others so that it is read and does nothing: at most `length` characters of one line, or of `lines`.

    Invisible characters are named (⟨U+202E⟩), and what a reader's program would make a link is broken by brackets.
    """
    return truncate(unlink(name_invisible(_flatten(text[: length * 2], lines))), length)


def unlink(text: str) -> str:
    """Return the text without anything that a program would make a link."""
    text = _SCHEME.sub(lambda found: f"{found[1] or found[2]}[:]", text)
    return _BARE_HOST.sub(lambda found: "www[.]" if found[1] else "[.]", text)


def unmention(text: str) -> str:
    """Return the text without mentions, for formats that find them in any text."""
    return text.replace("@", "@\u2060")


def escape_slack(text: str) -> str:
    """Return the text with the three characters of Slack's markup escaped: `<!channel>` would reach everybody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def as_code(text: str) -> str:
    """Return a block of code, in which Mattermost and Discord find no markup, mentions or links."""
    return "```\n" + text.replace("`", "\u02cb") + "\n```"


def _flatten(text: str, lines: bool) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if lines else re.sub(r"[\n\t ]+", " ", text).strip()
