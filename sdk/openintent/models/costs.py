"""Costs and their summaries (RFC-0009)."""
