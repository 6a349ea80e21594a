from core import registration


class CoreConfig(registration.ProtocolAppConfig):
    name = "core"
    verbose_name = "Core"
    features = ("optimistic_concurrency", "idempotency_keys", "problem_details")
