from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join

from access.models import Role
from config.db import clock
from config.errors import ProtocolError
from console.admin import ReadOnlyAdmin, acting_person
from subscriptions import services
from subscriptions.models import Delivery, Status, Subscription
from subscriptions.wire import status_at


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    """Without the secrets, which nobody is shown after the first time."""

    list_display = ["subscriber_id", "about", "target", "state", "failing_since", "expires_at", "created_by", "created_at"]
    list_filter = ["status"]
    search_fields = ["=subscriber_id", "=created_by", "callback_url"]
    list_select_related = ["intent", "portfolio"]
    ordering = ["-created_at"]
    fields = ["subscriber_id", "about", "callback_url", "event_types", "state", "failing_since", "expires_at", "created_by",
              "created_at", "removed_at"]  # fmt: skip
    actions = ["activate", "disable"]

    def has_change_status_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("subscriptions.change_subscription")

    @admin.display(description="about")
    def about(self, subscription: Subscription) -> str:
        return str(subscription.intent or subscription.portfolio or "everything")

    @admin.display(description="callback")
    def target(self, subscription: Subscription) -> str:
        return subscription.target

    @admin.display(description="state")
    def state(self, subscription: Subscription) -> str:
        return "removed" if subscription.removed_at else status_at(subscription, clock())

    @admin.action(description="Make the selected subscriptions active", permissions=["change_status"])
    def activate(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> None:
        newest = services.newest_position()

        def make_active(subscription: Subscription) -> None:
            services.update_subscription(
                subscription_id=subscription.pk,
                actor=acting_person(request),
                role=Role.OPERATOR,
                newest=newest,
                changes={"status": Status.ACTIVE},
            )

        _each(request, queryset, make_active, "Active")

    @admin.action(description="Disable the selected subscriptions", permissions=["change_status"])
    def disable(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> None:
        def end(subscription: Subscription) -> None:
            services.disable_subscription(
                subscription_id=subscription.pk, actor=acting_person(request), reason="disabled in the console"
            )

        _each(request, queryset, end, "Disabled")


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ["event_type", "subscription", "status", "attempts", "last_answer", "next_attempt_at", "created_at"]
    list_filter = ["status"]
    search_fields = ["=event_type", "=subscription__subscriber_id"]
    list_select_related = ["subscription"]
    ordering = ["-id"]
    fields = ["id", "subscription", "event_type", "event_id", "status", "attempts", "next_attempt_at", "last_attempt_at",
              "created_at", "ended_at", "answers"]  # fmt: skip
    actions = ["send_again"]

    def has_send_again_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("subscriptions.change_delivery")

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

    @admin.action(description="Send the selected deliveries again", permissions=["send_again"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        def again(delivery: Delivery) -> None:
            services.redeliver(
                subscription_id=delivery.subscription_id,
                delivery_id=delivery.pk,
                actor=acting_person(request),
                role=Role.OPERATOR,
            )

        _each(request, queryset, again, "On the way")


def _outcome(attempt: dict[str, Any]) -> str:
    return str(attempt["status_code"] or attempt["error"])


def _each(request: HttpRequest, queryset: QuerySet[Any], act: Any, said: str) -> None:
    """Do it to each; one that is refused does not keep the others from it."""
    done = []
    for each in queryset:
        try:
            with transaction.atomic():
                act(each)
            done.append(str(each))
        except ProtocolError as error:
            messages.error(request, f"{each}: {error.detail}")
    if done:
        messages.success(request, f"{said}: {', '.join(done)}.")
