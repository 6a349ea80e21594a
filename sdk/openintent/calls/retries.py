"""Retry policies and failures (RFC-0010)."""


class RetryCalls:
    """Retry policies and failures (RFC-0010)."""
