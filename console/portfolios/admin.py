"""Portfolios: the list, one portfolio, completing and abandoning (RFC-0007)."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q
from django.http import HttpRequest

from access.models import Role
from access.roles import actor_from_user
from console.actions import ReasonForm, action
from console.changelist import ListAdmin
from console.filters import choice_filter
from console.portfolios import pages
from core.errors import ProtocolError
from intents.errors import CompletionGate
from intents.models import Intent
from portfolios import services
from portfolios.models import Portfolio, Status

MAX_NAMES = 3  # Members that a refusal names; the others it counts.


def describe_refusal(refusal: ProtocolError) -> str:
    """Return the text of the refusal with some of the members that must complete first, by name."""
    if not isinstance(refusal, CompletionGate):
        return refusal.detail
    waiting = refusal.extra["waiting_for"]
    titles = [f"“{each}”" for each in Intent.objects.filter(pk__in=waiting[:MAX_NAMES]).values_list("title", flat=True)]
    more = [f"{len(waiting) - MAX_NAMES} more"] if len(waiting) > MAX_NAMES else []
    return f"can't be completed until these members are: {', '.join([*titles, *more])}."


@admin.register(Portfolio)
class PortfolioAdmin(ListAdmin):
    detail_template = "console/portfolios/detail.html"
    topic = ("portfolio", "pk")
    list_template = "console/portfolios/list_rows.html"
    search_label = "Search by name or exact creator"
    list_filter = [choice_filter("status", "status", Status.choices, lambda value, now: Q(status=value))]
    search_fields = ["name", "=created_by"]
    ordering = ["-created_at", "-id"]
    actions = ["complete", "abandon"]

    def list_context(self, request: HttpRequest, found: list[Portfolio]) -> dict[str, Any]:
        counts = pages.count_members_by_status([each.pk for each in found])
        return {"rows": [(each, pages.build_progress(counts[each.pk])) for each in found]}

    def tab_counts(self, request: HttpRequest, query: str) -> dict[str, int]:
        found, _ = self.get_search_results(request, Portfolio.objects.order_by(), query)
        return dict(found.values_list("status").annotate(Count("pk")))

    def detail_context(self, request: HttpRequest, obj: Portfolio) -> dict[str, Any]:
        return pages.portfolio_detail(obj)

    def is_offered(self, request: HttpRequest, name: str, obj: Portfolio) -> bool:
        return obj.is_active

    @action(
        "Complete",
        "Complete selected portfolios",
        role=Role.OPERATOR,
        done="Completed",
        warning="This is permanent. Members are not affected.",
        form=ReasonForm,
        refusal_text=describe_refusal,
    )
    def complete(self, request: HttpRequest, portfolio: Portfolio, *, reason: str | None) -> None:
        self._close(request, portfolio, Status.COMPLETED, reason)

    @action(
        "Abandon",
        "Abandon selected portfolios",
        role=Role.OPERATOR,
        done="Abandoned",
        warning="This is permanent. Members are not affected.",
        form=ReasonForm,
    )
    def abandon(self, request: HttpRequest, portfolio: Portfolio, *, reason: str | None) -> None:
        self._close(request, portfolio, Status.ABANDONED, reason)

    @staticmethod
    def _close(request: HttpRequest, portfolio: Portfolio, status: Status, reason: str | None) -> None:
        services.update_portfolio_status(portfolio_id=portfolio.pk, actor=actor_from_user(request), status=status, reason=reason)
