"""Costs and their summaries (RFC-0009)."""


class CostCalls:
    """Costs and their summaries (RFC-0009)."""
