"""Intents, their graph and the event log (RFC-0001, RFC-0002)."""
