"""Request bodies of portfolios (protocol §3)."""

from typing import Any, ClassVar

from rest_framework import serializers

from access.serializers import AgentId
from core.agent_ids import AGENT_ID
from core.api.fields import (
    JSONObjectField,
    StrictBooleanField,
    StrictCharField,
    StrictChoiceField,
    StrictIntegerField,
    StrictUUIDField,
    require_json_size,
)
from core.api.serializers import StrictSerializer
from costs import budget_limits
from governance.question_fields import QuestionDefaults
from intents.serializers import CHANGES_REQUIRED, ActorBody, CreatorBody, Description, Title
from portfolios.models import CHANGEABLE, ROLE, Role, Status

MAX_PRIORITY = 2**31 - 1  # Of the database column.


class Percentage(serializers.FloatField):
    default_error_messages = {"null": "cannot be null", "invalid": "must be a number above 0 and at most 100"}
    json_schema = {"exclusiveMinimum": 0, "maximum": 100}

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float) or not 0 < data <= 100:
            self.fail("invalid")
        return data


class SharedConstraints(JSONObjectField):
    """Constraints whose budget may be a plain number, in USD. Invalid cost limits are refused (rule I-7)."""

    json_schema = budget_limits.constraints_schema(shared=True)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        shared = super().to_internal_value(data)
        if problems := budget_limits.limit_errors(shared, shared=True):
            raise serializers.ValidationError(problems, "unreadable_limit")
        return shared


class GovernancePolicy(StrictSerializer):
    """Completion rules of the portfolio, and constraints of its members. Unknown rules are refused, since they would have no effect."""

    require_all_completed = StrictBooleanField(
        required=False, help_text="The portfolio completes only when every member is completed."
    )
    allow_partial_completion = StrictBooleanField(required=False, help_text="An abandoned member counts as done.")
    auto_complete_threshold = Percentage(
        required=False, help_text="Percentage of completed members at which the portfolio completes automatically."
    )
    questions = QuestionDefaults(required=False, help_text="What questions about members take from here if they do not say it.")
    shared_constraints = SharedConstraints(required=False, help_text="Constraints of every member (`?effective=true`).")

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        require_json_size(self.field_name, data)
        super().to_internal_value(data)
        return data


class CreatePortfolio(CreatorBody):
    example: ClassVar[dict[str, Any]] = {
        "name": "Paris Trip 2027",
        "description": "Complete vacation planning",
        "governance_policy": {"require_all_completed": True, "shared_constraints": {"budget": {"max_total_cents": 500_000}}},
    }

    name = Title()
    description = Description()
    governance_policy = GovernancePolicy(required=False)
    metadata = JSONObjectField(required=False)
    created_by = AgentId(required=False)


class UpdatePortfolio(ActorBody):
    json_schema = CHANGES_REQUIRED
    example = {"governance_policy": {"auto_complete_threshold": 80}}

    name = Title(required=False)
    description = Description()
    governance_policy = GovernancePolicy(required=False, help_text="Replaces the whole policy.")
    metadata = JSONObjectField(
        required=False,
        help_text="Replaces the whole object; without `If-Match`, keys that begin with `openintent.` are kept.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs.keys() & set(CHANGEABLE):
            raise serializers.ValidationError(f"give at least one of {', '.join(CHANGEABLE)}")
        return attrs


class SetPortfolioStatus(ActorBody):
    example = {"status": "completed", "reason": "Everything is booked"}

    status = StrictChoiceField(Status.choices)
    reason = Description()


class MemberRole(StrictCharField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            max_length=ROLE,
            pattern=rf"\A{AGENT_ID.pattern}\Z",
            pattern_message="cannot contain control characters, or begin or end with a space",
            help_text="`primary` (at most one member), `member`, `dependency`, or another.",
            **kwargs,
        )


class Priority(StrictIntegerField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            min_value=-MAX_PRIORITY,
            max_value=MAX_PRIORITY,
            help_text="Members are listed by descending priority.",
            **kwargs,
        )


class AddIntentToPortfolio(ActorBody):
    example = {"intent_id": "0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21", "role": "primary", "priority": 100}

    intent_id = StrictUUIDField()
    role = MemberRole(default=Role.MEMBER.value)
    priority = Priority(default=0)
