"""Leases: one holder for each part of an intent (RFC-0003)."""
