"""Plans: intents that are created together (RFC-0002)."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict
from uuid import UUID

from .._call import Call
from .._parameters import Id, SupportsPlan, as_id, as_ids, path, without_none
from ..errors import InputValidationError
from ..models import Plan
from ..validation import validate_plan
from ._transport import Transport


class PlannedIntent(TypedDict):
    """An intent of a plan: what `create_intent` takes, a `ref` for the others, and its membership in the plan's portfolio."""

    title: str
    ref: NotRequired[str]
    description: NotRequired[str | None]
    state: NotRequired[Mapping[str, Any]]
    constraints: NotRequired[Mapping[str, Any] | Sequence[Any]]
    confidence: NotRequired[int | None]
    parent: NotRequired[Id | None]
    depends_on: NotRequired[Sequence[Id]]
    assign: NotRequired[str | Mapping[str, str] | Sequence[str | Mapping[str, str]]]
    created_by: NotRequired[str]
    role: NotRequired[str]
    priority: NotRequired[int]


class PlanResource(Transport):
    """/intents/batch (RFC-0002)."""

    def create_intents(
        self,
        intents: Sequence[PlannedIntent | SupportsPlan],
        *,
        portfolio: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> Plan:
        """Create up to 1,000 intents with their dependencies and assignments, all or none, in any order.

        Each is a mapping with what `create_intent` takes. `parent` and `depends_on` are refs of other intents, or ids of existing
        ones. `portfolio` is what `create_portfolio` takes: it is created with the intents as its members, with the `role` and
        `priority` of each. An `IntentSpec` is accepted as well, with its title as its ref.

        Raises InputValidationError, ValidationError (an unknown or duplicate ref; `dependency_cycle`), ConflictError
        `intent_closed` (a parent).
        """
        planned = [planned_body(each) for each in intents]
        body = without_none(intents=planned, portfolio=None if portfolio is None else without_none(**portfolio))
        validate_plan(**body)
        return self.send(Call("POST", path("intents", "batch"), Plan.from_json, json=body, idempotency_key=idempotency_key))


def planned_body(intent: Mapping[str, Any] | SupportsPlan) -> dict[str, Any]:
    """Return the intent without what is None, and with ids as text. Raise InputValidationError."""
    if not isinstance(intent, Mapping) and getattr(intent, "retry_policy", None) is not None:
        raise InputValidationError("retry_policy is not part of a plan; call set_retry_policy afterwards", field="retry_policy")
    body = without_none(**(intent if isinstance(intent, Mapping) else intent.as_planned()))
    if "parent" in body:
        body["parent"] = as_id(body["parent"])
    if "depends_on" in body and not isinstance(body["depends_on"], (str, UUID)):
        body["depends_on"] = as_ids(body["depends_on"])
    return body
