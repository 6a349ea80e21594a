from core import registration


class SubscriptionsConfig(registration.ProtocolAppConfig):
    name = "subscriptions"
    verbose_name = "Subscriptions"
    rfcs = {"RFC-0006": "Subscriptions"}
    features = ("server_sent_events", "websocket", "webhooks")
