"""Conditional and range requests of attachments (RFC 9110 §13 and §14)."""

import re
from collections.abc import Mapping
from typing import Any

from django.utils.http import parse_etags

from attachments.errors import RangeNotSatisfiable

_RANGE = re.compile(r"bytes[ \t]*=[ \t]*(\d{0,18})-(\d{0,18})[ \t]*", re.ASCII | re.IGNORECASE)


def is_not_modified(meta: Mapping[str, Any], etag: str) -> bool:
    """Return whether If-None-Match has the current ETag."""
    given = parse_etags(meta.get("HTTP_IF_NONE_MATCH", ""))
    return given == ["*"] or etag in [each.removeprefix("W/") for each in given]


def requested_range(meta: Mapping[str, Any], etag: str, size: int) -> tuple[int, int] | None:
    """Return the start and length of the requested range, or None for the whole content.

    Several ranges and malformed ones also mean the whole: a server may ignore the header. So does a range of
    something that has changed since (If-Range). Raises RangeNotSatisfiable.
    """
    match = _RANGE.fullmatch(meta.get("HTTP_RANGE", "").strip())
    if not match or meta.get("HTTP_IF_RANGE", etag).strip() != etag:
        return None
    first, last = match.groups()
    if not first and not last:
        return None
    if not first:  # The last bytes, as many as `last` says.
        if int(last) == 0:
            raise RangeNotSatisfiable(size)
        length = min(int(last), size)
        return (size - length, length) if size else None
    if last and int(last) < int(first):
        return None
    if int(first) >= size:
        raise RangeNotSatisfiable(size)
    end = min(int(last), size - 1) if last else size - 1
    return int(first), end - int(first) + 1
