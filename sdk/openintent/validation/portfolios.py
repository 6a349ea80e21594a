"""Portfolios."""

from collections.abc import Mapping
from typing import Any

from ..enums import PortfolioStatus
from ..errors import InputValidationError
from ._limits import unreadable_limit
from ._values import (
    DESCRIPTION_LENGTH,
    TITLE_LENGTH,
    flag,
    mapping,
    nearest,
    number,
    one_of,
    text,
    validate_agent_id,
    validate_whole_number,
    why,
)

ROLE_LENGTH = 64
PRIORITY = (-(2**31) + 1, 2**31 - 1)


RULES = ("require_all_completed", "allow_partial_completion", "auto_complete_threshold", "shared_constraints")


def validate_portfolio(**fields: Any) -> None:
    """Check the `name`, `description`, `governance_policy`, `metadata` and `created_by` of a portfolio, those that are given."""
    if "name" in fields:
        text(fields["name"], "name", TITLE_LENGTH)
    if fields.get("description") is not None:
        text(fields["description"], "description", DESCRIPTION_LENGTH, empty=True)
    for each in ("governance_policy", "metadata"):
        if each in fields:
            mapping(fields[each], each)
    _policy(fields.get("governance_policy", {}))
    if "created_by" in fields:
        validate_agent_id(fields["created_by"], "created_by")


def _policy(policy: Mapping[str, Any]) -> None:
    """A rule that the server does not know would bind nobody (protocol P-5)."""
    for name, value in policy.items():
        field = f"governance_policy.{name}"
        if name not in RULES:
            raise InputValidationError(f"{field} is no rule; {nearest(name, RULES)}", field=field)
        if name == "shared_constraints":
            mapping(value, field)
            unreadable_limit(value, field, shared=True)
        elif name == "auto_complete_threshold":
            number(value, field, 0, 100)
            if not value:
                raise InputValidationError(f"{field} must be above 0", field=field)
        else:
            flag(value, field)


def validate_portfolio_member(role: str = "member", priority: int = 0) -> None:
    """Check how an intent is to belong to a portfolio: a role of 1 to 64 characters, and a whole number of 32 bits."""
    text(role, "role", ROLE_LENGTH)
    validate_whole_number(priority, "priority", *PRIORITY)


def validate_portfolio_status(status: PortfolioStatus | str, reason: str | None = None) -> None:
    """Check a status to go to, and why: active, completed or abandoned."""
    one_of(status, "status", PortfolioStatus)
    why(reason)
