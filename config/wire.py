"""Values as they stand on the wire (protocol §1)."""

from datetime import datetime
from typing import overload


@overload
def instant(at: datetime) -> str: ...
@overload
def instant(at: None) -> None: ...
@overload
def instant(at: datetime | None) -> str | None: ...
def instant(at: datetime | None) -> str | None:
    """RFC 3339 in UTC with microseconds. Django hands out aware instants in UTC, so nothing is converted."""
    return None if at is None else at.isoformat(timespec="microseconds")[:-6] + "Z"
