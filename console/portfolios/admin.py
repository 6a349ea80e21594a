"""Portfolios: groups of intents, with who is in them (RFC-0007)."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q
from django.http import HttpRequest

from access.models import Role
from access.roles import actor_from_user
from console.actions import ReasonForm, action
from console.changelist import RowsAdmin
from console.filters import by
from console.portfolios import pages
from core.errors import ProtocolError
from intents.errors import CompletionGate
from intents.models import Intent
from portfolios import services
from portfolios.models import Portfolio, Status

NAMED = 3  # Members that a refusal names; the others it counts.


def _told(refusal: ProtocolError) -> str:
    """Of the members that a portfolio waits for, some by name."""
    if not isinstance(refusal, CompletionGate):
        return refusal.detail
    waiting = refusal.extra["waiting_for"]
    titles = [f"“{each}”" for each in Intent.objects.filter(pk__in=waiting[:NAMED]).values_list("title", flat=True)]
    more = [f"{len(waiting) - NAMED} more"] if len(waiting) > NAMED else []
    return f"can't be completed until these members are: {', '.join([*titles, *more])}."


@admin.register(Portfolio)
class PortfolioAdmin(RowsAdmin):
    panels_template = "console/portfolios/detail.html"
    rows_template = "console/portfolios/list_rows.html"
    search_label = "Search by name or exact creator"
    list_filter = [by("status", "status", Status.choices, lambda value, now: Q(status=value))]
    search_fields = ["name", "=created_by"]
    ordering = ["-created_at", "-id"]
    actions = ["complete", "abandon"]

    def rows(self, request: HttpRequest, found: list[Portfolio]) -> dict[str, Any]:
        counts = pages.counts_of([each.pk for each in found])
        return {"rows": [(each, pages.progress(counts[each.pk])) for each in found]}

    def counts(self) -> dict[str, int]:
        return dict(Portfolio.objects.order_by().values_list("status").annotate(Count("pk")))

    def panels(self, request: HttpRequest, obj: Portfolio) -> dict[str, Any]:
        return pages.gather(obj)

    def follows(self, obj: Portfolio) -> dict[str, str]:
        return {"portfolio": str(obj.pk)}

    def offers(self, request: HttpRequest, name: str, obj: Portfolio) -> bool:
        return obj.is_active

    @action(
        "Complete",
        "Complete selected portfolios",
        role=Role.OPERATOR,
        done="Completed",
        warning="This is permanent. Members are not affected.",
        form=ReasonForm,
        refusal_text=_told,
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
