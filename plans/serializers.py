"""Request body of plans (rule G-8)."""

from typing import Any

from django.conf import settings
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from core import strict_json
from core.agent_ids import agent_id_problem
from core.api.fields import MAX_ENTRIES, StrictCharField, StrictListField
from core.api.serializers import StrictSerializer
from core.ids import parse_id
from costs import budget_limits
from intents.operations import Assignee
from intents.serializers import MAX_AGENTS, MAX_DESCRIPTION, MAX_TITLE, NewIntent
from plans.plan import name_of
from portfolios.models import ROLE, Role
from portfolios.serializers import CreatePortfolio, MemberRole, Priority

MAX_REF = 255
MAX_LINKS = 10_000
"""Limit of the dependencies, and of the assignments, of all intents of a plan together."""

_USUAL_FIELDS = {"title", "ref", "description", "state", "constraints", "parent", "depends_on", "assign", "role"}


class Ref(StrictCharField):
    """Name of an intent within its plan."""

    def to_internal_value(self, data: Any) -> str:
        ref = super().to_internal_value(data)
        if parse_id(ref) is not None:
            raise serializers.ValidationError("cannot have the form of an id (a UUID): that refers to an existing intent")
        return ref


class PlannedIntentIn(NewIntent):
    """An intent of the plan. `role` and `priority` are those of its membership in the plan's portfolio."""

    aliases = {"initial_state": "state", "parent_intent_id": "parent", "parent_id": "parent"}

    ref = Ref(max_length=MAX_REF, required=False, help_text="Its name for the others of the plan.")
    parent = StrictCharField(  # type: ignore[assignment] # DRF takes declared fields out of the class.
        max_length=MAX_REF, required=False, allow_null=True, help_text="The ref of another intent, or the id of an existing one."
    )
    depends_on = StrictListField(
        child=StrictCharField(max_length=MAX_REF),
        required=False,
        help_text="Refs of other intents, and ids of existing ones.",
    )
    role = MemberRole(required=False)
    priority = Priority(required=False)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Accept a usual intent at once: field by field it takes ten times as long. Others get their errors that way."""
        return usual_values(data) or super().run_validation(data)


def usual_values(data: Any) -> dict[str, Any] | None:
    """Return the values of a usual intent as its validation does, or None for any other."""
    if type(data) is not dict or not data.keys() <= _USUAL_FIELDS:
        return None
    assign = data.get("assign", [])
    agents = assign if type(assign) is list else [assign]
    is_usual = (
        _is_line(data.get("title"), MAX_TITLE)
        and (len(data.get("ref", "a")) != 36 if _is_text(data.get("ref", "a")) else False)
        and (data.get("description") is None or _is_text(data["description"], MAX_DESCRIPTION))
        and _is_usual_object(data.get("state", {}))
        and _is_usual_object(constraints := data.get("constraints", {}))
        and not budget_limits.limit_errors(constraints)
        and (data.get("parent") is None or _is_text(data["parent"]))
        and type(depends_on := data.get("depends_on", [])) is list
        and len(depends_on) <= MAX_ENTRIES
        and all(_is_text(each) for each in depends_on)
        and len(agents) <= MAX_AGENTS
        and all(type(each) is str and agent_id_problem(each) is None for each in agents)
        and _is_line(data.get("role", "-"), ROLE)
    )
    return {**data, "assign": [Assignee(each) for each in agents]} if is_usual else None


def _is_text(value: Any, longest: int = MAX_REF) -> bool:
    return type(value) is str and 0 < len(value) <= longest


def _is_line(value: Any, longest: int) -> bool:
    """Return whether the value is text without control characters, and without spaces at its ends."""
    return _is_text(value, longest) and value.isprintable() and value == value.strip()


def _is_usual_object(value: Any) -> bool:
    return type(value) is dict and strict_json.fits(value, settings.MAX_STATE)


class PlannedIntents(StrictListField):
    default_error_messages = {"links": "have more than {limit} entries of {name} together"}

    def run_child_validation(self, data: list[Any]) -> list[Any]:
        for name in ("depends_on", "assign"):  # Before their entries are read.
            lists = [each.get(name) for each in data if isinstance(each, dict)]
            if sum(len(each) for each in lists if isinstance(each, list)) > MAX_LINKS:
                self.fail("links", limit=MAX_LINKS, name=name)
        return super().run_child_validation(data)


class CreateIntents(StrictSerializer):
    example = {
        "intents": [
            {"ref": "launch", "title": "Launch the product", "role": "primary"},
            {"ref": "build", "title": "Build it", "parent": "launch", "assign": [{"agent_id": "agent:dev"}]},
            {
                "ref": "test",
                "title": "Test it",
                "parent": "launch",
                "depends_on": ["build"],
                "assign": [{"agent_id": "agent:qa"}],
            },
        ],
        "portfolio": {"name": "Launch"},
    }

    intents = PlannedIntents(child=PlannedIntentIn(), allow_empty=False)
    portfolio = CreatePortfolio(required=False, allow_null=True, help_text="The portfolio to create, of all these intents.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        errors: dict[Any, Any] = {}
        if attrs.get("portfolio") is None:  # A role or priority would have no effect.
            detail = ErrorDetail("needs a portfolio in the plan", "no_portfolio")
            given = [[name for name in ("role", "priority") if name in each] for each in attrs["intents"]]
            errors = {index: {name: [detail] for name in names} for index, names in enumerate(given) if names}
        else:
            primary = [index for index, each in enumerate(attrs["intents"]) if each.get("role") == Role.PRIMARY]
            for index in primary[1:]:  # A portfolio has one (rule P-1).
                message = f"{name_of(primary[0])} is already the primary member of the portfolio"
                errors[index] = {"role": [ErrorDetail(message, "duplicate_primary")]}
        if errors:
            raise serializers.ValidationError({"intents": errors})
        return attrs
