"""Actions of the console: button, role, form, confirmation, verb, refusal and message, declared in one place.

    @action("Revoke", "Revoke selected leases", role=Role.ARBITER, done="Revoked", form=ReasonForm, warning="The holder …")
    def revoke(self, request: HttpRequest, lease: Lease, *, reason: str | None) -> None:
        services.revoke_lease(intent_id=lease.intent_id, lease_id=lease.pk, actor=actor_from_user(request), reason=reason)

An action is written for one object. Lists offer those of `ModelAdmin.actions` for the selected rows, an object's page for
that object (console.live_admin); other pages call it as a method, with the objects it is about.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.http import url_has_allowed_host_and_scheme

from access.models import Role
from access.roles import has_role
from console.drafts import FIELD as DRAFT
from core.errors import ProtocolError

SHOWN = 10  # Objects that a page or a message names; the others it counts.
MAX_REASON = 1_000
CONFIRMED = "confirmed"
INPUT = {"class": "oi-input"}
"""Attributes of a form's fields."""

_NOUNS = {"subscription": "webhook", "user": "person"}
"""What the console calls a model, where that is not the model's name."""

_RESENT = ("action", "index", "select_across", "back", DRAFT, ACTION_CHECKBOX_NAME)
"""Parameters of the list's form that the confirmation sends again."""

Objects = QuerySet[Any] | Sequence[Any]
Page = Callable[[Any, HttpRequest, Any, "ActionForm", ProtocolError | None], HttpResponse]


class Declined(Exception):
    """The object is no longer as the person saw it. Its text says so."""


class ActionForm(forms.Form):
    """A form of an action. `obj` is the object it is about, None if there are several or none yet."""

    def __init__(self, data: Any = None, *, obj: Any = None) -> None:
        super().__init__(data, auto_id="%s")
        self.obj = obj

    def refuse(self, refusal: ProtocolError) -> None:
        """Show why a verb has refused the values."""
        self.add_error(None, refusal.detail)

    @property
    def problems(self) -> list[str]:
        """Errors that stand at no visible field."""
        hidden = [f"{each.name}: {error}" for each in self.hidden_fields() for error in each.errors]
        return [*self.non_field_errors(), *hidden]


class OptionalText(forms.CharField):
    """A text of up to MAX_REASON characters; None if it is empty."""

    def clean(self, value: Any) -> str | None:
        return super().clean(value)[:MAX_REASON] or None


