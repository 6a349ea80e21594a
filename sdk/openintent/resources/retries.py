"""Retry policies and failures (RFC-0010)."""

from collections.abc import Mapping, Sequence
from typing import Any

from .._call import Call, list_call
from .._parameters import Id, one_of, path, without_none
from ..enums import RetryStrategy
from ..models import Failure, RetryPolicy
from ..validation import validate_failure, validate_retry_policy
from ._transport import Transport


class RetryResource(Transport):
    """/intents/{id}/retry-policy and …/failures (RFC-0010)."""

    def set_retry_policy(
        self,
        intent_id: Id,
        strategy: RetryStrategy | str | None = None,
        *,
        max_attempts: int | None = None,
        base_delay_seconds: float | None = None,
        max_delay_seconds: float | None = None,
        backoff_multiplier: float | None = None,
        jitter: bool | None = None,
        retryable_errors: Sequence[str] | None = None,
        fallback_agent_id: str | None = None,
        failure_threshold: int | None = None,
        base_delay_ms: float | None = None,
        max_delay_ms: float | None = None,
    ) -> RetryPolicy:
        """Set the intent's retry policy, replacing the previous one.

        `base_delay_ms` and `max_delay_ms` are delays in milliseconds, instead of those in seconds.

        Omitted arguments take their default: exponential delays from 1 s by factors of 2 up to 300 s, with jitter, 3 attempts,
        every error retryable, no fallback agent. The `fallback_agent_id` takes over after `failure_threshold` failures
        of an agent, or when its retries are exhausted (R-3), with every strategy: with `none` that is the first failure.

        Raises InputValidationError, NotFoundError.
        """
        body = without_none(
            strategy=strategy,
            max_attempts=max_attempts,
            base_delay_seconds=one_of(base_delay_seconds, base_delay_ms and base_delay_ms / 1000, "base_delay_ms"),
            max_delay_seconds=one_of(max_delay_seconds, max_delay_ms and max_delay_ms / 1000, "max_delay_ms"),
            backoff_multiplier=backoff_multiplier,
            jitter=jitter,
            retryable_errors=retryable_errors,
            fallback_agent_id=fallback_agent_id,
            failure_threshold=failure_threshold,
        )
        validate_retry_policy(**body)
        return self.send(Call("PUT", path("intents", intent_id, "retry-policy"), RetryPolicy.from_json, json=body))

    def get_retry_policy(self, intent_id: Id) -> RetryPolicy:
        """Return the intent's retry policy. Raises NotFoundError, also if none is set."""
        return self.send(Call("GET", path("intents", intent_id, "retry-policy"), RetryPolicy.from_json))

    def record_failure(
        self,
        intent_id: Id,
        error_type: str,
        error_message: str | None = None,
        *,
        attempt: int | None = None,
        will_retry: bool | None = None,
        metadata: Mapping[str, Any] | None = None,
        agent_id: str | None = None,
        idempotency_key: str | None = None,
        attempt_number: int | None = None,
    ) -> Failure:
        """Record that an attempt of the client's agent (or of `agent_id`) failed with an error such as "rate_limit".

        `attempt_number` is an alias of `attempt`.

        `attempt` defaults to the one after the agent's last; without `will_retry` the intent's policy decides whether there is
        another. If the policy allows one, the result has `retry_at`, and the server logs `retry_due` at that time (R-2).

        Raises InputValidationError, NotFoundError.
        """
        details = without_none(
            error_message=error_message,
            attempt=one_of(attempt, attempt_number, "attempt_number"),
            will_retry=will_retry,
            metadata=metadata,
            agent_id=agent_id,
        )
        validate_failure(error_type, **details)
        return self.send(
            Call(
                "POST",
                path("intents", intent_id, "failures"),
                Failure.from_json,
                json={"error_type": error_type, **details},
                idempotency_key=idempotency_key,
            )
        )

    def get_failures(self, intent_id: Id, *, limit: int | None = None) -> list[Failure]:
        """Return the failures on the intent, the oldest first. Raises NotFoundError."""
        return self.send(list_call(path("intents", intent_id, "failures"), "failures", Failure, limit=limit))
