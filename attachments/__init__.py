"""Files that travel with an intent (RFC-0005)."""
