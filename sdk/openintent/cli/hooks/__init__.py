"""Hooks of coding agents and of git: `openintent hook`."""
