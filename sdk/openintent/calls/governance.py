"""Arbitration, decisions and delegations (RFC-0004)."""


class GovernanceCalls:
    """Arbitration, decisions and delegations (RFC-0004)."""
