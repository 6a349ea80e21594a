"""Portfolios: groups of intents (RFC-0007)."""

from collections.abc import Mapping
from typing import Any

from .._endpoint import Call, endpoint
from ..enums import PortfolioStatus
from ..models import Portfolio, PortfolioMember
from ..validation import validate_portfolio, validate_portfolio_member, validate_portfolio_status
from ._helpers import UNSET, Id, Unset, as_id, list_call, no_content, path, require_changes, without_none


class PortfolioResource:
    """/portfolios (RFC-0007)."""

    @endpoint
    def create_portfolio(
        self,
        name: str,
        description: str | None = None,
        *,
        governance_policy: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        created_by: str | None = None,
        idempotency_key: str | None = None,
    ) -> Call[Portfolio]:
        """Create an active portfolio without members.

        `governance_policy`: `require_all_completed` (it can be completed only after its members), `allow_partial_completion`
        (an abandoned member counts as done), `auto_complete_threshold` (the percentage of completed members at which it is
        completed automatically), `shared_constraints` (apply to every member: `get_intent(…, effective=True)`; their limits are enforced).
        Only the key that created it, arbiters and operators can change the policy later.

        Raises InputValidationError, ValidationError.
        """
        body = without_none(
            name=name,
            description=description,
            governance_policy=governance_policy,
            metadata=metadata,
            created_by=created_by,
        )
        validate_portfolio(**body)
        return Call(
            method="POST",
            path=path("portfolios"),
            json=body,
            parse=Portfolio.from_json,
            idempotency_key=idempotency_key,
        )

    @endpoint
    def get_portfolio(self, portfolio_id: Id) -> Call[Portfolio]:
        """Return the portfolio with its members and their progress. Raises NotFoundError."""
        return Call(method="GET", path=path("portfolios", portfolio_id), parse=Portfolio.from_json)

    @endpoint
    def list_portfolios(
        self,
        *,
        created_by: str | None = None,
        status: PortfolioStatus | str | None = None,
        limit: int | None = None,
    ) -> Call[list[Portfolio]]:
        """Return all portfolios that match, or the first `limit` of them, the newest first."""
        return list_call(path("portfolios"), "portfolios", Portfolio, limit=limit, created_by=created_by, status=status)

    @endpoint
    def update_portfolio(
        self,
        portfolio_id: Id,
        *,
        name: str | Unset = UNSET,
        description: str | Unset | None = UNSET,
        governance_policy: Mapping[str, Any] | Unset = UNSET,
        metadata: Mapping[str, Any] | Unset = UNSET,
        version: int | None = None,
    ) -> Call[Portfolio]:
        """Update details of the portfolio. Omitted arguments stay unchanged; a policy or metadata replace the previous ones.

        With `version`, the one that was read, a concurrent change raises ConflictError `version_conflict` instead of being lost.
        Without it, members of `metadata` that begin with `openintent.` stay unchanged. A new `auto_complete_threshold` that is
        reached completes the portfolio.

        Raises InputValidationError, PermissionDeniedError (another key's policy), ConflictError, NotFoundError.
        """
        changes = require_changes(name=name, description=description, governance_policy=governance_policy, metadata=metadata)
        validate_portfolio(**changes)
        return Call(
            method="PATCH",
            path=path("portfolios", portfolio_id),
            json=changes,
            version=version,
            parse=Portfolio.from_json,
            retryable=version is None,
        )

    @endpoint
    def update_portfolio_status(
        self, portfolio_id: Id, status: PortfolioStatus | str, reason: str | None = None, *, version: int | None = None
    ) -> Call[Portfolio]:
        """Complete or abandon the portfolio. Idempotent.

        Raises ConflictError `completion_gate` (`response["waiting_for"]`: members that must complete first) or, with an outdated
        `version`, `version_conflict`; PermissionDeniedError (another key's policy applies to open members), ValidationError
        `illegal_transition`, NotFoundError.
        """
        validate_portfolio_status(status, reason)
        return Call(
            method="PATCH",
            path=path("portfolios", portfolio_id, "status"),
            json=without_none(status=status, reason=reason),
            version=version,
            parse=Portfolio.from_json,
            retryable=version is None,
        )

    @endpoint
    def add_intent_to_portfolio(
        self,
        portfolio_id: Id,
        intent_id: Id,
        role: str = "member",
        priority: int = 0,
        *,
        version: int | None = None,
    ) -> Call[PortfolioMember]:
        """Add an intent to the portfolio. `role` is `primary` (one member at most), `member`, `dependency` or another text.

        Raises ConflictError `duplicate_member`, `duplicate_primary`, `portfolio_closed` or, with an outdated `version`,
        `version_conflict`; ValidationError (unknown intent), NotFoundError (unknown portfolio).
        """
        validate_portfolio_member(role, priority)
        return Call(
            method="POST",
            path=path("portfolios", portfolio_id, "intents"),
            json={"intent_id": as_id(intent_id), "role": role, "priority": priority},
            version=version,
            parse=PortfolioMember.from_json,
        )

    @endpoint
    def get_portfolio_intents(self, portfolio_id: Id, *, limit: int | None = None) -> Call[list[PortfolioMember]]:
        """Return the portfolio's members, the highest priority first. Raises NotFoundError."""
        return list_call(path("portfolios", portfolio_id, "intents"), "intents", PortfolioMember, limit=limit)

    @endpoint
    def remove_intent_from_portfolio(self, portfolio_id: Id, intent_id: Id, *, version: int | None = None) -> Call[None]:
        """Remove an intent from the portfolio. Idempotent.

        Raises ConflictError `portfolio_closed` or, with an outdated `version`, `version_conflict`; PermissionDeniedError
        (another key added it, and the policy applies to it), NotFoundError.
        """
        return Call(
            method="DELETE",
            path=path("portfolios", portfolio_id, "intents", intent_id),
            version=version,
            parse=no_content,
            retryable=version is None,
        )

    @endpoint
    def get_intent_portfolios(self, intent_id: Id, *, limit: int | None = None) -> Call[list[Portfolio]]:
        """Return the portfolios that the intent is in, the oldest first. Raises NotFoundError."""
        return list_call(path("intents", intent_id, "portfolios"), "portfolios", Portfolio, limit=limit)
