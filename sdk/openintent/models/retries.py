"""Retry policies and failures (RFC-0010)."""
