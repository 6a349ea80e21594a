"""Log formatters: one line per record, as JSON for machines or as text for a terminal."""

import logging
import re
from datetime import UTC, datetime
from typing import Any

from core import strict_json
from core.request_id import request_id


class JSONFormatter(logging.Formatter):
    """One JSON object per record: `{"at", "level", "logger", "message", "request_id", …}`; `extra={"fields": {...}}` adds members."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if current := request_id():
            entry["request_id"] = current
        entry.update(getattr(record, "fields", {}))
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return _on_one_line(strict_json.text(entry), "\\u%04x")


class TextFormatter(logging.Formatter):
    """Plain text with the record's fields as `name=value`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        fields = getattr(record, "fields", {})
        return super().format(record) + "".join(f" {name}={_on_one_line(str(value))}" for name, value in fields.items())

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        record.message = _on_one_line(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802
        return "\n".join(map(_on_one_line, super().formatException(ei).split("\n")))


def _on_one_line(text: str, form: str = "\\x%02x") -> str:
    """Escape line ends and control characters, so that input cannot forge log lines or control a terminal."""
    return _CONTROL.sub(lambda match: form % ord(match[0]), text)


_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
