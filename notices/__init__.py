"""Notices: questions told to people where they are, by channels (protocol §10)."""
