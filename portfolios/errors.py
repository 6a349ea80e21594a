from typing import Any

from core.errors import NotFound, ProtocolError


class PortfolioNotFound(NotFound):
    def __init__(self, portfolio_id: Any) -> None:
        super().__init__(f"No portfolio has the id {str(portfolio_id)[:60]!r}.")


class PortfolioClosed(ProtocolError):
    """The portfolio is completed or abandoned, which is final: it takes no new members and loses none (rule P-1). Make another portfolio."""

    code, title, status = "portfolio_closed", "Portfolio closed", 409

    def __init__(self, portfolio_id: Any, status: str) -> None:
        super().__init__(f"Portfolio {portfolio_id} is {status}, which is final.", portfolio_id=str(portfolio_id))


class DuplicateMember(ProtocolError):
    """The intent is in the portfolio already, and can be there once (rule P-1). To give it another role or priority, remove it and add it again."""

    code, title, status = "duplicate_member", "Duplicate member", 409

    def __init__(self, intent_id: Any) -> None:
        super().__init__(f"Intent {intent_id} is in the portfolio already.", intent_id=str(intent_id))


class DuplicatePrimary(ProtocolError):
    """The portfolio has a primary member, and can have one (rule P-1): `intent_id` says which. Add the intent in another role, or remove the primary member first."""

    code, title, status = "duplicate_primary", "Duplicate primary", 409

    def __init__(self, primary: Any) -> None:
        super().__init__(f"Intent {primary} is the portfolio's primary member already.", intent_id=str(primary))
