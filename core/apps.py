from collections.abc import Callable, Sequence

from core import registration
from core.errors import RequestInProgress


class CoreConfig(registration.ProtocolAppConfig):
    name = "core"
    verbose_name = "Core"
    features = ("optimistic_concurrency", "idempotency_keys", "problem_details")
    refusals = {
        "one_answer_per_idempotency_key": RequestInProgress,
    }

    def housekeeping(self) -> Sequence[Callable[[], object]]:
        from core.api.idempotency import delete_expired_responses  # noqa: PLC0415  Models must be loaded first.

        return (delete_expired_responses,)