class ReasonForm(ActionForm):
    reason = OptionalText(
        label="Reason",
        help_text="Visible in the event log.",
        required=False,
        widget=forms.Textarea(attrs={**INPUT, "rows": 3, "maxlength": MAX_REASON}),
    )


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The texts of a confirmation. `names` are those of the first objects concerned, below `caption`; `count` is that of all."""

    title: str
    label: str
    warning: str = ""
    caption: str = ""
    names: Sequence[str] = ()
    count: int = 0
    is_destructive: bool = True
    subject: str = ""

    @property
    def more(self) -> int:
        return max(0, self.count - len(self.names))


@dataclass(frozen=True, eq=False)
class Action:
    """A verb that people call, as `action` describes it. Django takes it as an action of a list."""

    perform: Callable[..., Any]
    label: str
    short_description: str
    _: KW_ONLY
    role: Role
    done: str = ""
    warning: str = ""
    form: type[ActionForm] = ActionForm
    confirm: Callable[[Any, Objects], Confirmation] | None = None
    page: Page | None = None
    template: str = "console/confirm_action.html"
    prepare: Callable[[], Mapping[str, Any]] = field(default=dict)
    refusal_text: Callable[[ProtocolError], str] = lambda refusal: refusal.detail

    do_not_call_in_templates: ClassVar[bool] = True

    @property
    def __name__(self) -> str:
        return self.perform.__name__

    def __get__(self, admin: Any, owner: type | None = None) -> Any:
        return self if admin is None else partial(self, admin)

    def __call__(self, admin: Any, request: HttpRequest, objects: Objects) -> HttpResponse | None:
        """Show the form or the confirmation, or call the verb for each object. None: the caller redirects.

        Raise PermissionDenied if the role is too low.
        """
        if not has_role(request, self.role):
            raise PermissionDenied(f"You need the {self.role.value} role for this.")
        if not objects:
            messages.warning(request, "The selected items are no longer in this list. Nothing was changed.")
            return None
        obj = objects[0] if _count(objects) == 1 else None
        asks = self.warning or self.confirm or self.form.base_fields
        is_sent = request.method == "POST" and bool(self.page or not asks or CONFIRMED in request.POST)
        form = self.form(request.POST if is_sent else None, obj=obj)
        try:
            if not is_sent:
                for name, each in form.fields.items():  # Values that the button sent along.
                    if name in request.POST:
                        is_list = isinstance(each.widget, forms.MultipleHiddenInput)
                        form.initial[name] = request.POST.getlist(name) if is_list else request.POST[name]
            if not is_sent or not form.is_valid():
                return self._ask(admin, request, objects, form, obj)
            return self._perform_each(admin, request, objects, form)
        except Declined as reason:
            messages.warning(request, str(reason))
            return None

    def _ask(self, admin: Any, request: HttpRequest, objects: Objects, form: ActionForm, obj: Any) -> HttpResponse:
        if self.page:
            return self.page(admin, request, obj, form, None)
        if self.confirm:
            confirmation = self.confirm(form, objects)
        else:
            count = _count(objects)
            noun = _NOUNS.get(str(admin.opts.verbose_name), admin.opts.verbose_name)
            question = re.sub(r"selected (API keys|\w+)", f"this {noun}" if count == 1 else r"\1", self.short_description)
            confirmation = Confirmation(
                title=f"{question}?",
                label=f"{self.label} {count}" if count > 1 else self.label,
                warning=self.warning,
                names=[str(each) for each in objects[:SHOWN]],
                count=count,
                is_destructive=bool(self.warning),
            )
        context = {
            **admin.admin_site.each_context(request),
            "title": confirmation.title,
            "opts": admin.opts,
            "confirmation": confirmation,
            "objects": objects,
            "form": form,
            "resent": [(name, value) for name in _RESENT for value in request.POST.getlist(name)],
            "back": admin.cancel_url(request, obj),
            "confirmed": CONFIRMED,
        }
        return TemplateResponse(request, self.template, context)

    def _perform_each(self, admin: Any, request: HttpRequest, objects: Objects, form: ActionForm) -> HttpResponse | None:
        """Call the verb for each object. A refusal of one leaves the others alone."""
        values = {**self.prepare(), **form.cleaned_data}
        finished = []
        for obj in objects:
            name = f"{obj}: " if self.done else ""
            try:
                with transaction.atomic():
                    result = self.perform(admin, request, obj, **values)
            except Declined as reason:
                messages.warning(request, f"{name}{reason}")
            except ValidationError as error:
                form.add_error(None, error)
                return self._ask(admin, request, objects, form, obj)
            except ProtocolError as refusal:
                if self.page:
                    return self.page(admin, request, obj, form, refusal)
                messages.error(request, f"{name}{self.refusal_text(refusal)}")
            else:
                if isinstance(result, HttpResponse):
                    return result
                finished.append(result or str(obj))
        if finished:
            others = f" and {len(finished) - SHOWN} more" if len(finished) > SHOWN else ""
            done = ", ".join(finished[:SHOWN]) + others
            messages.success(request, f"{self.done}: {done}." if self.done else done)
        return None


def action(label: str, description: str = "", **options: Any) -> Callable[[Callable[..., Any]], Action]:
    """Decorate a method of an admin that calls a verb for one object, with the values of the form as keyword arguments.

    label: The text of the button; `description` is its text in the menu of a list, where it has one.
    role: The lowest role that sees the action and may send it.
    done: Past participle of the message, followed by the objects' names. Without it the method returns the message.
    warning: What cannot be undone. An action with a warning, a form or `confirm` asks first.
    form: Its fields are asked for in the confirmation.
    confirm: Return the Confirmation for the form, whose `obj` is a single object, and the objects.
    template: The template of the confirmation.
    page: Render the form on a page of the caller's own, without a confirmation; called again with the refusal, if there is one.
    prepare: Return more keyword arguments, computed once before any transaction.
    refusal_text: Return the text of a refusal.

    The method may return an HttpResponse, which is shown instead of a message, and raise Declined, or ValidationError about the form.
    """
    return lambda perform: Action(perform, label, description, **options)


def is_allowed(request: HttpRequest, chosen: Any) -> bool:
    """Return whether the person may call the action. Django's own actions check permissions themselves."""
    return not isinstance(chosen, Action) or has_role(request, chosen.role)


def return_url(request: HttpRequest) -> str | None:
    """Return the path of the page that sent the action, if it names itself and is not the list."""
    given = request.POST.get("back", "")
    return given if given.startswith("/") and url_has_allowed_host_and_scheme(given, allowed_hosts=None) else None


def _count(objects: Objects) -> int:
    return objects.count() if isinstance(objects, QuerySet) else len(objects)
