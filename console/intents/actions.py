"""Intent actions: change the status, abandon, change dependencies, add to portfolios, comment, assign agents, revoke leases.

Status changes apply to the version that the person saw (RFC-0001 "Concurrency").
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from rest_framework.exceptions import ValidationError

from access.models import Role
from access.roles import actor_from_user
from console.actions import INPUT, SHOWN, Action, ActionForm, Confirmation, Declined, ReasonForm, action
from console.event_log.pages import parse_counter
from console.form_fields import NamedLinesField
from console.portfolios.forms import AddToPortfolioForm
from core.api.serializers import validate_data
from core.db import database_now
from core.errors import Invalid
from core.ids import parse_id
from intents import graph, services
from intents.errors import VersionConflict
from intents.events import NewEvent
from intents.models import FINAL, TRANSITIONS, Intent, Status
from intents.operations import Assignee
from intents.serializers import AssignAgent
from leasing.models import Lease
from leasing.services import revoke_lease
from portfolios import services as portfolios

LABELS = {
    Status.ACTIVE: "Set to active",
    Status.COMPLETED: "Complete",
    Status.PENDING: "Set to pending",
    Status.BLOCKED: "Block",
}
UNBLOCK = {Status.PENDING: "Unblock", Status.ACTIVE: "Unblock and set to active"}
PERMANENT = "This is permanent: the intent can't be reopened."


@dataclass(frozen=True, slots=True)
class Transition:
    """A status that the intent can be given, with the label of its button."""

    status: str
    label: str


def list_transitions(intent: Intent, *, is_waiting: bool) -> list[Transition]:
    """Return the legal transitions (rule I-5) except abandoning. An intent that waits has none (rules I-6, A-2)."""
    labels = UNBLOCK if intent.status == Status.BLOCKED else LABELS
    if intent.status == Status.BLOCKED and is_waiting:
        return []
    return [Transition(status, label) for status, label in labels.items() if status in TRANSITIONS[intent.status]]


# --- status ----------------------------------------------------------------------------------------------------------


class VersionForm(ReasonForm):
    version = forms.CharField(widget=forms.HiddenInput, error_messages={"required": "Must be the version you opened."})

    def clean_version(self) -> int:
        version = parse_counter(self.cleaned_data["version"])
        if version is None:
            raise forms.ValidationError("Must be the version you opened.")
        return version


class StatusForm(VersionForm):
    status = forms.CharField(widget=forms.HiddenInput)


def confirm_status(form: ActionForm, _: Any) -> Confirmation:
    """Raise Http404 for an unknown status."""
    status = str(form["status"].value() or "")
    if status not in TRANSITIONS[Status.DRAFT]:
        raise Http404
    label = (UNBLOCK if form.obj.status == Status.BLOCKED else LABELS).get(Status(status), f"Set to {status}")
    is_final = status in FINAL
    warning = f"Its leases end and its pending questions are withdrawn. {PERMANENT}" if is_final else ""
    verb, *rest = label.split(" ", 1)
    return Confirmation(
        f"{' '.join([verb, 'this intent', *rest])}?", label, warning, is_destructive=is_final, subject=form.obj.title
    )


@action("Set status", role=Role.OPERATOR, form=StatusForm, confirm=confirm_status)
def set_status(admin: Any, request: HttpRequest, intent: Intent, *, version: int, status: str, reason: str | None) -> str:
    if status not in Status.values:
        raise Invalid.field("status", "unknown status")
    _set_status(request, intent, version, status=status, reason=reason)
    return f"Status set to {status}."


def _set_status(request: HttpRequest, intent: Intent, version: int, **changes: Any) -> None:
    with _at_version(version):
        services.set_status(intent_id=intent.pk, expected_version=version, actor=actor_from_user(request), **changes)


@contextmanager
def _at_version(version: int) -> Iterator[None]:
    """Raise Declined if the person saw another version."""
    try:
        yield
    except VersionConflict as conflict:
        now = conflict.extra["current_version"]
        raise Declined(f"This intent changed since you opened it (version {version} → {now}). Nothing was saved.") from None


class AbandonForm(VersionForm):
    cascade = forms.BooleanField(required=False)
    counted = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, obj: Intent) -> None:
        super().__init__(data, obj=obj)
        self.descendants = graph.descendants(obj.pk).exclude(status__in=FINAL)
        self.count = self.descendants.count()
        self.initial["counted"] = self.count
        self.fields["cascade"].label = f"Also abandon {self.count} open descendant{'s' if self.count > 1 else ''}"
        if not self.count and not self.is_bound:
            del self.fields["cascade"]


def confirm_abandon(form: Any, _: Any) -> Confirmation:
    return Confirmation(
        "Abandon this intent?",
        "Abandon",
        f"Its leases end, its pending questions are withdrawn, and intents that depend on it stay blocked. {PERMANENT}",
        caption="Open descendants",
        names=[*form.descendants.order_by("pk").values_list("title", flat=True)[:SHOWN]],
        count=form.count,
        subject=form.obj.title,
    )


@action("Abandon", role=Role.OPERATOR, form=AbandonForm, confirm=confirm_abandon)
def abandon(
    admin: Any, request: HttpRequest, intent: Intent, *, version: int, cascade: bool, counted: str, reason: str | None
) -> str:
    """Raise Declined if the number of open descendants is no longer the one that the person saw."""
    count = graph.descendants(intent.pk).exclude(status__in=FINAL).count() if cascade else 0
    if cascade and str(count) != counted:
        raise Declined(f"The number of open descendants changed ({counted} → {count}). Nothing was abandoned.")
    _set_status(request, intent, version, status=Status.ABANDONED, reason=reason, cascade=cascade)
    return f"Abandoned, along with {count} descendant{'s' if count > 1 else ''}." if count else "Abandoned."


# --- dependencies ----------------------------------------------------------------------------------------------------


class DependencyForm(VersionForm):
    depends_on = NamedLinesField(label="Depends on", required=True, rows=2)
    field_order = ("depends_on",)

    def __init__(self, data: Any = None, *, obj: Intent) -> None:
        super().__init__(data, obj=obj)
        del self.fields["reason"]


@action(
    "Add dependency",
    role=Role.OPERATOR,
    form=DependencyForm,
    confirm=lambda form, _: Confirmation(
        "Add a dependency",
        "Add",
        "The intent is blocked until what it depends on completes.",
        is_destructive=False,
        subject=form.obj.title,
    ),
)
def depend(admin: Any, request: HttpRequest, intent: Intent, *, version: int, depends_on: list[str]) -> str:
    ids = [UUID(pk) for pk in depends_on]
    with _at_version(version):
        _, is_new = services.add_dependencies(
            intent_id=intent.pk, expected_version=version, actor=actor_from_user(request), depends_on=ids
        )
    return "Dependency added." if is_new else "It depends on that already."


class RemoveDependencyForm(VersionForm):
    dependency = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, obj: Intent) -> None:
        super().__init__(data, obj=obj)
        del self.fields["reason"]


def confirm_removal(form: ActionForm, _: Any) -> Confirmation:
    dependency = parse_id(str(form["dependency"].value() or ""))
    found = Intent.objects.filter(pk__in=[dependency] if dependency else []).values_list("title", flat=True)
    return Confirmation(
        "Remove this dependency?",
        "Remove",
        "The intent no longer waits for it.",
        names=[*found],
        count=1,
        is_destructive=False,
        subject=form.obj.title,
    )


@action("Remove dependency", role=Role.OPERATOR, form=RemoveDependencyForm, confirm=confirm_removal)
def undepend(admin: Any, request: HttpRequest, intent: Intent, *, version: int, dependency: UUID) -> str:
    with _at_version(version):
        services.remove_dependency(
            intent_id=intent.pk, dependency_id=dependency, expected_version=version, actor=actor_from_user(request)
        )
    return "Dependency removed."


# --- comments --------------------------------------------------------------------------------------------------------

MAX_COMMENT = 10_000


class CommentForm(ActionForm):
    message = forms.CharField(
        label="Comment",
        max_length=MAX_COMMENT,
        help_text="Agents get it as the event comment.",
        widget=forms.Textarea(attrs={**INPUT, "rows": 2, "maxlength": MAX_COMMENT}),
    )


@action(
    "Comment",
    role=Role.ARBITER,
    form=CommentForm,
    confirm=lambda form, _: Confirmation("Comment", "Comment", is_destructive=False, subject=form.obj.title),
)
def comment(admin: Any, request: HttpRequest, intent: Intent, *, message: str) -> HttpResponse:
    event = NewEvent("comment", {"message": message})
    services.log_events(intent_id=intent.pk, events=[event], actor=actor_from_user(request))
    messages.success(request, "The comment was added.")
    return redirect(f"{reverse('admin:intents_intent_change', args=[intent.pk])}#log")


# --- portfolios ------------------------------------------------------------------------------------------------------


@action(
    "Add to portfolio",
    role=Role.OPERATOR,
    form=AddToPortfolioForm,
    confirm=lambda form, _: Confirmation(
        "Add to a portfolio",
        "Add",
        "The status and the costs of the intent count for the portfolio from now on.",
        is_destructive=False,
        subject=form.obj.title,
    ),
)
def add_to_portfolio(admin: Any, request: HttpRequest, intent: Intent, *, portfolio_id: UUID, **given: Any) -> str:
    portfolios.add_intent_to_portfolio(portfolio_id=portfolio_id, actor=actor_from_user(request), **given)
    return "The intent was added to the portfolio."


# --- agents and leases -----------------------------------------------------------------------------------------------


class AssignForm(ActionForm):
    agent_id = forms.CharField(label="Agent", widget=forms.TextInput(attrs={**INPUT, "maxlength": 255, "autocomplete": "off"}))
    role = forms.CharField(
        label="Role",
        required=False,
        initial="worker",
        widget=forms.TextInput(attrs={**INPUT, "maxlength": 64, "autocomplete": "off"}),
    )

    def clean(self) -> dict[str, Any]:
        """Check the values as the API does."""
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        try:
            given = {"agent_id": cleaned["agent_id"], "role": cleaned["role"] or "worker"}
            return {"assignee": Assignee(**validate_data(AssignAgent, given))}
        except ValidationError as error:
            details: Any = error.detail
            raise forms.ValidationError([f"{name}: {message}" for name, texts in details.items() for message in texts]) from None


@action(
    "Assign",
    role=Role.OPERATOR,
    form=AssignForm,
    confirm=lambda form, _: Confirmation("Assign an agent", "Assign", is_destructive=False, subject=form.obj.title),
)
def assign(admin: Any, request: HttpRequest, intent: Intent, *, assignee: Assignee) -> str:
    _, is_new = services.assign_agent(intent_id=intent.pk, assignee=assignee, actor=actor_from_user(request))
    return f"{'Assigned' if is_new else 'Already assigned:'} {assignee.agent_id} as {assignee.role}."


class UnassignForm(ActionForm):
    agent_id = forms.CharField(widget=forms.HiddenInput, strip=False)


def confirm_unassign(form: ActionForm, _: Any) -> Confirmation:
    return Confirmation(
        f"Unassign {form['agent_id'].value() or ''}?",
        "Unassign",
        "The agent is notified and keeps any leases it holds.",
        is_destructive=False,
        subject=form.obj.title,
    )


@action("Unassign", role=Role.OPERATOR, form=UnassignForm, confirm=confirm_unassign)
def unassign(admin: Any, request: HttpRequest, intent: Intent, *, agent_id: str) -> str:
    services.unassign_agent(intent_id=intent.pk, agent_id=agent_id, actor=actor_from_user(request))
    return f"Unassigned {agent_id}."


class LeasesField(forms.Field):
    widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> list[Any]:
        return [pk for given in value or [] if (pk := parse_id(given))]


class RevokeForm(ReasonForm):
    lease = LeasesField(required=False)


def _held_leases(intent: Intent, selected: list[Any]) -> list[Lease]:
    """Return the selected leases that are held. Raise Declined if none is."""
    held = [*Lease.objects.held(database_now()).filter(intent=intent, pk__in=selected).order_by("pk")]
    if not held:
        raise Declined("None of the selected leases is still active." if selected else "Select at least one lease.")
    return held


def confirm_revoke(form: Any, _: Any) -> Confirmation:
    held = _held_leases(form.obj, form.fields["lease"].to_python(form["lease"].value()))
    return Confirmation(
        "Revoke lease?" if len(held) == 1 else f"Revoke {len(held)} leases?",
        "Revoke",
        "The holder loses the lease immediately: its next write with the fencing token is rejected.",
        names=[str(each) for each in held[:SHOWN]],
        count=len(held),
        subject=form.obj.title,
    )


@action("Revoke", role=Role.ARBITER, form=RevokeForm, confirm=confirm_revoke)
def revoke(admin: Any, request: HttpRequest, intent: Intent, *, lease: list[Any], reason: str | None) -> str:
    held = _held_leases(intent, lease)
    for each in held:
        revoke_lease(intent_id=intent.pk, lease_id=each.pk, actor=actor_from_user(request), reason=reason)
    return f"Revoked: {', '.join(str(each) for each in held[:SHOWN])}."


ACTIONS: dict[str, Action] = {
    "status": set_status,
    "abandon": abandon,
    "depend": depend,
    "undepend": undepend,
    "portfolio": add_to_portfolio,
    "comment": comment,
    "assign": assign,
    "unassign": unassign,
    "revoke": revoke,
}
"""Actions of an intent's page by the last part of their address."""
