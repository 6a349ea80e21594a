"""Webhooks: outbox, deliveries and the worker that sends them (RFC-0006)."""
