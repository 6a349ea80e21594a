"""Arbitrations, decisions and delegations in the console: what is pending can be decided there, one by one or several at once."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from access.models import Role
from access.roles import actor_from_user, has_role, role_of
from console.actions import MAX_REASON, Declined, action
from console.arbitrations import actions as deciding
from console.arbitrations import pages
from console.changelist import CHOOSING, RowsAdmin
from console.dashboard import URGENT
from console.filters import by
from console.live_admin import AGAIN
from core.db import database_now
from core.errors import ProtocolError
from governance import services
from governance.errors import ArbitrationResolved
from governance.models import Arbitration, Status

_TABS = [
    (Status.PENDING.value, "Pending"),
    (Status.RESOLVED.value, "Decided"),
    (Status.EXPIRED.value, "Expired"),
    (Status.WITHDRAWN.value, "Withdrawn"),
]
_HEAVY = ("context", "intent__state", "intent__constraints")  # What a list does not show.


@admin.register(Arbitration)
class ArbitrationAdmin(RowsAdmin):
    list_display = ["reason"]
    list_filter = [by("state", "state", _TABS, lambda status, _: Q(status=status), default=Status.PENDING)]
    search_fields = ["reason", "requester_id", "intent__title"]
    search_label = "Search by question, agent or intent"
    actions = ["withdraw"]
    rows_template = "console/arbitrations/list_rows.html"
    panels_template = "console/arbitrations/detail.html"
    list_only = "arbitration_requested arbitration_withdrawn arbitration_expired decision_recorded status_changed"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Arbitration]:
        found = super().get_queryset(request).select_related("intent", "decision")
        if request.method == "GET":  # Before somebody reads them (rule E-8).
            services.expire_overdue(Arbitration.objects.all())
        is_waiting = request.GET.get("state", Status.PENDING) == Status.PENDING
        return found.by_urgency(database_now() + URGENT) if is_waiting else found.order_by("-pk")

    def rows(self, request: HttpRequest, found: list[Arbitration]) -> dict[str, Any]:
        shown = pages.rows(request, found, database_now())
        return {
            "rows": shown,
            "may_answer": any(row["is_open"] for row in shown),
            "shared": pages.shared_labels(shown),
            "state": request.GET.get("state", Status.PENDING.value),
        }

    def counts(self) -> dict[str, int]:
        return {Status.PENDING.value: Arbitration.objects.pending().count()}

    def panels(self, request: HttpRequest, obj: Arbitration) -> dict[str, Any]:
        return {"script": CHOOSING, **pages.question(request, obj, database_now())}

    def follows(self, obj: Arbitration) -> dict[str, str]:
        return {"intent": str(obj.intent_id)}

    def offers(self, request: HttpRequest, name: str, obj: Arbitration) -> bool:
        return obj.status == Status.PENDING

    @action(
        "Withdraw selected arbitrations",
        least=Role.ARBITER,
        done="Withdrawn",
        warning="The agent gets no decision. If the question blocked the intent, it returns to its previous status. This can't be undone.",
        asks_reason=True,
    )
    def withdraw(self, request: HttpRequest, arbitration: Arbitration, reason: str | None) -> None:
        try:
            with transaction.atomic():  # What became of it is read after a refusal.
                services.withdraw_arbitration(
                    arbitration_id=arbitration.pk, actor=actor_from_user(request), role=_role(request), reason=reason
                )
        except ArbitrationResolved:
            raise Declined(str(deciding.too_late(request, arbitration.pk, ""))) from None

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("answer/", view(self.answer_several), name="governance_arbitration_answer"),
            path("<uuid:object_id>/decide/", view(self.decide), name="governance_arbitration_decide"),
            *super().get_urls(),
        ]

    def decide(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Record the answer; or say why not, on the same page, with all that was written."""
        _require_arbiter(request)
        asked = get_object_or_404(self.get_queryset(request), pk=object_id)
        if request.method != "POST":
            return redirect("admin:governance_arbitration_change", object_id)
        form = deciding.AnswerForm(asked, request.POST)
        if not form.is_valid():
            return self._again(request, asked, form, status=400)
        try:
            made = deciding.decide(request, asked, form)
        except ArbitrationResolved:
            if late := deciding.too_late(request, object_id, form.cleaned_data["decision"]):
                return self._again(request, self.get_queryset(request).get(pk=object_id), form, status=409, late=late)
        except ProtocolError as refusal:
            return self._again(request, asked, form, status=refusal.status, refused=refusal.detail)
        else:
            messages.success(request, f"Decided: {made.decision[:100]}.")
        return redirect("admin:governance_arbitration_change", object_id)

    def _again(
        self, request: HttpRequest, asked: Arbitration, form: deciding.AnswerForm, *, status: int, **said: Any
    ) -> HttpResponse:
        page = reverse("admin:governance_arbitration_change", args=[asked.pk])
        response: Any = self.object_page(request, asked, {"form": form, "evidence": form.written, **said})
        response.context_data["live"]["url"] = f"{page}?{AGAIN}=1"
        response.status_code = status
        return response

    @method_decorator(require_POST)
    def answer_several(self, request: HttpRequest) -> HttpResponse:
        """Show what was picked in the inbox, ask for one rationale, and record it all."""
        _require_arbiter(request)
        inbox = reverse("admin:governance_arbitration_changelist")
        picked = deciding.chosen(request, request.POST, request.POST.getlist("_selected_action"))
        if not picked:
            messages.warning(request, "Choose an option for at least one question.")
            return redirect(inbox)
        if "confirmed" not in request.POST:
            context = {
                "title": "Submit these decisions?",
                "picked": picked,
                "opts": self.opts,
                "max_reason": MAX_REASON,
                "inbox": inbox,
            }
            ready = [each for each in picked if not each.problem]
            context |= {"ready": ready, **self.admin_site.each_context(request)}
            return TemplateResponse(request, "console/arbitrations/confirm_decisions.html", context)
        recorded = deciding.record_all(request, picked, request.POST.get("rationale", "").strip()[:MAX_REASON] or None)
        for each in picked:
            if each.problem:
                messages.error(request, f"{each.asked}: {each.problem}")
        if recorded:
            messages.success(
                request, f"Decided: {'; '.join(f'{each.asked} → {each.label}' for each in recorded[:5])}{_others(recorded)}."
            )
        return redirect(inbox)


def _others(recorded: list[Any]) -> str:
    return f" and {len(recorded) - 5} more" if len(recorded) > 5 else ""


def _require_arbiter(request: HttpRequest) -> None:
    """Raises PermissionDenied."""
    if not has_role(request, Role.ARBITER):
        raise PermissionDenied("Deciding requires the arbiter role.")


def _role(request: HttpRequest) -> Role:
    """Of whoever passed the check of an action."""
    return role_of(request.user) or Role.OBSERVER
