"""What intents cost, and their budgets (RFC-0009)."""
