"""What people do to an intent on its page: each deed is one verb, asked about first, and done to the version that was seen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_POST
from rest_framework.exceptions import ValidationError

from access.identity import Actor
from access.models import Role
from access.roles import actor_from_user, has_role
from console.actions import CONFIRMED, MAX_REASON, SHOWN, Declined
from console.event_log.pages import counter
from core.api.serializers import validate_data
from core.db import database_now
from core.errors import Invalid, ProtocolError
from core.ids import parse_id
from intents import graph, services
from intents.errors import VersionConflict
from intents.models import FINAL, TRANSITIONS, Intent, Status
from intents.operations import Assignee
from intents.serializers import AssignAgent
from leasing.models import Lease
from leasing.services import revoke_lease

Form = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Way:
    """A status that the intent can be given, and how its button calls that."""

    status: str
    label: str


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody is asked before it is done. `kept` goes with the answer; `rows` are what it is about, `count` of them."""

    title: str
    label: str
    warning: str = ""
    note: str = ""
    rows: list[str] = field(default_factory=list)
    count: int = 0
    asks: str = "reason"
    kept: list[tuple[str, str]] = field(default_factory=list)
    cascade: int = 0
    is_grave: bool = False


@dataclass(frozen=True, slots=True)
class Deed:
    """`do` answers what was done, in words."""

    least: Role
    ask: Callable[[Intent, Any], Question]
    do: Callable[[Intent, Any, Actor], str]


LABELS = {
    Status.ACTIVE: "Set to active",
    Status.COMPLETED: "Complete",
    Status.PENDING: "Set to pending",
    Status.BLOCKED: "Block",
}
UNBLOCK = {Status.PENDING: "Unblock", Status.ACTIVE: "Unblock and set to active"}
FOR_GOOD = "This is permanent: the intent can't be reopened."


def ways(intent: Intent, *, is_waiting: bool) -> list[Way]:
    """The legal transitions (rule I-5), but for abandoning. One that waits is not unblocked by hand (rules I-6, A-2)."""
    labels = UNBLOCK if intent.status == Status.BLOCKED else LABELS
    if intent.status == Status.BLOCKED and is_waiting:
        return []
    return [Way(status, label) for status, label in labels.items() if status in TRANSITIONS[intent.status]]


@require_POST
def answer(request: HttpRequest, object_id: UUID, name: str) -> HttpResponse:
    """Asks, or does it. Raises PermissionDenied for a role that is too low, Http404."""
    deed = DEEDS.get(name)
    if deed is None:
        raise Http404
    if not has_role(request, deed.least):
        raise PermissionDenied(f"You need the {deed.least.value} role for this.")
    intent = get_object_or_404(Intent, pk=object_id)
    try:
        if CONFIRMED not in request.POST:
            return _asked(request, intent, deed.ask(intent, request.POST))
        with transaction.atomic():
            done = deed.do(intent, request.POST, actor_from_user(request))
    except VersionConflict as conflict:
        seen, now = request.POST.get("version"), conflict.extra["current_version"]
        messages.warning(
            request,
            f"This intent changed since you opened it (version {seen} → {now}). Nothing was saved.",
        )
    except Declined as reason:
        messages.warning(request, str(reason))
    except ProtocolError as refusal:
        messages.error(request, refusal.detail)
    else:
        messages.success(request, done)
    return redirect("admin:intents_intent_change", object_id)


def _asked(request: HttpRequest, intent: Intent, question: Question) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "title": question.title,
        "opts": Intent._meta,
        "intent": intent,
        "question": question,
        "more": max(0, question.count - len(question.rows)),
        "confirmed": CONFIRMED,
        "max_reason": MAX_REASON,
    }
    return TemplateResponse(request, "console/intents/confirm_action.html", context)


def _version(form: Form) -> int:
    """That which the human saw. Raises Invalid."""
    version = counter(form.get("version", ""))
    if version is None:
        raise Invalid.field("version", "must be the version you opened")
    return version


def _reason(form: Form) -> str | None:
    return form.get("reason", "").strip()[:MAX_REASON] or None


# --- status ----------------------------------------------------------------------------------------------------------


def _ask_status(intent: Intent, form: Form) -> Question:
    status = form.get("status", "")
    if status not in TRANSITIONS[Status.DRAFT]:
        raise Http404
    label = (UNBLOCK if intent.status == Status.BLOCKED else LABELS).get(Status(status), f"Set to {status}")
    warning = f"Its leases end and its pending questions are withdrawn. {FOR_GOOD}" if status in FINAL else ""
    return Question(
        f"{label}?", label, warning, kept=[("status", status), ("version", form.get("version", ""))], is_grave=status in FINAL
    )


