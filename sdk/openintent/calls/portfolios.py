"""/portfolios (RFC-0007)."""


class PortfolioCalls:
    """/portfolios (RFC-0007)."""
