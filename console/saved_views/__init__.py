"""Saved views: filters and searches of lists that a person has named."""
