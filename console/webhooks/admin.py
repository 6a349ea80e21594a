"""Webhooks: subscriptions and deliveries, and their actions."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from access.models import Role
from access.roles import actor_from_user, has_role, is_operator
from console.actions import ReasonForm, action
from console.admin_mixins import OperatorPages, form_page
from console.changelist import ListAdmin
from console.filters import choice_filter
from console.webhooks import pages
from console.webhooks.forms import ChangeWebhookForm, CreateWebhookForm
from core.db import database_now
from subscriptions import services
from subscriptions.models import Delivery, DeliveryStatus, Status, Subscription, as_of

_DERIVED_STATES = {"retrying": "Retrying", "dead_today": "Failed in the last 24 h"}
POLL_SECONDS = 5  # Seconds. No event tells of an attempt, so the pages look by themselves.


def state_filter(value: str, now: datetime) -> Q:
    if value == pages.REMOVED:
        return Q(removed_at__isnull=False)
    if value == "failing":
        return Q(removed_at=None) & (Q(failing_since__isnull=False) | Q(status=Status.DISABLED))
    return Q(removed_at=None) & as_of(value, now)


def delivery_filter(value: str, now: datetime) -> Q:
    if value == "retrying":
        return Q(status=DeliveryStatus.PENDING, attempts__gt=0)
    if value == "dead_today":
        return Q(status=DeliveryStatus.DEAD, ended_at__gte=now - timedelta(days=1))
    return Q(status=value)


def _newest() -> dict[str, int]:
    return {"newest": services.newest_position()}


class _PolledAdmin:
    """A page about which no stream has events."""

    refresh_seconds = list_refresh_seconds = POLL_SECONDS
    event_types = list_event_types = "nothing"


@admin.register(Subscription)
class SubscriptionAdmin(OperatorPages, _PolledAdmin, ListAdmin):
    """Secrets are shown once, to the operator who creates or rotates them.

    The path and the query of a callback may hold a token: only operators see them, and search by them (rule W-4).
    """

    title = "Webhooks"
    detail_template = "console/webhooks/detail.html"
    list_template = "console/webhooks/list_rows.html"
    search_label = "Search by subscriber, creator or part of the URL"
    list_filter = [
        choice_filter(
            "state", "state", [*Status.choices, ("failing", "Failing or disabled"), ("removed", "Removed")], state_filter
        )
    ]
    search_fields = ["=subscriber_id", "=created_by", "callback_origin"]
    list_select_related = ["intent", "portfolio"]
    ordering = ["-created_at"]
    actions = ["send_test", "send_dead", "resume", "activate", "pause", "disable", "remove"]
    own_paths = (
        ("<uuid:subscription_id>/edit/", "edit_view", "edit"),
        ("<uuid:subscription_id>/rotate/", "rotate_view", "rotate"),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).with_origin()

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        return ["=subscriber_id", "=created_by", "callback_url" if is_operator(request) else "callback_origin"]

    def detail_context(self, request: HttpRequest, obj: Subscription) -> dict[str, Any]:
        may_change = is_operator(request) and obj.removed_at is None
        callback = obj.callback_for(actor_from_user(request))
        return {"callback": callback, "may_change": may_change, **pages.subscription_detail(request, obj)}

    def list_context(self, request: HttpRequest, found: list[Subscription]) -> dict[str, Any]:
        now = database_now()
        return {"rows": [(each, pages.subscription_state(each, now)) for each in found], "may_create": is_operator(request)}

    def is_offered(self, request: HttpRequest, name: str, obj: Subscription) -> bool:
        state = pages.subscription_state(obj, database_now())
        if name == "send_dead":
            return state == Status.ACTIVE and obj.deliveries.filter(status=DeliveryStatus.DEAD).exists()
        if name == "send_test":
            return state == Status.ACTIVE and obj.callback_url is not None
        states: dict[str, list[str]] = {
            "remove": Status.values,
            "pause": [Status.ACTIVE],
            "disable": [Status.ACTIVE, Status.PAUSED],
            "resume": [Status.PAUSED],
            "activate": [Status.DISABLED],
        }
        return state in states.get(name, [])

    def edit_view(self, request: HttpRequest, subscription_id: UUID) -> HttpResponse:
        return self.edit(request, [self._changeable(subscription_id)])

    def rotate_view(self, request: HttpRequest, subscription_id: UUID) -> HttpResponse:
        return self.rotate(request, [self._changeable(subscription_id)])

    @staticmethod
    def _changeable(subscription_id: UUID) -> Subscription:
        return get_object_or_404(Subscription.objects.not_removed(), pk=subscription_id)

    @action(
        "Create webhook",
        role=Role.OPERATOR,
        form=CreateWebhookForm,
        page=form_page("console/webhooks/create.html", "Create webhook"),
        prepare=_newest,
    )
    def create(self, request: HttpRequest, _: None, **given: Any) -> HttpResponse:
        made = services.create_subscription(actor=actor_from_user(request), **given)
        return self._secret_page(request, made, made.secret, title="New webhook")

    @action(
        "Change",
        role=Role.OPERATOR,
        form=ChangeWebhookForm,
        page=form_page("console/webhooks/edit.html", "Change webhook", name="subscription"),
        prepare=_newest,
    )
    def edit(self, request: HttpRequest, subscription: Subscription, *, newest: int, **changes: Any) -> HttpResponse:
        actor = actor_from_user(request)
        services.update_subscription(subscription_id=subscription.pk, actor=actor, newest=newest, changes=changes)
        messages.success(request, "The webhook was changed.")
        return redirect("admin:subscriptions_subscription_change", subscription.pk)

    @action(
        "Rotate secret",
        role=Role.OPERATOR,
        page=form_page("console/webhooks/rotate.html", "Rotate secret", name="subscription"),
        prepare=_newest,
    )
    def rotate(self, request: HttpRequest, subscription: Subscription, *, newest: int) -> HttpResponse:
        actor, changes = actor_from_user(request), {"rotate_secret": True}
        rotated, secret = services.update_subscription(
            subscription_id=subscription.pk, actor=actor, newest=newest, changes=changes
        )
        return self._secret_page(request, rotated, secret, title="New secret")

    def _secret_page(self, request: HttpRequest, subscription: Subscription, secret: str | None, *, title: str) -> HttpResponse:
        return self.page(request, "console/webhooks/secret.html", title=title, subscription=subscription, secret=secret)

    @action("Send a test", "Send a test to selected webhooks", role=Role.OPERATOR, done="A test is on its way")
    def send_test(self, request: HttpRequest, subscription: Subscription) -> None:
        services.send_test_event(subscription_id=subscription.pk, actor=actor_from_user(request))

    @action(
        "Remove",
        "Remove selected webhooks",
        role=Role.OPERATOR,
        done="Removed",
        warning="Pending deliveries are canceled, and its secret is deleted. Its history is kept. This can't be undone.",
    )
    def remove(self, request: HttpRequest, subscription: Subscription) -> None:
        services.remove_subscription(subscription_id=subscription.pk, actor=actor_from_user(request))

    @action("Resume", "Resume selected webhooks", role=Role.OPERATOR, done="Resumed", prepare=_newest)
    def resume(self, request: HttpRequest, subscription: Subscription, *, newest: int) -> None:
        _set_status(request, subscription, Status.ACTIVE, newest)

    @action(
        "Enable",
        "Enable selected webhooks",
        role=Role.OPERATOR,
        done="Enabled",
        prepare=_newest,
    )
    def activate(self, request: HttpRequest, subscription: Subscription, *, newest: int) -> None:
        _set_status(request, subscription, Status.ACTIVE, newest)

    @action(
        "Pause",
        "Pause selected webhooks",
        role=Role.OPERATOR,
        done="Paused",
        warning="Events that happen while a webhook is paused are never sent to it.",
        prepare=_newest,
    )
    def pause(self, request: HttpRequest, subscription: Subscription, *, newest: int) -> None:
        _set_status(request, subscription, Status.PAUSED, newest)

    @action(
        "Disable",
        "Disable selected webhooks",
        role=Role.OPERATOR,
        done="Disabled",
        warning="Pending deliveries are canceled, and nothing is sent until the webhook is enabled again.",
        form=ReasonForm,
    )
    def disable(self, request: HttpRequest, subscription: Subscription, *, reason: str | None) -> None:
        services.disable_subscription(
            subscription_id=subscription.pk, actor=actor_from_user(request), reason=reason or "disabled in the console"
        )

    @action(
        "Resend all failed",
        "Resend all failed deliveries of selected webhooks",
        role=Role.OPERATOR,
        done="Resending failed deliveries",
    )
    def send_dead(self, request: HttpRequest, subscription: Subscription) -> None:
        services.redeliver_dead(subscription_id=subscription.pk, actor=actor_from_user(request))


def _set_status(request: HttpRequest, subscription: Subscription, status: Status, newest: int) -> None:
    services.update_subscription(
        subscription_id=subscription.pk,
        actor=actor_from_user(request),
        newest=newest,
        changes={"status": status},
    )


@admin.register(Delivery)
class DeliveryAdmin(_PolledAdmin, ListAdmin):
    detail_template = "console/webhooks/delivery_detail.html"
    list_template = "console/webhooks/delivery_rows.html"
    search_label = "Search by exact event type or subscriber"
    list_filter = [choice_filter("state", "state", [*pages.LABELS.items(), *_DERIVED_STATES.items()], delivery_filter)]
    search_fields = ["=event_type", "=subscription__subscriber_id", "=subscription__id"]
    ordering = ["-id"]
    actions = ["send_again"]

    def get_queryset(self, request: HttpRequest) -> Any:
        return pages.with_events(super().get_queryset(request))

    def detail_context(self, request: HttpRequest, obj: Delivery) -> dict[str, Any]:
        row = pages.delivery_rows([obj], database_now())[0]
        return {"each": row, "sent_request": pages.sent_request(row, actor_from_user(request))}

    def list_context(self, request: HttpRequest, found: list[Delivery]) -> dict[str, Any]:
        return {
            "sent": pages.group_failures(pages.delivery_rows(found, database_now())),
            "may_send": has_role(request, Role.OPERATOR),
            "names_receiver": True,
        }

    @action(
        "Resend",
        "Resend selected deliveries",
        role=Role.OPERATOR,
        done="Queued",
    )
    def send_again(self, request: HttpRequest, delivery: Delivery) -> None:
        services.redeliver(subscription_id=delivery.subscription_id, delivery_id=delivery.pk, actor=actor_from_user(request))
