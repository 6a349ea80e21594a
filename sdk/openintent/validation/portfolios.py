"""Portfolios."""

from typing import Any

from ._values import DESCRIPTION_LENGTH, TITLE_LENGTH, mapping, text, validate_agent_id


def validate_portfolio(**fields: Any) -> None:
    """Check the `name`, `description`, `governance_policy`, `metadata` and `created_by` of a portfolio, those that are given."""
    if "name" in fields:
        text(fields["name"], "name", TITLE_LENGTH)
    if fields.get("description") is not None:
        text(fields["description"], "description", DESCRIPTION_LENGTH, empty=True)
    for each in ("governance_policy", "metadata"):
        if each in fields:
            mapping(fields[each], each)
    if "created_by" in fields:
        validate_agent_id(fields["created_by"], "created_by")
