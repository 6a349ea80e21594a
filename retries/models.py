"""Retry policies and failures (RFC-0010)."""

from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q

from core.db.fields import JSONTextField
from core.ids import new_id

AGENT_ID = 255
MAX_ERROR_TYPE = 200


class Strategy(models.TextChoices):
    NONE = "none"
    FIXED = "fixed"
    LINEAR = "linear"
    EXPONENTIAL = "exponential"


class RetryPolicy(models.Model):
    """The retries and the fallback of failures on an intent (RFC-0010)."""

    intent = models.OneToOneField("intents.Intent", models.CASCADE, primary_key=True, related_name="retry_policy")
    strategy = models.CharField(max_length=11, choices=Strategy)
    max_attempts = models.PositiveSmallIntegerField()
    base_delay_seconds = models.FloatField()
    max_delay_seconds = models.FloatField()
    backoff_multiplier = models.FloatField()
    jitter = models.BooleanField()
    retryable_errors = JSONTextField(help_text="Empty: every error is retryable.")
    fallback_agent_id = models.CharField(max_length=AGENT_ID, null=True)
    failure_threshold = models.PositiveSmallIntegerField(null=True, help_text="Null: when the retries are exhausted.")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "retry policies"
        constraints = [
            models.CheckConstraint(condition=Q(strategy__in=Strategy.values), name="retry_strategy_is_known"),
            models.CheckConstraint(condition=Q(max_attempts__gte=1), name="retry_attempts_from_1"),
            models.CheckConstraint(condition=Q(base_delay_seconds__gte=0), name="retry_delay_from_0"),
            models.CheckConstraint(
                condition=Q(max_delay_seconds__gte=F("base_delay_seconds")), name="retry_cap_is_not_below_base"
            ),
            models.CheckConstraint(condition=Q(backoff_multiplier__gte=1), name="retry_delays_do_not_shrink"),
            models.CheckConstraint(condition=Q(failure_threshold__gte=1), name="retry_threshold_from_1"),
        ]

    def __str__(self) -> str:
        return f"{self.strategy}, {self.max_attempts} attempts"

    @property
    def attempts(self) -> int:
        """The maximum number of attempts: 1 for the strategy `none`."""
        return 1 if self.strategy == Strategy.NONE else self.max_attempts

    def is_exhausted_by(self, attempt: int, error_type: str) -> bool:
        """Return whether no retry may follow this attempt (rule R-3)."""
        is_retryable = not self.retryable_errors or error_type in self.retryable_errors
        return attempt >= self.attempts or not is_retryable

    def falls_back_after(self, failure: "Failure") -> bool:
        """Return whether the fallback takes over: at the threshold, at the latest after all attempts (rules R-3, R-4)."""
        if self.fallback_agent_id in (None, failure.agent_id) or failure.is_replaced:
            return False
        if failure.attempt >= self.attempts:
            return True
        threshold = self.failure_threshold
        return failure.is_exhausted if threshold is None else failure.run_length >= threshold


class FailureQuerySet(models.QuerySet["Failure"]):
    def in_runs(self, intent: Any, agent_id: str) -> "FailureQuerySet":
        """Filter for the agent's failures that belong to a run, the latest first (rule R-4)."""
        return self.filter(intent=intent, agent_id=agent_id, run_length__gt=0).order_by("-sequence")

    def due(self, now: datetime) -> "FailureQuerySet":
        """Filter for failures whose retry is due to be announced."""
        return self.filter(retry_at__lte=now, retry_settled_at=None)


class Failure(models.Model):
    """A failed attempt of an agent (RFC-0010).

    An agent's failures on an intent form runs, one for each series of attempts (retries.attempt_series). The last row of a
    run has its state, so no other has to be read. `sequence` is that of its event, and their order.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    intent = models.ForeignKey("intents.Intent", models.CASCADE, related_name="failures", db_index=False)
    sequence = models.PositiveBigIntegerField()
    agent_id = models.CharField(max_length=AGENT_ID)
    error_type = models.CharField(max_length=MAX_ERROR_TYPE)
    error_message = models.TextField(null=True)
    attempt = models.PositiveIntegerField()
    will_retry = models.BooleanField(default=False)
    retry_at = models.DateTimeField(null=True)
    retry_settled_at = models.DateTimeField(null=True, help_text="When the retry was announced, or found to be unnecessary.")
    resolved_at = models.DateTimeField(null=True)
    metadata = JSONTextField(default=dict)
    created_at = models.DateTimeField()
    run_length = models.PositiveIntegerField(
        help_text="Failures of the agent's runs up to this one, since the last resolution or reassignment. "
        "0: outside of every run, since the agent did not work on the intent."
    )
    is_exhausted = models.BooleanField(default=False, help_text="No retry may follow.")
    is_replaced = models.BooleanField(default=False, help_text="Another agent has taken over, with this failure or before.")

    objects: ClassVar[Any] = FailureQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["intent", "sequence"], name="one_failure_per_event"),
            models.CheckConstraint(condition=Q(attempt__gte=1), name="failure_attempts_from_1"),
            models.CheckConstraint(condition=Q(retry_at=None) | Q(will_retry=True), name="only_retries_have_a_time"),
            models.CheckConstraint(
                condition=Q(retry_settled_at=None) | Q(retry_at__isnull=False), name="only_retries_are_settled"
            ),
        ]
        indexes = [
            models.Index(fields=["intent", "agent_id", "sequence"], name="failure_by_agent"),
            models.Index(fields=["intent"], name="failure_unresolved", condition=Q(resolved_at=None)),
            models.Index(
                fields=["retry_at"], name="failure_by_retry", condition=Q(retry_at__isnull=False, retry_settled_at=None)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.error_type}, attempt {self.attempt} of {self.agent_id}"
