from django.db import models


class IdempotentAnswer(models.Model):
    """The answer that a POST with an Idempotency-Key got, for whoever sends it again (protocol §1)."""

    key = models.CharField(max_length=255)
    caller = models.CharField(max_length=300)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    headers = models.TextField()
    body = models.TextField()
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "access_idempotentanswer"  # Where it stood before core was an app.
        constraints = [models.UniqueConstraint(fields=["key", "caller"], name="one_answer_per_idempotency_key")]

    def __str__(self) -> str:
        return f"{self.status} for {self.key}"
