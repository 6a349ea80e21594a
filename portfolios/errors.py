"""Errors of portfolios."""

from typing import Any

from core.errors import ObjectNotFound, ProtocolError


class PortfolioNotFound(ObjectNotFound):
    message = "No portfolio has the id"


class PortfolioClosed(ProtocolError):
    """The portfolio is completed or abandoned, which is final: members cannot be added or removed (rule P-1). Create another portfolio."""

    code, title, status = "portfolio_closed", "Portfolio closed", 409

    def __init__(self, portfolio_id: Any, status: str) -> None:
        super().__init__(f"Portfolio {portfolio_id} is {status}, which is final.", portfolio_id=str(portfolio_id))


class DuplicateMember(ProtocolError):
    """The intent is already a member of the portfolio (rule P-1). To change its role or priority, remove it and add it again."""

    code, title, status = "duplicate_member", "Duplicate member", 409

    def __init__(self, intent_id: Any) -> None:
        super().__init__(f"Intent {intent_id} is already in the portfolio.", intent_id=str(intent_id))


class DuplicatePrimary(ProtocolError):
    """The portfolio already has a primary member, and can have only one (rule P-1): `intent_id`. Add the intent in another role, or remove the primary member first."""

    code, title, status = "duplicate_primary", "Duplicate primary", 409

    def __init__(self, primary: Any) -> None:
        super().__init__(f"Intent {primary} is already the primary member of the portfolio.", intent_id=str(primary))
