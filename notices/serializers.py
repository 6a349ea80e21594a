"""Request bodies of channels (protocol §10)."""

from functools import partial
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from core.agent_ids import USER_PREFIX
from core.api.fields import (
    VISIBLE,
    ItemOrListField,
    StrictCharField,
    StrictChoiceField,
    StrictIntegerField,
    StrictListField,
)
from core.api.serializers import StrictSerializer
from governance.models import Urgency
from notices.models import MAX_NAME, MAX_TO, ChannelKind, ChannelStatus
from notices.targets import MAX_ADDRESSES, MAX_TARGET

MIN_DIGEST, MAX_DIGEST = 60, 7 * 24 * 3600

_Clock = partial(
    StrictCharField,
    pattern=r"\A([01][0-9]|2[0-3]):[0-5][0-9]\Z",
    pattern_message="must be a time of day like 22:00",
    max_length=5,
)
_Name = partial(StrictCharField, max_length=MAX_NAME, pattern=VISIBLE, pattern_message="cannot be empty")
_Owner = partial(
    StrictCharField,
    max_length=MAX_TO,
    pattern=rf"\A{USER_PREFIX}[^\s]+\Z",
    pattern_message="must be a person, like user:ada",
    required=False,
    allow_null=True,
    help_text="Whose own channel it is. Null: shared, it hears every question of its urgencies.",
)


class Target(ItemOrListField):
    """E-mail addresses, or a URL."""

    def __init__(self, **kwargs: Any) -> None:
        child = StrictCharField(max_length=MAX_TARGET)
        text = "E-mail addresses, or a URL. Never shown."
        super().__init__(child=child, allow_empty=False, max_length=MAX_ADDRESSES, help_text=text, **kwargs)


class Urgencies(StrictListField):
    def __init__(self) -> None:
        child = StrictChoiceField(Urgency.choices)
        text = "Urgencies of the questions that it hears. Default: all."
        super().__init__(child=child, required=False, allow_empty=False, max_length=len(Urgency), help_text=text)


class QuietHoursIn(StrictSerializer):
    """Times of day between which low and normal notices wait. They may go over midnight."""

    vars()["from"] = _Clock()
    until = _Clock()
    time_zone = StrictCharField(
        max_length=60, required=False, default="UTC", help_text="Name of a time zone, like Europe/Berlin."
    )

    def validate_time_zone(self, value: str) -> str:
        try:
            ZoneInfo(value)
        except (OSError, ValueError, LookupError):
            raise serializers.ValidationError("unknown time zone; use a name like Europe/Berlin", "unknown_time_zone") from None
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["from"] == attrs["until"]:
            raise serializers.ValidationError({"until": ErrorDetail("must differ from the beginning", "no_time")})
        return attrs


class DigestIn(StrictSerializer):
    """Low and normal notices are sent together, this long after the first of them at the latest."""

    every_seconds = StrictIntegerField(min_value=MIN_DIGEST, max_value=MAX_DIGEST)


class CreateChannel(StrictSerializer):
    example: ClassVar[dict[str, Any]] = {
        "name": "Platform team",
        "kind": "slack",
        "target": ["https://chat.example.com/hooks/releases"],
        "urgencies": ["normal", "high"],
        "quiet_hours": {"from": "22:00", "until": "07:00", "time_zone": "Europe/Berlin"},
    }

    name = _Name()
    kind = StrictChoiceField(ChannelKind.choices)
    target = Target()
    owner = _Owner()
    urgencies = Urgencies()
    quiet_hours = QuietHoursIn(required=False, allow_null=True)
    digest = DigestIn(required=False, allow_null=True)


class UpdateChannel(StrictSerializer):
    json_schema = {"minProperties": 1}
    example = {"status": "active"}

    name = _Name(required=False)
    target = Target(required=False)
    owner = _Owner()
    urgencies = Urgencies()
    quiet_hours = QuietHoursIn(required=False, allow_null=True)
    digest = DigestIn(required=False, allow_null=True)
    status = StrictChoiceField(ChannelStatus.choices, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError(f"give at least one of {', '.join(self.fields)}")
        return attrs
