"""Retry policies, failures and their timers (RFC-0010)."""
