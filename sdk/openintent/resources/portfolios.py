"""Portfolios: groups of intents (RFC-0007)."""

from collections.abc import Mapping
from typing import Any

from .._call import Call, list_call, no_content
from .._parameters import UNSET, Id, Unset, as_id, path, require_changes, without_none
from ..enums import PortfolioStatus
from ..models import Portfolio, PortfolioMember
from ..validation import validate_portfolio, validate_portfolio_member, validate_portfolio_status
from ._transport import Transport


class PortfolioResource(Transport):
    """/portfolios (RFC-0007)."""

    def create_portfolio(
        self,
        name: str,
        description: str | None = None,
        governance_policy: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        *,
        created_by: str | None = None,
        idempotency_key: str | None = None,
    ) -> Portfolio:
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
        return self.send(Call("POST", path("portfolios"), Portfolio.from_json, json=body, idempotency_key=idempotency_key))

    def get_portfolio(self, portfolio_id: Id) -> Portfolio:
        """Return the portfolio with its members and their progress. Raises NotFoundError."""
        return self.send(Call("GET", path("portfolios", portfolio_id), Portfolio.from_json))

    def list_portfolios(
        self,
        created_by: str | None = None,
        *,
        status: PortfolioStatus | str | None = None,
        limit: int | None = None,
    ) -> list[Portfolio]:
        """Return all portfolios that match, or the first `limit` of them, the newest first."""
        return self.send(
            list_call(path("portfolios"), "portfolios", Portfolio, limit=limit, created_by=created_by, status=status)
        )

    def update_portfolio(
        self,
        portfolio_id: Id,
        *,
        name: str | Unset = UNSET,
        description: str | Unset | None = UNSET,
        governance_policy: Mapping[str, Any] | Unset = UNSET,
        metadata: Mapping[str, Any] | Unset = UNSET,
        version: int | None = None,
    ) -> Portfolio:
        """Update details of the portfolio. Omitted arguments stay unchanged; a policy or metadata replace the previous ones.

        With `version`, the one that was read, a concurrent change raises ConflictError `version_conflict` instead of being lost.
        Without it, members of `metadata` that begin with `openintent.` stay unchanged. A new `auto_complete_threshold` that is
        reached completes the portfolio.

        Raises InputValidationError, PermissionDeniedError (another key's policy), ConflictError, NotFoundError.
        """
        changes = require_changes(name=name, description=description, governance_policy=governance_policy, metadata=metadata)
        validate_portfolio(**changes)
        return self.send(
            Call(
                "PATCH",
                path("portfolios", portfolio_id),
                Portfolio.from_json,
                json=changes,
                version=version,
                retryable=version is None,
            )
        )

    def update_portfolio_status(
        self, portfolio_id: Id, status: PortfolioStatus | str, reason: str | None = None, *, version: int | None = None
    ) -> Portfolio:
        """Complete or abandon the portfolio. Idempotent.

        Raises ConflictError `completion_gate` (`response["waiting_for"]`: members that must complete first) or, with an outdated
        `version`, `version_conflict`; PermissionDeniedError (another key's policy applies to open members), ValidationError
        `illegal_transition`, NotFoundError.
        """
        validate_portfolio_status(status, reason)
        return self.send(
            Call(
                "PATCH",
                path("portfolios", portfolio_id, "status"),
                Portfolio.from_json,
                json=without_none(status=status, reason=reason),
                version=version,
                retryable=version is None,
            )
        )

    def add_intent_to_portfolio(
        self,
        portfolio_id: Id,
        intent_id: Id,
        role: str = "member",
        priority: int = 0,
        *,
        version: int | None = None,
    ) -> PortfolioMember:
        """Add an intent to the portfolio. `role` is `primary` (one member at most), `member`, `dependency` or another text.

        Raises ConflictError `duplicate_member`, `duplicate_primary`, `portfolio_closed` or, with an outdated `version`,
        `version_conflict`; ValidationError (unknown intent), NotFoundError (unknown portfolio).
        """
        validate_portfolio_member(role, priority)
        return self.send(
            Call(
                "POST",
                path("portfolios", portfolio_id, "intents"),
                PortfolioMember.from_json,
                json={"intent_id": as_id(intent_id), "role": role, "priority": priority},
                version=version,
            )
        )

    def get_portfolio_intents(self, portfolio_id: Id, *, limit: int | None = None) -> list[PortfolioMember]:
        """Return the portfolio's members, the highest priority first. Raises NotFoundError."""
        return self.send(list_call(path("portfolios", portfolio_id, "intents"), "intents", PortfolioMember, limit=limit))

    def remove_intent_from_portfolio(self, portfolio_id: Id, intent_id: Id, *, version: int | None = None) -> None:
        """Remove an intent from the portfolio. Idempotent.

        Raises ConflictError `portfolio_closed` or, with an outdated `version`, `version_conflict`; PermissionDeniedError
        (another key added it, and the policy applies to it), NotFoundError.
        """
        return self.send(
            Call(
                "DELETE",
                path("portfolios", portfolio_id, "intents", intent_id),
                no_content,
                version=version,
                retryable=version is None,
            )
        )

    def get_intent_portfolios(self, intent_id: Id, *, limit: int | None = None) -> list[Portfolio]:
        """Return the portfolios that the intent is in, the oldest first. Raises NotFoundError."""
        return self.send(list_call(path("intents", intent_id, "portfolios"), "portfolios", Portfolio, limit=limit))
