"""Arbitration, decisions and delegations (RFC-0004)."""
