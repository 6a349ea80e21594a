from core import registration


class GovernanceConfig(registration.ProtocolAppConfig):
    name = "governance"
    verbose_name = "Governance"
    rfcs = {"RFC-0004": "Arbitration and governance"}
    features = ("arbitration",)
