"""Stored idempotent responses, and the epoch."""

from django.db import models


class IdempotentResponse(models.Model):
    """The response to a POST with an Idempotency-Key, kept for its repetition (protocol §1)."""

    key = models.CharField(max_length=255)
    caller = models.CharField(max_length=300)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    headers = models.TextField()
    body = models.TextField()
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "access_idempotentanswer"  # The name from before core was an app.
        constraints = [models.UniqueConstraint(fields=["key", "caller"], name="one_answer_per_idempotency_key")]

    def __str__(self) -> str:
        return f"{self.status} for {self.key}"


class Epoch(models.Model):
    """Number of the current epoch, in one row: what processes keep in memory of an earlier one is read again (core.db.current_epoch)."""

    number = models.BigIntegerField()

    def __str__(self) -> str:
        return str(self.number)
