"""Streams and webhooks: whatever happens reaches whoever asked for it (RFC-0006)."""
