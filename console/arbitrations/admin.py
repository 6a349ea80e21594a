"""Arbitrations: the inbox of questions, one question, and deciding one or several."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from access.models import Role
from access.roles import actor_from_user, has_role
from console.actions import Declined, ReasonForm, action, return_url
from console.agent_text import MAX_TITLE, brief_text
from console.arbitrations import decisions, pages, question_forms
from console.changelist import SELECTION_SCRIPT, ListAdmin
from console.event_text import display_name
from console.filters import AssigneeFilter, assigned, choice_filter
from console.live_admin import PANELS_ONLY
from console.permits.pages import unknown_outcomes
from core.db import database_now
from core.errors import ProtocolError
from core.ids import parse_id
from governance import services
from governance.errors import ArbitrationResolved
from governance.models import Arbitration, Decision, Status

_TABS = [
    (Status.PENDING.value, "Pending"),
    (Status.RESOLVED.value, "Decided"),
    (Status.EXPIRED.value, "Expired"),
    (Status.WITHDRAWN.value, "Withdrawn"),
]
MAX_ACROSS = 500
"""Questions that one selection across pages answers: each is a transaction of its own."""

_HEAVY = ("context", "intent__state", "intent__constraints")  # What a list does not show.


@admin.register(Arbitration)
class ArbitrationAdmin(ListAdmin):
    list_display = ["reason"]
    list_filter = [
        choice_filter("state", "state", _TABS, lambda status, _: Q(status=status), default=Status.PENDING),
        AssigneeFilter,
    ]
    search_fields = ["reason", "requester_id", "intent__title"]
    search_label = "Search by question, agent or intent"
    actions = ["withdraw"]
    list_template = "console/arbitrations/list_rows.html"
    detail_template = "console/arbitrations/detail.html"
    filters_template = "console/arbitrations/filters.html"
    filter_fields = ("assignee",)
    own_paths = (
        ("answer/", "decide_selected_view", "answer"),
        ("next/", "next_view", "next"),
        ("<uuid:object_id>/decide/", "decide_view", "decide"),
        ("<uuid:object_id>/assign/", "assign_view", "assign"),
        ("<uuid:object_id>/information/", "information_view", "information"),
    )
    topic = ("intent", "intent_id")
    list_event_types = (
        "arbitration_requested arbitration_withdrawn arbitration_expired arbitration_assigned information_requested "
        "information_provided decision_recorded status_changed"
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Arbitration]:
        found = super().get_queryset(request).select_related("intent", "decision")
        if request.method == "GET":  # Before somebody reads them (rule E-8).
            services.expire_overdue(Arbitration.objects.all())
        is_waiting = request.GET.get("state", Status.PENDING) == Status.PENDING
        return found.by_deadline() if is_waiting else found.order_by("-pk")

    def list_context(self, request: HttpRequest, found: list[Arbitration]) -> dict[str, Any]:
        shown = pages.list_rows(request, found, database_now())
        return {
            "rows": shown,
            "may_answer": any(row["is_open"] for row in shown),
            "shared": pages.shared_labels(shown),
            "max_across": MAX_ACROSS,
            "state": request.GET.get("state", Status.PENDING.value),
            "assignee": request.GET.get("assignee", ""),
            "unknown_outcomes": unknown_outcomes().count(),
        }

    def tab_counts(self, request: HttpRequest, query: str) -> dict[str, int]:
        return {Status.PENDING.value: self._pending(request, query).count()}

    def _pending(self, request: HttpRequest, query: str) -> Any:
        """Return the pending questions that the inbox shows under its search and its assignee."""
        found, _ = self.get_search_results(request, Arbitration.objects.pending(), query)
        return assigned(request, found, request.GET.get("assignee"))

    def detail_context(self, request: HttpRequest, obj: Arbitration) -> dict[str, Any]:
        form = decisions.DecisionForm(obj=obj)
        title = brief_text(obj.reason, MAX_TITLE)
        return {"title": title, "script": SELECTION_SCRIPT, "form": form, **pages.question_detail(request, obj, database_now())}

    def is_offered(self, request: HttpRequest, name: str, obj: Arbitration) -> bool:
        return obj.status == Status.PENDING

    @action(
        "Withdraw",
        "Withdraw selected arbitrations",
        role=Role.ARBITER,
        done="Withdrawn",
        warning="The agent gets no decision. If the question blocked the intent, it returns to its previous status. This can't be undone.",
        form=ReasonForm,
    )
    def withdraw(self, request: HttpRequest, arbitration: Arbitration, *, reason: str | None) -> None:
        try:
            with transaction.atomic():  # What became of it is read after a refusal.
                services.withdraw_arbitration(
                    arbitration_id=arbitration.pk,
                    actor=actor_from_user(request),
                    reason=reason,
                )
        except ArbitrationResolved:
            raise Declined(str(decisions.prior_outcome(request, arbitration.pk, ""))) from None

    def decide_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Record the decision of a question, or show the question again with the reason and all that was entered."""
        return self._handle(request, object_id, self.decide)

    def assign_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        return self._handle(request, object_id, self.assign)

    def information_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        return self._handle(request, object_id, self.request_information)

    def _handle(self, request: HttpRequest, object_id: UUID, perform: Any) -> HttpResponse:
        asked = get_object_or_404(self.get_queryset(request), pk=object_id)
        if not pages.may_answer(request, asked):
            raise PermissionDenied("You need the arbiter role for this.")
        return perform(request, [asked]) or redirect("admin:governance_arbitration_change", object_id)

    def cancel_url(self, request: HttpRequest, obj: Any) -> str:
        """Return the path of the question, where one of its own pages is left."""
        is_own_page = isinstance(obj, Arbitration) and request.path != self._list_url()
        return reverse("admin:governance_arbitration_change", args=[obj.pk]) if is_own_page else super().cancel_url(request, obj)

    def decide_selected_view(self, request: HttpRequest) -> HttpResponse:
        """Show the selected answers to be confirmed, or record them. Both lead back to the inbox with its search."""
        inbox = redirect(return_url(request) or reverse("admin:governance_arbitration_changelist"))
        if request.method != "POST":  # Somebody who was signed out in between has signed in again.
            return inbox
        selected = request.POST.getlist("_selected_action")
        if request.POST.get("select_across") == "1":
            pending = self._pending(request, request.GET.get("q", ""))
            selected = [str(pk) for pk in pending.by_deadline().values_list("pk", flat=True)[:MAX_ACROSS]]
        answers = decisions.list_selected(request, request.POST, selected)
        if not answers and has_role(request, Role.ARBITER):
            messages.warning(request, "Choose an option for at least one question.")
            return inbox
        return self.decide_selected(request, answers) or inbox

    def next_view(self, request: HttpRequest) -> HttpResponse:
        """Redirect to the pending question that comes `?after=` one in the inbox, or to the inbox if there is none."""
        if not self.has_view_permission(request):
            raise PermissionDenied("You don't have a role in the console.")
        after = parse_id(request.GET.get("after", ""))
        asked = pages.next_question(Arbitration.objects.filter(pk=after).first() if after else None)
        if asked is None:
            messages.info(request, "No other question is pending.")
            return redirect("admin:governance_arbitration_changelist")
        return redirect("admin:governance_arbitration_change", asked.pk)

    def render_question(self, request: HttpRequest, asked: Arbitration, form: Any, refusal: ProtocolError | None) -> HttpResponse:
        """Render the question with all that was entered, and with the reason for which it was not recorded."""
        page = reverse("admin:governance_arbitration_change", args=[asked.pk])
        if not form.is_bound:
            return redirect(page)
        more: dict[str, Any] = {"form": form, "evidence": form.written}
        if isinstance(refusal, ArbitrationResolved):
            more["late"] = decisions.prior_outcome(request, asked.pk, form.cleaned_data["decision"])
            if more["late"] is None:  # The person's own decision, sent again.
                return redirect(page)
            asked = self.get_queryset(request).get(pk=asked.pk)
        elif refusal:
            more["refused"] = refusal.detail
        response: Any = self.object_page(request, asked, more)
        response.context_data["live"]["url"] = f"{page}?{PANELS_ONLY}=1"
        response.status_code = refusal.status if refusal else 400
        return response

    @action("Decide", role=Role.OBSERVER, form=decisions.DecisionForm, page=render_question)
    def decide(self, request: HttpRequest, asked: Arbitration, **given: Any) -> str:
        made = decisions.record_decision(request, asked, **given)
        if isinstance(made, Decision):
            return f"Decided: {made.decision[:100]}."
        granted = sum(vote.counts and vote.grants for vote in made.arbitration.votes.all())
        return f"Voted: {made.decision[:100]}. {granted} of {made.arbitration.quorum} have granted it."

    @action("Assign", role=Role.OBSERVER, form=question_forms.AssignForm, confirm=question_forms.confirm_assignment)
    def assign(self, request: HttpRequest, asked: Arbitration, *, assignee: str | None) -> str:
        actor = actor_from_user(request)
        services.assign_arbitration(arbitration_id=asked.pk, actor=actor, assignee=assignee)
        if assignee is None:
            return "The question is assigned to nobody."
        return f"Assigned to {'you' if assignee == actor.principal else display_name(assignee)}."

    @action(
        "Ask for more information",
        role=Role.OBSERVER,
        form=question_forms.InformationForm,
        confirm=question_forms.confirm_request,
    )
    def request_information(self, request: HttpRequest, asked: Arbitration, *, question: str) -> str:
        try:
            services.request_information(arbitration_id=asked.pk, actor=actor_from_user(request), question=question)
        except ProtocolError as refusal:  # What was written stays in the form.
            raise ValidationError(refusal.detail) from None
        return "The agent was asked for more information. The question stays open."

    @action(
        "Decide",
        role=Role.ARBITER,
        done="Decided",
        form=decisions.RationaleForm,
        confirm=decisions.confirm_selected,
        template="console/arbitrations/confirm_decisions.html",
    )
    def decide_selected(self, request: HttpRequest, answer: decisions.SelectedAnswer, *, rationale: str | None) -> None:
        decisions.record_selected(request, answer, rationale)
