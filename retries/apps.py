from core import registration


class RetriesConfig(registration.ProtocolAppConfig):
    name = "retries"
    verbose_name = "Retries"
    rfcs = {"RFC-0010": "Retries"}
    features = ("retries",)
