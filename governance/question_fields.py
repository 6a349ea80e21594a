"""Fields of a question to people, in requests, in policies of portfolios and in the server's settings (protocol §10)."""

from functools import partial
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from core.agent_ids import has_invisible_characters
from core.api.fields import (
    VISIBLE,
    JSONObjectField,
    StrictCharField,
    StrictChoiceField,
    StrictIntegerField,
    StrictListField,
)
from core.api.serializers import StrictSerializer
from governance.models import FallbackKind, Urgency

MAX_AUDIENCE = 50
MAX_STEPS = 10
MAX_SECONDS = 90 * 86_400
MAX_RECIPIENT = 200
MAX_DECISION = 10_000

RECIPIENT = r"(user|group):\S(.*\S)?"
"""A person by the name of their account, or a group of accounts."""


class Recipient(StrictCharField):
    def __init__(self, **kwargs: Any) -> None:
        message = "must be user:NAME or group:NAME"
        super().__init__(max_length=MAX_RECIPIENT, pattern=rf"\A{RECIPIENT}\Z", pattern_message=message, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        value = super().to_internal_value(data)
        if has_invisible_characters(value):
            raise serializers.ValidationError("cannot contain control or format characters", "invisible_character")
        return value


Seconds = partial(StrictIntegerField, min_value=1, max_value=MAX_SECONDS)


class EscalationStepIn(StrictSerializer):
    after_seconds = Seconds(help_text="From the request.")
    to = Recipient()


class FallbackIn(StrictSerializer):
    do = StrictChoiceField(FallbackKind.choices)
    decision = StrictCharField(
        max_length=MAX_DECISION, pattern=VISIBLE, pattern_message="cannot be empty", required=False, allow_null=True
    )
    answer = JSONObjectField(required=False, allow_null=True)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        values = super().to_internal_value(data)
        whole = {"do": values["do"], "decision": values.get("decision"), "answer": values.get("answer")}
        if whole["do"] == FallbackKind.DECIDE and whole["decision"] is None:
            raise serializers.ValidationError({"decision": ErrorDetail("is required to decide", "no_decision")})
        if whole["do"] != FallbackKind.DECIDE and (whole["decision"] is not None or whole["answer"] is not None):
            raise serializers.ValidationError(
                {"do": ErrorDetail('must be "decide" where there is a decision or an answer', "not_decided")}
            )
        return whole


class DefaultFallbackIn(FallbackIn):
    """A fallback that decides belongs to one question, whose answers it knows."""

    do = StrictChoiceField([FallbackKind.EXPIRE.value, FallbackKind.FAIL.value])


class AudienceField(StrictListField):
    """Recipients, each once."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(child=Recipient(), max_length=MAX_AUDIENCE, **kwargs)

    def to_internal_value(self, data: Any) -> list[Any]:
        return [*dict.fromkeys(super().to_internal_value(data))]


class RemindField(StrictListField):
    """Seconds from the request, each once and in their order."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(child=Seconds(), max_length=MAX_STEPS, **kwargs)

    def to_internal_value(self, data: Any) -> list[Any]:
        return sorted(set(super().to_internal_value(data)))


class QuestionDefaults(StrictSerializer):
    """Values of questions that say nothing else: of a portfolio's members, or of the whole server."""

    audience = AudienceField(required=False)
    urgency = StrictChoiceField(Urgency.choices, required=False)
    remind_after_seconds = RemindField(required=False)
    escalation = StrictListField(child=EscalationStepIn(), required=False, max_length=MAX_STEPS)
    fallback = DefaultFallbackIn(required=False)
    expires_after_seconds = Seconds(required=False)
