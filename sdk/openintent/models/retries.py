"""Retry policies and failures (RFC-0010)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..enums import RetryStrategy
from ._model import INSTANT, Model, decode_enum


@dataclass(frozen=True, kw_only=True)
class RetryPolicy(Model):
    """The retry policy of an intent. Without `retryable_errors`, every error is retryable."""

    intent_id: str
    strategy: RetryStrategy | str = field(metadata={"decode": decode_enum(RetryStrategy)})
    max_attempts: int
    base_delay_seconds: float
    max_delay_seconds: float
    backoff_multiplier: float
    jitter: bool
    created_at: datetime = field(metadata=INSTANT)
    updated_at: datetime = field(metadata=INSTANT)
    retryable_errors: list[str] = field(default_factory=list)
    fallback_agent_id: str | None = None
    failure_threshold: int | None = None

    @property
    def base_delay_ms(self) -> int:
        """By its name in openintent 0.5."""
        return round(self.base_delay_seconds * 1000)

    @property
    def max_delay_ms(self) -> int:
        """By its name in openintent 0.5."""
        return round(self.max_delay_seconds * 1000)


@dataclass(frozen=True, kw_only=True)
class Failure(Model):
    """A failed attempt of an agent.

    `retry_at` is the time of the next attempt, if the intent's policy allows one: the server logs `retry_due` then.
    """

    id: str
    intent_id: str
    agent_id: str
    error_type: str
    attempt: int
    will_retry: bool
    created_at: datetime = field(metadata=INSTANT)
    error_message: str | None = None
    retry_at: datetime | None = field(default=None, metadata=INSTANT)
    resolved_at: datetime | None = field(default=None, metadata=INSTANT)
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def attempt_number(self) -> int:
        """`attempt`, by its name in openintent 0.5."""
        return self.attempt

    @property
    def error_code(self) -> str:
        """`error_type`, by its name in openintent 0.5."""
        return self.error_type

    @property
    def retry_scheduled_at(self) -> datetime | None:
        """`retry_at`, by its name in openintent 0.5."""
        return self.retry_at
