"""/intents/{id}/leases and /leases (RFC-0003)."""
