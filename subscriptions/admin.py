from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join

from access.models import Role
from access.people import actor_of
from config.db import clock
from console.actions import action
from console.admin import ReadOnlyAdmin
from console.filters import by
from subscriptions import services
from subscriptions.models import Delivery, DeliveryStatus, Status, Subscription, as_of
from subscriptions.wire import status_at

_SPECIAL = {"retrying": "Tried again", "dead_today": "Dead since yesterday"}


def _state(value: str, now: datetime) -> Q:
    if value == "failing":
        return Q(removed_at=None) & (Q(failing_since__isnull=False) | Q(status=Status.DISABLED))
    return Q(removed_at=None) & as_of(value, now)


def _delivery_state(value: str, now: datetime) -> Q:
    if value == "retrying":
        return Q(status=DeliveryStatus.PENDING, attempts__gt=0)
    if value == "dead_today":
        return Q(status=DeliveryStatus.DEAD, ended_at__gte=now - timedelta(days=1))
    return Q(status=value)


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    """Without the secrets, which nobody is shown after the first time."""

    list_display = ["subscriber_id", "about", "target", "state", "failing_since", "expires_at", "created_by", "created_at"]
    list_filter = [by("state", "state", [*Status.choices, ("failing", "Failing or disabled")], _state)]
    search_fields = ["=subscriber_id", "=created_by", "callback_url"]
    list_select_related = ["intent", "portfolio"]
    ordering = ["-created_at"]
    fields = ["subscriber_id", "about", "callback_url", "event_types", "state", "failing_since", "expires_at", "created_by",
              "created_at", "removed_at"]  # fmt: skip
    actions = ["activate", "disable"]

    @admin.display(description="about")
    def about(self, subscription: Subscription) -> str:
        return str(subscription.intent or subscription.portfolio or "everything")

    @admin.display(description="callback")
    def target(self, subscription: Subscription) -> str:
        return subscription.target

    @admin.display(description="state")
    def state(self, subscription: Subscription) -> str:
        return "removed" if subscription.removed_at else status_at(subscription, clock())

    def offers(self, request: HttpRequest, name: str, obj: Subscription) -> bool:
        return obj.removed_at is None and (self.state(obj) == Status.ACTIVE) == (name == "disable")

    @action(
        "Make the selected subscriptions active",
        least=Role.OPERATOR,
        done="Active",
        label="Make active",
        before=services.newest_position,
    )
    def activate(self, request: HttpRequest, subscription: Subscription, newest: int) -> None:
        services.update_subscription(
            subscription_id=subscription.pk,
            actor=actor_of(request),
            role=Role.OPERATOR,
            newest=newest,
            changes={"status": Status.ACTIVE},
        )

    @action(
        "Disable the selected subscriptions",
        least=Role.OPERATOR,
        done="Disabled",
        warning="What waits to be sent to them is given up, and they hear nothing until somebody makes them active again.",
        asks_reason=True,
    )
    def disable(self, request: HttpRequest, subscription: Subscription, reason: str | None) -> None:
        services.disable_subscription(
            subscription_id=subscription.pk, actor=actor_of(request), reason=reason or "disabled in the console"
        )


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ["event_type", "subscription", "status", "attempts", "last_answer", "next_attempt_at", "created_at"]
    list_filter = [by("state", "state", [*DeliveryStatus.choices, *_SPECIAL.items()], _delivery_state)]
    search_fields = ["=event_type", "=subscription__subscriber_id"]
    list_select_related = ["subscription"]
    ordering = ["-id"]
    fields = ["id", "subscription", "event_type", "event_id", "status", "attempts", "next_attempt_at", "last_attempt_at",
              "created_at", "ended_at", "answers"]  # fmt: skip
    actions = ["send_again"]

    @admin.display(description="position")
    def event_id(self, delivery: Delivery) -> int:
        return int(delivery.event_id)

    @admin.display(description="last answer")
    def last_answer(self, delivery: Delivery) -> str:
        return _outcome(delivery.history[-1]) if delivery.history else ""

    @admin.display(description="attempts and answers")
    def answers(self, delivery: Delivery) -> str:
        rows = [(each["at"], _outcome(each), each["duration_ms"], each["response"] or "") for each in delivery.history]
        cells = format_html_join("", "<tr><td>{}</td><td>{}</td><td>{} ms</td><td><pre>{}</pre></td></tr>", rows)
        return format_html("<table>{}</table>", cells)

    @action("Send the selected deliveries again", least=Role.OPERATOR, done="On the way", label="Send again")
    def send_again(self, request: HttpRequest, delivery: Delivery) -> None:
        services.redeliver(
            subscription_id=delivery.subscription_id, delivery_id=delivery.pk, actor=actor_of(request), role=Role.OPERATOR
        )


def _outcome(attempt: dict[str, Any]) -> str:
    return str(attempt["status_code"] or attempt["error"])
