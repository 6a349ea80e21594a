from core import registration


class AttachmentsConfig(registration.ProtocolAppConfig):
    name = "attachments"
    verbose_name = "Attachments"
    rfcs = {"RFC-0005": "Attachments"}
    features = ("attachments",)
