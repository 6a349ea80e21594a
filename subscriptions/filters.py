"""Filters of subscriptions and deliveries."""

import django_filters as filters

from core.api.filters import CommaSeparatedChoiceFilter, IdFilter, StatusFilter
from subscriptions.models import DeliveryStatus, Status, as_of


class _StatusFilter(StatusFilter):
    def __init__(self) -> None:
        super().__init__(Status.values, as_of)
        self.extra["help_text"] = "As of now: expired subscriptions are disabled."


class IntentSubscriptionFilter(filters.FilterSet):
    status = _StatusFilter()
    subscriber_id = filters.CharFilter()


class SubscriptionFilter(IntentSubscriptionFilter):
    intent_id = IdFilter()
    portfolio_id = IdFilter()


class DeliveryFilter(filters.FilterSet):
    status = CommaSeparatedChoiceFilter(DeliveryStatus.values)
