"""Portfolios: groups of intents, with who is in them (RFC-0007)."""

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from config.errors import ProtocolError
from console.admin import ReadOnlyAdmin, acting_person
from portfolios import services
from portfolios.models import Member, Portfolio, Status


@admin.register(Portfolio)
class PortfolioAdmin(ReadOnlyAdmin):
    list_display = ["name", "status", "created_by", "created_at", "updated_at"]
    list_filter = ["status"]
    search_fields = ["name", "=created_by"]
    ordering = ["-created_at", "-id"]
    actions = ["complete", "abandon"]

    def has_close_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("portfolios.change_portfolio")

    @admin.action(description="Complete the selected portfolios", permissions=["close"])
    def complete(self, request: HttpRequest, queryset: QuerySet[Portfolio]) -> None:
        self._close(request, queryset, Status.COMPLETED)

    @admin.action(description="Abandon the selected portfolios", permissions=["close"])
    def abandon(self, request: HttpRequest, queryset: QuerySet[Portfolio]) -> None:
        self._close(request, queryset, Status.ABANDONED)

    @staticmethod
    def _close(request: HttpRequest, queryset: QuerySet[Portfolio], status: Status) -> None:
        for portfolio in queryset:
            try:
                with transaction.atomic():  # A refusal is this portfolio's alone.
                    services.update_portfolio_status(
                        portfolio_id=portfolio.pk, actor=acting_person(request), status=status, reason=f"{status} in the console"
                    )
            except ProtocolError as refusal:
                messages.error(request, f"{portfolio}: {refusal.detail}")
            else:
                messages.success(request, f"{portfolio} is {status}.")


@admin.register(Member)
class MemberAdmin(ReadOnlyAdmin):
    list_display = ["intent", "portfolio", "role", "priority", "added_by", "added_at"]
    list_filter = ["role"]
    search_fields = ["=portfolio__id", "=intent__id"]
    list_select_related = ["intent", "portfolio"]
    ordering = ["-pk"]
