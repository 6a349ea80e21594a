"""Configuration of the app."""

from core import registration
from core.errors import Invalid


class RetriesConfig(registration.ProtocolAppConfig):
    name = "retries"
    verbose_name = "Retries"
    rfcs = {"RFC-0010": "Retries"}
    features = ("retries",)
    refusals = {
        "retry_attempts_from_1": Invalid,
        "retry_delay_from_0": Invalid,
        "retry_cap_is_not_below_base": Invalid,
        "retry_delays_do_not_shrink": Invalid,
        "retry_threshold_from_1": Invalid,
        "failure_attempts_from_1": Invalid,
    }
