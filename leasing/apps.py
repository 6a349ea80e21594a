from core import registration


class LeasingConfig(registration.ProtocolAppConfig):
    name = "leasing"
    verbose_name = "Leasing"
    rfcs = {"RFC-0003": "Leasing"}
    features = ("leases", "fencing_tokens")
