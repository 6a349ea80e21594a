"""Costs of intents, and their budgets (RFC-0009)."""