def _do_status(intent: Intent, form: Form, actor: Actor) -> str:
    status = form.get("status", "")
    if status not in Status.values:
        raise Invalid.field("status", "unknown status")
    services.set_status(intent_id=intent.pk, expected_version=_version(form), actor=actor, status=status, reason=_reason(form))
    return f"Status set to {status}."


# --- abandoning ------------------------------------------------------------------------------------------------------


def _open_descendants(intent: Intent) -> Any:
    return graph.descendants(intent.pk).exclude(status__in=FINAL)


def _ask_abandon(intent: Intent, form: Form) -> Question:
    below = _open_descendants(intent)
    count = below.count()
    return Question(
        "Abandon this intent?",
        "Abandon",
        f"Its leases end, its pending questions are withdrawn, and intents that depend on it stay blocked. {FOR_GOOD}",
        rows=[*below.order_by("pk").values_list("title", flat=True)[:SHOWN]],
        count=count,
        kept=[("version", form.get("version", "")), ("counted", str(count))],
        cascade=count,
        is_grave=True,
    )


def _do_abandon(intent: Intent, form: Form, actor: Actor) -> str:
    """Raises Declined where there are more to abandon, or less, than were counted when it was asked."""
    cascade = "cascade" in form
    count = _open_descendants(intent).count() if cascade else 0
    if cascade and str(count) != form.get("counted"):
        raise Declined(f"The number of open descendants changed ({form.get('counted')} → {count}). Nothing was abandoned.")
    services.set_status(
        intent_id=intent.pk,
        expected_version=_version(form),
        actor=actor,
        status=Status.ABANDONED,
        reason=_reason(form),
        cascade=cascade,
    )
    return f"Abandoned, along with {count} descendant{'s' if count > 1 else ''}." if count else "Abandoned."


# --- agents and leases -----------------------------------------------------------------------------------------------


def _ask_assign(intent: Intent, form: Form) -> Question:
    return Question("Assign an agent", "Assign", asks="agent")


def _do_assign(intent: Intent, form: Form, actor: Actor) -> str:
    given = {"agent_id": form.get("agent_id", "").strip(), "role": form.get("role", "").strip() or "worker"}
    try:
        assignee = Assignee(**validate_data(AssignAgent, given))
    except ValidationError as error:
        raise Invalid(_in_words(error)) from None
    _, is_new = services.assign_agent(intent_id=intent.pk, assignee=assignee, actor=actor)
    verb = "Assigned" if is_new else "Already assigned:"
    return f"{verb} {assignee.agent_id} as {assignee.role}."


def _in_words(error: ValidationError) -> str:
    details: Any = error.detail
    return " ".join(f"{name}: {message}" for name, all_of in details.items() for message in all_of)


def _ask_unassign(intent: Intent, form: Form) -> Question:
    agent_id = form.get("agent_id", "")
    return Question(
        f"Unassign {agent_id}?", "Unassign", "The agent is notified and keeps any leases it holds.", asks="",
        kept=[("agent_id", agent_id)],
    )  # fmt: skip


def _do_unassign(intent: Intent, form: Form, actor: Actor) -> str:
    services.unassign_agent(intent_id=intent.pk, agent_id=form.get("agent_id", ""), actor=actor)
    return f"Unassigned {form.get('agent_id', '')}."


def _leases(intent: Intent, form: Any) -> list[Lease]:
    """Those of the intent that are named and still held. Raises Declined where none is."""
    named = [pk for given in form.getlist("lease") if (pk := parse_id(given))]
    held = [*Lease.objects.held(database_now()).filter(intent=intent, pk__in=named).order_by("pk")]
    if not held:
        raise Declined("None of the selected leases is active any more." if named else "Select at least one lease.")
    return held


def _ask_revoke(intent: Intent, form: Any) -> Question:
    held = _leases(intent, form)
    return Question(
        "Revoke lease?" if len(held) == 1 else f"Revoke {len(held)} leases?",
        "Revoke",
        "The holder loses the lease immediately: its next write with the fencing token is rejected.",
        rows=[str(each) for each in held[:SHOWN]],
        count=len(held),
        kept=[("lease", str(each.pk)) for each in held],
        is_grave=True,
    )


def _do_revoke(intent: Intent, form: Any, actor: Actor) -> str:
    held = _leases(intent, form)
    for each in held:
        revoke_lease(intent_id=intent.pk, lease_id=each.pk, actor=actor, reason=_reason(form))
    return f"Revoked: {', '.join(str(each) for each in held[:SHOWN])}."


DEEDS = {
    "status": Deed(Role.OPERATOR, _ask_status, _do_status),
    "abandon": Deed(Role.OPERATOR, _ask_abandon, _do_abandon),
    "assign": Deed(Role.OPERATOR, _ask_assign, _do_assign),
    "unassign": Deed(Role.OPERATOR, _ask_unassign, _do_unassign),
    "revoke": Deed(Role.ARBITER, _ask_revoke, _do_revoke),
}
