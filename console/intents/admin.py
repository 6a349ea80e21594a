"""Intents: the list, the page and its actions (console.intents.page, console.intents.actions)."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Lower
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST, require_safe

from access.models import Role
from access.roles import actor_from_user, is_operator
from console.actions import action
from console.admin_mixins import OperatorPages
from console.changelist import ListAdmin
from console.dashboard import list_blockers
from console.filters import choice_filter, portfolio_choices, text_filter
from console.intents import actions, graph_page, page, timeline_page, versions
from console.intents.forms import CreateIntentForm
from console.live_admin import reject_unknown_parameters
from console.sort_order import Column
from core.db import database_now
from core.errors import ProtocolError
from core.ids import parse_id
from intents import services
from intents.models import Assignment, Edge, EdgeKind, Event, Intent, Status
from intents.search import INTENTS
from portfolios.models import Membership

_RELATIONS = {"parent": "Children of", "needed_by": "Dependencies of", "waits_for": "Dependents of"}
"""Parameters that narrow the list to the relations of one intent, with their texts."""
_NEW_FOR = {"parent": "parent_intent_id", "needed_by": "needed_by"}
"""Parameters of the form for a new intent that name a related one, with their fields."""
_CHILDREN, _DEPENDENCIES = Edge.objects.filter(kind=EdgeKind.CHILD), Edge.objects.filter(kind=EdgeKind.DEPENDENCY)


@admin.register(Intent)
class IntentAdmin(OperatorPages, ListAdmin):
    detail_template = "console/intents/detail.html"
    own_paths = (
        ("<uuid:object_id>/do/<slug:name>/", "do", "do"),
        ("<uuid:object_id>/graph/", "graph", "graph"),
        ("<uuid:object_id>/timeline/", "timeline", "timeline"),
        ("<uuid:object_id>/compare/", "compare", "compare"),
    )
    topic = ("intent", "pk")
    list_template = "console/intents/list_rows.html"
    filters_template = "console/intents/filters.html"
    filter_fields = ("agent", "portfolio", "root")
    search_label = "Search by words or the beginning of an ID"
    list_event_types = "intent_created intent_updated status_changed state_patched agent_assigned agent_unassigned"
    list_filter = [
        choice_filter("status", "status__exact", Status.choices, lambda status, now: Q(status=status)),
        text_filter("agent", "agent", lambda agent: Q(pk__in=Assignment.objects.filter(agent_id=agent).values("intent"))),
        text_filter(
            "portfolio", "portfolio", lambda pk: Q(pk__in=Membership.objects.filter(portfolio=parse_id(pk)).values("intent"))
        ),
        choice_filter("root", "root", [("1", "Top-level only")], lambda chosen, now: Q(parent_intent=None)),
        text_filter("children", "parent", lambda pk: Q(pk__in=_CHILDREN.filter(waiter=parse_id(pk)).values("awaited"))),
        text_filter(
            "dependencies", "needed_by", lambda pk: Q(pk__in=_DEPENDENCIES.filter(waiter=parse_id(pk)).values("awaited"))
        ),
        text_filter("dependents", "waits_for", lambda pk: Q(pk__in=_DEPENDENCIES.filter(awaited=parse_id(pk)).values("waiter"))),
    ]
    search_fields = ["title", "description"]
    columns = (
        Column("Title", "title", looks="oi-first", by=Lower("title"), is_indexed=False),
        Column("Status"),
        Column("Updated", "updated_at", is_descending=True),
        Column("Created", "created_at", is_descending=True),
    )
    default_ordering = "-updated_at"
    ordering = ["-updated_at", "-id"]
    refresh_seconds = 30

    def get_queryset(self, request: HttpRequest) -> QuerySet[Intent]:
        """Leave out what a list does not show."""
        found = super().get_queryset(request)
        is_list = str(getattr(request.resolver_match, "url_name", "")).endswith("_changelist")
        return found.defer("state", "constraints", "description") if is_list else found

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Intent], search_term: str
    ) -> tuple[QuerySet[Intent], bool]:
        return (INTENTS.search(queryset, search_term) if search_term.strip() else queryset), False

    def list_context(self, request: HttpRequest, found: list[Intent]) -> dict[str, Any]:
        now, ids = database_now(), {each.pk for each in found}
        waiting = list_blockers(ids, now)
        last = Event.objects.filter(intent=OuterRef("pk"), sequence=OuterRef("last_sequence"))
        newest = Intent.objects.filter(pk__in=ids).order_by()
        latest = {
            pk: (at, what)
            for pk, at, what in newest.values_list("pk", Subquery(last.values("created_at")), Subquery(last.values("event_type")))
        }
        portfolio = parse_id(request.GET.get("portfolio", ""))
        members = (
            {each.intent_id: each for each in Membership.objects.filter(portfolio=portfolio, intent__in=ids)} if portfolio else {}
        )
        related = {name: pk for name in _RELATIONS if (pk := parse_id(request.GET.get(name, "")))}
        titles = dict(Intent.objects.filter(pk__in=related.values()).values_list("pk", "title")) if related else {}
        return {
            "found": [(each, waiting.get(each.pk, []), latest.get(each.pk), members.get(each.pk)) for each in found],
            "asked": request.GET,
            "may_create": is_operator(request),
            "is_narrowed": any(value for name, value in request.GET.items() if name not in ("p", "panels", "ordering")),
            "portfolios": portfolio_choices(request.GET.get("portfolio", "")),
            "tied": [(_RELATIONS[name], pk, titles[pk]) for name, pk in related.items() if pk in titles],
        }

    def detail_context(self, request: HttpRequest, obj: Intent) -> dict[str, Any]:
        return page.intent_detail(request, obj)

    def render_form(self, request: HttpRequest, _: None, form: CreateIntentForm, refusal: ProtocolError | None) -> HttpResponse:
        """Render the form. `?parent=` and `?needed_by=`, as in the list, name the intent that the new one is for."""
        reject_unknown_parameters(request, _NEW_FOR)
        if refusal:
            form.refuse(refusal)
        ids = {name: pk for name in _NEW_FOR if (pk := parse_id(request.GET.get(name, "")))}
        form.initial.update({_NEW_FOR[name]: str(pk) for name, pk in ids.items()})
        related = Intent.objects.filter(pk__in=ids.values()).only("title").first()
        return self.page(request, "console/intents/create.html", title="New intent", form=form, related=related, asked=ids)

    @action("Create intent", role=Role.OPERATOR, form=CreateIntentForm, page=render_form)
    def create(self, request: HttpRequest, _: None, *, needed_by: UUID | None, **given: Any) -> HttpResponse:
        actor = actor_from_user(request)
        if needed_by:
            intent = services.create_dependency(intent_id=needed_by, actor=actor, **given)
        else:
            intent = services.create_intent(actor=actor, **given)
        messages.success(request, "The intent was created.")
        return redirect("admin:intents_intent_change", intent.pk)

    @method_decorator(require_safe)
    def graph(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        return graph_page.show(request, self._intent(object_id), self.opts)

    @method_decorator(require_safe)
    def timeline(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        return timeline_page.show(request, self._intent(object_id), self.opts)

    def _intent(self, object_id: UUID) -> Intent:
        """Raise Http404."""
        found: Intent = get_object_or_404(Intent.objects.defer("state", "constraints", "description"), pk=object_id)
        return found

    @method_decorator(require_POST)
    def do(self, request: HttpRequest, object_id: UUID, name: str) -> HttpResponse:
        """Call an action of the intent's page. Raise Http404 for an unknown one."""
        chosen = actions.ACTIONS.get(name)
        if chosen is None:
            raise Http404
        intent = get_object_or_404(Intent, pk=object_id)
        return chosen(self, request, [intent]) or redirect("admin:intents_intent_change", object_id)

    @method_decorator(require_safe)
    def compare(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Render the differences between two versions: those of `?from=` and `?to=`, or the last two."""
        if not self.has_view_permission(request):
            raise PermissionDenied("You don't have a role in the console.")
        reject_unknown_parameters(request, ["from", "to"])
        intent = get_object_or_404(Intent.objects.defer("state", "constraints"), pk=object_id)
        before = request.GET.get("from", "") or str(max(1, intent.version - 1))
        after = request.GET.get("to", "") or str(intent.version)
        found = versions.compare_versions(intent, before, after)
        context = {"title": "Compare versions", "intent": intent, "found": found, "asked": (before[:20], after[:20])}
        return self.page(request, "console/intents/compare.html", original=intent, **context)

    def cancel_url(self, request: HttpRequest, obj: Intent) -> str:
        return reverse("admin:intents_intent_change", args=[obj.pk])
