"""/intents/{id}/leases and /leases (RFC-0003)."""


class LeaseCalls:
    """/intents/{id}/leases and /leases (RFC-0003)."""
