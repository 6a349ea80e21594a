"""/portfolios (RFC-0007)."""
