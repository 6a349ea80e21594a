"""Portfolios: groups of intents, with who is in them (RFC-0007)."""

from django.contrib import admin
from django.http import HttpRequest

from access.models import Role
from access.people import actor_of
from console.actions import action
from console.admin import ReadOnlyAdmin
from portfolios import services
from portfolios.models import Member, Portfolio, Status


@admin.register(Portfolio)
class PortfolioAdmin(ReadOnlyAdmin):
    list_display = ["name", "status", "created_by", "created_at", "updated_at"]
    list_filter = ["status"]
    search_fields = ["name", "=created_by"]
    ordering = ["-created_at", "-id"]
    actions = ["complete", "abandon"]

    def offers(self, request: HttpRequest, name: str, obj: Portfolio) -> bool:
        return obj.is_active

    @action(
        "Complete the selected portfolios",
        least=Role.OPERATOR,
        done="Completed",
        warning="A completed portfolio stays so. Its members go on as they are.",
        asks_reason=True,
    )
    def complete(self, request: HttpRequest, portfolio: Portfolio, reason: str | None) -> None:
        self._close(request, portfolio, Status.COMPLETED, reason)

    @action(
        "Abandon the selected portfolios",
        least=Role.OPERATOR,
        done="Abandoned",
        warning="An abandoned portfolio stays so. Its members go on as they are.",
        asks_reason=True,
    )
    def abandon(self, request: HttpRequest, portfolio: Portfolio, reason: str | None) -> None:
        self._close(request, portfolio, Status.ABANDONED, reason)

    @staticmethod
    def _close(request: HttpRequest, portfolio: Portfolio, status: Status, reason: str | None) -> None:
        services.update_portfolio_status(portfolio_id=portfolio.pk, actor=actor_of(request), status=status, reason=reason)


@admin.register(Member)
class MemberAdmin(ReadOnlyAdmin):
    list_display = ["intent", "portfolio", "role", "priority", "added_by", "added_at"]
    list_filter = ["role"]
    search_fields = ["=portfolio__id", "=intent__id"]
    list_select_related = ["intent", "portfolio"]
    ordering = ["-pk"]
