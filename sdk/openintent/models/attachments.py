"""/intents/{id}/attachments (RFC-0005)."""
