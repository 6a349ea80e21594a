"""Subscriptions."""

import re
from typing import Any

from ..errors import InputValidationError
from ._values import URL_LENGTH, require_bool, require_text, validate_agent_id
from .events import validate_event_types

SETTABLE = ("active", "paused")

_CALLBACK_URL = re.compile(r"https?://[^\s/?#@]+([/?][!-~]*)?")


def validate_subscription(**fields: Any) -> None:
    """Check the `subscriber_id`, `callback_url`, `event_types`, `status` and `rotate_secret` of a subscription, if passed."""
    if fields.get("subscriber_id") is not None:
        validate_agent_id(fields["subscriber_id"], "subscriber_id")
    if fields.get("callback_url") is not None:
        url = fields["callback_url"]
        require_text(url, "callback_url", URL_LENGTH)
        if not url.isascii() or not _CALLBACK_URL.fullmatch(url):  # It may contain a token: not in the message.
            raise InputValidationError(
                "callback_url must be an http or https URL, in ASCII and without a user name or password", field="callback_url"
            )
    if fields.get("event_types") is not None:
        validate_event_types(fields["event_types"])
    if fields.get("status", "active") not in SETTABLE:
        raise InputValidationError(f"status must be active or paused, not {fields['status']!r}", field="status")
    require_bool(fields.get("rotate_secret", False), "rotate_secret")
