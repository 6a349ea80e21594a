from core import registration


class AccessConfig(registration.ProtocolAppConfig):
    name = "access"
    verbose_name = "Access"
