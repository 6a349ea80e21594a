"""Mirrors the apps; beside them protocol/, sdk/ and system/ (servers as processes of their own)."""
