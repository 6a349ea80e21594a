"""Request and response bodies of portfolios (protocol §3)."""

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from access.serializers import AgentId
from core import encoding
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
from core.db.sql_rows import Row
from costs import budget_limits
from intents.models import Intent
from intents.representation import intent_body
from intents.serializers import CHANGES_REQUIRED, ActorBody, AggregateStatusOut, Description, IntentOut, Title
from portfolios.models import CHANGEABLE, ROLE, Membership, Portfolio, Role, Status

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
    shared_constraints = SharedConstraints(required=False, help_text="Constraints of every member (`?effective=true`).")

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        require_json_size(self.field_name, data)
        super().to_internal_value(data)
        return data


class CreatePortfolio(StrictSerializer):
    name = Title()
    description = Description()
    governance_policy = GovernancePolicy(required=False)
    metadata = JSONObjectField(required=False)
    created_by = AgentId(required=False)


class UpdatePortfolio(ActorBody):
    json_schema = CHANGES_REQUIRED

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
    intent_id = StrictUUIDField()
    role = MemberRole(default=Role.MEMBER.value)
    priority = Priority(default=0)


class PortfolioMemberOut(IntentOut):
    role = serializers.CharField()
    priority = serializers.IntegerField()


class PortfolioOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    version = serializers.IntegerField(min_value=1)
    name = serializers.CharField()
    description = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(Status.choices)
    governance_policy = JSONObjectField()
    metadata = JSONObjectField()
    intents = PortfolioMemberOut(many=True)
    intents_next = serializers.CharField(
        allow_null=True,
        help_text="If the members are too large for one response: the `cursor` of the next ones at `…/intents`. Else null.",
    )
    aggregate_status = AggregateStatusOut()
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


def member_body(intent: Intent | Row, member: Membership | Row) -> dict[str, Any]:
    return {**intent_body(intent), "role": member.role, "priority": member.priority}


def portfolio_body(
    portfolio: Portfolio | Row, intents: Sequence[dict[str, Any]], aggregate_status: dict[str, Any], intents_next: str | None
) -> dict[str, Any]:
    return {
        "id": encoding.identifier(portfolio.id),
        "version": portfolio.version,
        "name": portfolio.name,
        "description": portfolio.description,
        "status": str(portfolio.status),
        "governance_policy": encoding.json(portfolio.governance_policy),
        "metadata": encoding.json(portfolio.metadata),
        "intents": intents,
        "intents_next": intents_next,
        "aggregate_status": aggregate_status,
        "created_by": portfolio.created_by,
        "created_at": encoding.instant(portfolio.created_at),
        "updated_at": encoding.instant(portfolio.updated_at),
    }
