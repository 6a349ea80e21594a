"""Request bodies of leases (protocol §3)."""

from datetime import timedelta
from functools import partial
from typing import Any, ClassVar

from rest_framework import serializers

from access.serializers import AgentId
from core.api.fields import StrictCharField, StrictIntegerField
from core.api.serializers import StrictSerializer
from leasing.scopes import FILE, MAX_LENGTH, MAX_SCOPE, PATTERN, find_error

MIN_SECONDS, DEFAULT_SECONDS, MAX_SECONDS = 1, 300, 86_400
MAX_REASON = 2_000


DurationSeconds = partial(StrictIntegerField, min_value=MIN_SECONDS, max_value=MAX_SECONDS, default=DEFAULT_SECONDS)
"""Duration of a lease (rule L-2)."""


class LeaseRequest(StrictSerializer):
    """Fields of acquiring and renewing: `duration_seconds` becomes the timedelta `duration`."""

    duration_seconds = DurationSeconds()
    agent_id = AgentId(required=False)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        values = super().to_internal_value(data)
        duration = timedelta(seconds=values.pop("duration_seconds"))
        return {**values, "duration": duration}


class ScopeField(StrictCharField):
    json_schema: ClassVar[dict[str, Any]] = {
        "anyOf": [
            {"type": "string", "maxLength": MAX_LENGTH, "pattern": PATTERN.replace(r"\A", "^").replace(r"\Z", "$")},
            {"type": "string", "maxLength": MAX_SCOPE, "pattern": f"^{FILE}"},
        ]
    }

    def to_internal_value(self, data: Any) -> str:
        scope = super().to_internal_value(data)
        if error := find_error(scope):
            raise serializers.ValidationError(error, "file_path" if scope.startswith(FILE) else "invalid")
        return scope


class AcquireLease(LeaseRequest):
    example = {"scope": "content.draft", "duration_seconds": 300}

    scope = ScopeField(
        max_length=MAX_SCOPE,
        help_text="Levels are separated by dots (`content.draft`), those of a file's path by slashes (`file:src/app.py`).",
    )


class RenewLease(LeaseRequest):
    example = {"duration_seconds": 600}


class RevokeLease(StrictSerializer):
    example = {"reason": "The agent does not answer"}

    reason = StrictCharField(max_length=MAX_REASON, required=False, allow_null=True, allow_blank=True)
