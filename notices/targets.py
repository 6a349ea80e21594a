"""Targets of channels: e-mail addresses, or a URL (rule H-7)."""

import re
from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from core.errors import Invalid
from notices.models import ChannelKind
from subscriptions.webhooks.address_policy import URL

MAX_ADDRESSES = 20
MAX_TARGET = 2_000
_URL = re.compile(URL)
_TOPIC = re.compile(r"\Ahttps?://[^/]+/([^/?#]+/)*[-_A-Za-z0-9]{1,64}(\?.*)?\Z")


def require_target(kind: str, target: Sequence[str]) -> None:
    """Raise Invalid if it is no target of such a channel."""
    if kind == ChannelKind.EMAIL:
        for each in target:
            _require_address(each)
        return
    if len(target) != 1 or not _URL.fullmatch(target[0]):
        raise Invalid.field(
            "target", "must be an http or https URL, in ASCII and without a user name or password", "target_of_kind"
        )
    if kind == ChannelKind.NTFY and not _TOPIC.fullmatch(target[0]):
        raise Invalid.field("target", "must be the URL of a topic, like https://ntfy.sh/TOPIC", "target_of_kind")


def _require_address(address: str) -> None:
    try:
        validate_email(address)
    except ValidationError:
        raise Invalid.field("target", "must be e-mail addresses, like ada@example.com", "target_of_kind") from None
