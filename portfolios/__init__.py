"""Groups of intents and their rules (RFC-0007)."""
