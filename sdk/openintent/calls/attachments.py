"""/intents/{id}/attachments (RFC-0005)."""


class AttachmentCalls:
    """/intents/{id}/attachments (RFC-0005)."""
