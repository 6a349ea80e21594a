"""Errors of retry policies."""

from typing import Any

from core.errors import NotFound


class RetryPolicyNotFound(NotFound):
    def __init__(self, intent_id: Any) -> None:
        super().__init__(f"The intent {intent_id} has no retry policy. Set one with PUT.")
