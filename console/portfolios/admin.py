"""Portfolios: the list, one portfolio, creating and changing it, its members, completing and abandoning (RFC-0007)."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from access.models import Role
from access.roles import actor_from_user, is_operator
from console.actions import ActionForm, Confirmation, ReasonForm, action
from console.admin_mixins import OperatorPages, form_page
from console.changelist import ListAdmin
from console.filters import choice_filter
from console.portfolios import pages
from console.portfolios.forms import AddMemberForm, ChangePortfolioForm, CreatePortfolioForm, RemoveMemberForm
from core.errors import ProtocolError
from core.ids import parse_id
from intents.errors import CompletionGate, VersionConflict
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


def confirm_removal(form: ActionForm, _: Any) -> Confirmation:
    pk = parse_id(str(form["intent_id"].value() or ""))
    found = Intent.objects.filter(pk__in=form.obj.members.filter(intent__in=[pk] if pk else []).values("intent"))
    return Confirmation(
        "Remove this member?",
        "Remove",
        "Its status and its costs no longer count for the portfolio. The intent itself stays.",
        names=[*found.values_list("title", flat=True)],
        count=1,
        subject=form.obj.name,
    )


@admin.register(Portfolio)
class PortfolioAdmin(OperatorPages, ListAdmin):
    detail_template = "console/portfolios/detail.html"
    topic = ("portfolio", "pk")
    list_template = "console/portfolios/list_rows.html"
    search_label = "Search by name or exact creator"
    list_filter = [choice_filter("status", "status", Status.choices, lambda value, now: Q(status=value))]
    search_fields = ["name", "=created_by"]
    ordering = ["-created_at", "-id"]
    actions = ["complete", "abandon"]
    own_paths = (
        ("<uuid:portfolio_id>/edit/", "edit_view", "edit"),
        ("<uuid:portfolio_id>/members/add/", "add_member_view", "add_member"),
        ("<uuid:portfolio_id>/members/remove/", "remove_member_view", "remove_member"),
    )

    def list_context(self, request: HttpRequest, found: list[Portfolio]) -> dict[str, Any]:
        counts = pages.count_members_by_status([each.pk for each in found])
        rows = [(each, pages.build_progress(counts[each.pk])) for each in found]
        return {"rows": rows, "may_create": is_operator(request)}

    def tab_counts(self, request: HttpRequest, query: str) -> dict[str, int]:
        found, _ = self.get_search_results(request, Portfolio.objects.order_by(), query)
        return dict(found.values_list("status").annotate(Count("pk")))

    def detail_context(self, request: HttpRequest, obj: Portfolio) -> dict[str, Any]:
        return {"may_change": is_operator(request), **pages.portfolio_detail(obj)}

    def is_offered(self, request: HttpRequest, name: str, obj: Portfolio) -> bool:
        return obj.is_active

    def cancel_url(self, request: HttpRequest, obj: Portfolio) -> str:
        is_member = str(getattr(request.resolver_match, "url_name", "")).endswith("_member")
        page = reverse("admin:portfolios_portfolio_change", args=[obj.pk]) if is_member else ""
        return page or super().cancel_url(request, obj)

    def edit_view(self, request: HttpRequest, portfolio_id: UUID) -> HttpResponse:
        return self.edit(request, [get_object_or_404(Portfolio, pk=portfolio_id)])

    def add_member_view(self, request: HttpRequest, portfolio_id: UUID) -> HttpResponse:
        return self.add_member(request, [get_object_or_404(Portfolio, pk=portfolio_id)])

    @method_decorator(require_POST)
    def remove_member_view(self, request: HttpRequest, portfolio_id: UUID) -> HttpResponse:
        done = self.remove_member(request, [get_object_or_404(Portfolio, pk=portfolio_id)])
        return done or redirect("admin:portfolios_portfolio_change", portfolio_id)

    def render_edit_form(
        self, request: HttpRequest, portfolio: Portfolio, form: ChangePortfolioForm, refusal: ProtocolError | None
    ) -> HttpResponse:
        if isinstance(refusal, VersionConflict):
            form.add_error(
                None, "Somebody else has changed this portfolio since you opened it. Open it again and repeat your change."
            )
        elif refusal:
            form.refuse(refusal)
        return self.page(request, "console/portfolios/edit.html", title="Change portfolio", form=form, portfolio=portfolio)

    @action(
        "Create portfolio",
        role=Role.OPERATOR,
        form=CreatePortfolioForm,
        page=form_page("console/portfolios/create.html", "New portfolio"),
    )
    def create(self, request: HttpRequest, _: None, **given: Any) -> HttpResponse:
        portfolio = services.create_portfolio(actor=actor_from_user(request), **given)
        messages.success(request, "The portfolio was created. Add its members.")
        return redirect("admin:portfolios_portfolio_change", portfolio.pk)

    @action("Change", role=Role.OPERATOR, form=ChangePortfolioForm, page=render_edit_form)
    def edit(self, request: HttpRequest, portfolio: Portfolio, **given: Any) -> HttpResponse:
        services.update_portfolio(portfolio_id=portfolio.pk, actor=actor_from_user(request), **given)
        messages.success(request, "The portfolio was changed.")
        return redirect("admin:portfolios_portfolio_change", portfolio.pk)

    @action(
        "Add member",
        role=Role.OPERATOR,
        form=AddMemberForm,
        page=form_page("console/portfolios/add_member.html", "Add member", name="portfolio"),
    )
    def add_member(self, request: HttpRequest, portfolio: Portfolio, **given: Any) -> HttpResponse:
        services.add_intent_to_portfolio(portfolio_id=portfolio.pk, actor=actor_from_user(request), **given)
        messages.success(request, "The member was added.")
        return redirect("admin:portfolios_portfolio_change", portfolio.pk)

    @action("Remove member", role=Role.OPERATOR, form=RemoveMemberForm, confirm=confirm_removal)
    def remove_member(self, request: HttpRequest, portfolio: Portfolio, *, intent_id: UUID) -> str:
        services.remove_intent_from_portfolio(portfolio_id=portfolio.pk, intent_id=intent_id, actor=actor_from_user(request))
        return "The member was removed."

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
