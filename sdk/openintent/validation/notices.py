"""Channels of notices."""

from typing import Any

from ..enums import ChannelKind, ChannelStatus, Urgency
from ..errors import InputValidationError
from ._values import URL_LENGTH, require_list, require_mapping, require_one_of, require_text

MAX_NAME, MAX_ADDRESSES, MAX_OWNER = 100, 20, 300


def validate_channel(**fields: Any) -> None:
    """Check the `name`, `kind`, `target`, `owner`, `urgencies`, `quiet_hours`, `digest` and `status` of a channel, if passed."""
    if "name" in fields:
        require_text(fields["name"], "name", MAX_NAME)
    if "kind" in fields:
        require_one_of(fields["kind"], "kind", ChannelKind)
    if "target" in fields:
        _validate_target(fields["target"])
    if fields.get("owner") is not None:
        require_text(fields["owner"], "owner", MAX_OWNER)
    if fields.get("urgencies") is not None:
        require_list(fields["urgencies"], "urgencies", len(Urgency))
        for index, urgency in enumerate(fields["urgencies"]):
            require_one_of(urgency, f"urgencies[{index}]", Urgency)
    for name in ("quiet_hours", "digest"):
        if fields.get(name) is not None:
            require_mapping(fields[name], name)
    if "status" in fields:
        require_one_of(fields["status"], "status", ChannelStatus)


def _validate_target(target: Any) -> None:
    """Check an address or URL, or a list of addresses."""
    if not isinstance(target, list | tuple):
        require_text(target, "target", URL_LENGTH)
        return
    require_list(target, "target", MAX_ADDRESSES)
    if not target:
        raise InputValidationError("target needs at least one entry", field="target")
    for index, each in enumerate(target):
        require_text(each, f"target[{index}]", URL_LENGTH)
