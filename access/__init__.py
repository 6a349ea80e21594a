"""API keys, roles and identity of callers; users of the console (protocol §1.1)."""
