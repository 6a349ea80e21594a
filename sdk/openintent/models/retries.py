"""Retry policies and failures (RFC-0010)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..enums import RetryStrategy
from ._model import INSTANT, Model, decode_enum


@dataclass(frozen=True, kw_only=True)
class RetryPolicy(Model):
    """What is to follow the failures on an intent. With no `retryable_errors`, every error may be retried."""

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


@dataclass(frozen=True, kw_only=True)
class Failure(Model):
    """An attempt of an agent that failed.

    `retry_at` is when the server says in the log that it is time for the next one, if the intent's policy allows it.
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
