"""JSON as HTML: objects and lists as a tree that folds, texts of several lines in monospace, long ones folded."""

from typing import Any

import orjson
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from console import agent_text
from console.state_diff import ABSENT

MAX_VALUES = 600  # Values of one tree that are shown.
OPEN_LEVELS = 3  # Levels that are unfolded at first.
MAX_OPEN_MEMBERS = 20  # Members with which an object is unfolded at first.
MAX_PROSE = 20_000  # Characters of the texts of one tree in which markup is looked for.
SHORT_LENGTH = 120


def render_tree(value: Any) -> SafeString:
    """Return the value as HTML. Values beyond MAX_VALUES are counted."""
    return _Writer().write(value, 1)


def render_context(value: Any) -> SafeString:
    """Return the same of what an agent tells people: texts with their markup."""
    return _Writer(prose_left=MAX_PROSE).write(value, 1)


def render_value(value: Any) -> SafeString:
    """Return one value among others, whole: JSON in one line; a long one is folded. Empty for none."""
    if value is ABSENT:
        return SafeString("")
    return agent_text.value_text(value if isinstance(value, str) else orjson.dumps(value).decode())


def shorten(value: Any, length: int = SHORT_LENGTH) -> str:
    """Return the value in one line."""
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= length else f"{text[: length - 1]}…"


class _Writer:
    def __init__(self, prose_left: int = 0) -> None:
        self.left = MAX_VALUES
        self.prose_left = prose_left

    def write(self, value: Any, level: int) -> SafeString:
        if isinstance(value, dict):
            return self._members([*value.items()], level)
        if isinstance(value, list):
            return self._members([*enumerate(value)], level)
        return self._scalar(value)

    def _members(self, members: list[tuple[Any, Any]], level: int) -> SafeString:
        shown = []
        for name, each in members:
            if self.left <= 0:
                break
            self.left -= 1
            if not isinstance(each, dict | list) or not each:
                leaf = '<li class="oi-leaf"><span class="oi-name">{}</span><div>{}</div></li>'
                shown.append((format_html(leaf, _name(name), self._scalar(each)),))
                continue
            is_open = level < OPEN_LEVELS and len(each) <= MAX_OPEN_MEMBERS
            size = f"{len(each)} {'field' if isinstance(each, dict) else 'item'}{'s' if len(each) > 1 else ''}"
            html = '<li><details{}><summary><span class="oi-name">{}</span> <span class="oi-size">{}</span></summary>{}</details></li>'
            shown.append(
                (format_html(html, mark_safe(" open" if is_open else ""), _name(name), size, self.write(each, level + 1)),)
            )
        rest = len(members) - len(shown)
        more = format_html('<li class="oi-quiet">and {} more</li>', rest) if rest else ""
        return format_html('<ul class="oi-tree">{}{}</ul>', format_html_join("", "{}", shown), more)

    def _scalar(self, value: Any) -> SafeString:
        if isinstance(value, dict | list):
            return mark_safe('<span class="oi-quiet">empty</span>')
        if not isinstance(value, str):
            kind = "oi-json-none" if value is None else "oi-json-number"
            return format_html('<span class="{}">{}</span>', kind, orjson.dumps(value).decode())
        if not value.strip():
            return mark_safe('<span class="oi-quiet">empty text</span>') if value.isascii() else agent_text.visible(value)
        self.prose_left -= len(value)
        return format_html('<div class="oi-json-text">{}</div>', agent_text.value_text(value, markup=self.prose_left >= 0))


def _name(name: str | int) -> SafeString:
    return agent_text.visible(name)
