"""Portfolios."""

from typing import Any

from ..enums import PortfolioStatus
from ..errors import InputValidationError
from ._limits import require_readable_limits
from ._values import (
    DESCRIPTION_LENGTH,
    TITLE_LENGTH,
    require_bool,
    require_mapping,
    require_number,
    require_one_of,
    require_reason,
    require_text,
    suggest,
    validate_agent_id,
    validate_whole_number,
)

ROLE_LENGTH = 64
PRIORITY = (-(2**31) + 1, 2**31 - 1)


RULES = ("require_all_completed", "allow_partial_completion", "auto_complete_threshold", "shared_constraints")


def validate_portfolio(**fields: Any) -> None:
    """Check the `name`, `description`, `governance_policy`, `metadata` and `created_by` of a portfolio, those that are given."""
    if "name" in fields:
        require_text(fields["name"], "name", TITLE_LENGTH)
    if fields.get("description") is not None:
        require_text(fields["description"], "description", DESCRIPTION_LENGTH, empty=True)
    for each in ("governance_policy", "metadata"):
        if each in fields:
            require_mapping(fields[each], each)
    for name, value in fields.get("governance_policy", {}).items():
        field = f"governance_policy.{name}"
        if name not in RULES:  # It would have no effect (protocol P-5).
            raise InputValidationError(f"{field} is not a rule; {suggest(name, RULES)}", field=field)
        if name == "shared_constraints":
            require_mapping(value, field)
            require_readable_limits(value, field, shared=True)
        elif name == "auto_complete_threshold":
            require_number(value, field, 0, 100)
            if not value:
                raise InputValidationError(f"{field} must be above 0", field=field)
        else:
            require_bool(value, field)
    if "created_by" in fields:
        validate_agent_id(fields["created_by"], "created_by")


def validate_portfolio_member(role: str = "member", priority: int = 0) -> None:
    """Check a membership in a portfolio: a role of 1 to 64 characters, and a priority of 32 bits."""
    require_text(role, "role", ROLE_LENGTH)
    validate_whole_number(priority, "priority", *PRIORITY)


def validate_portfolio_status(status: PortfolioStatus | str, reason: str | None = None) -> None:
    """Check a new status, active, completed or abandoned, and its reason."""
    require_one_of(status, "status", PortfolioStatus)
    require_reason(reason)
