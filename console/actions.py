"""Verbs as actions of the console: the one way in which a page changes anything.

    @action("Revoke selected leases", least=Role.ARBITER, done="Revoked", warning="Their holders' next writes are refused.")
    def revoke(self, request: HttpRequest, lease: Lease, reason: str | None) -> None:
        services.revoke_lease(intent_id=lease.intent_id, lease_id=lease.pk, actor=actor_of(request), reason=reason)

It is written for one object, and offered for many: in lists, and on each object's own page (console.live_admin).
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.http import url_has_allowed_host_and_scheme

from access.models import Role
from access.roles import has_role
from core.errors import ProtocolError

SHOWN = 10  # Objects that a question names; the others it counts.
MAX_REASON = 1_000
CONFIRMED = "confirmed"

Verb = Callable[..., Any]
Action = Callable[[Any, HttpRequest, QuerySet[Any]], HttpResponse | None]


class Declined(Exception):
    """What the action was about is no longer as its sender saw it. Says how it is, in words for people."""


def action(
    description: str,
    *,
    least: Role,
    done: str,
    warning: str = "",
    asks_reason: bool = False,
    label: str = "",
    before: Callable[[], Any] | None = None,
    told: Callable[[ProtocolError], str] = lambda refusal: refusal.detail,
) -> Callable[[Verb], Action]:
    """Decorates a method of an admin that calls a verb for one object.

    Only people of at least that role see the action and may send it. With a `warning`, which says what cannot be undone, they
    are asked first; with `asks_reason` they may give one, which the method then takes as `reason`. `before` is called once,
    ahead of all transactions; the method takes what it answers. A refusal of the verb, or Declined, is told and undoes only what
    it was about.
    """

    def decorate(call: Verb) -> Action:
        @wraps(call)
        def run(self: Any, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
            if not has_role(request, least):
                raise PermissionDenied(f"You need the {least.value} role for this.")
            if not queryset.exists():
                messages.warning(request, "The selected items are no longer in this list. Nothing was changed.")
                return None
            if (warning or asks_reason) and CONFIRMED not in request.POST:
                return _question(self, request, queryset, run)
            given = [before()] if before else []
            if asks_reason:
                given.append(request.POST.get("reason", "").strip()[:MAX_REASON] or None)
            _each(request, queryset, lambda each: call(self, request, each, *given), done, told)
            return None

        run.short_description = description  # type: ignore[attr-defined]
        run.least, run.warning, run.asks_reason = least, warning, asks_reason  # type: ignore[attr-defined]
        run.do_not_call_in_templates = True  # type: ignore[attr-defined]
        run.label = label or description.partition(" selected ")[0]  # type: ignore[attr-defined]
        return run

    return decorate


def allowed(request: HttpRequest, chosen: Any) -> bool:
    """Whether the person may do this: an action of ours says for whom it is, others (Django's own) judge themselves."""
    least = getattr(chosen, "least", None)
    return least is None or has_role(request, least)


def way_back(request: HttpRequest) -> str | None:
    """The page of ours that the action was sent from, if it says so, and is not the list."""
    given = request.POST.get("back", "")
    return given if given.startswith("/") and url_has_allowed_host_and_scheme(given, allowed_hosts=None) else None


def _question(admin: Any, request: HttpRequest, queryset: QuerySet[Any], chosen: Any) -> HttpResponse:
    count = queryset.count()
    context = {
        **admin.admin_site.each_context(request),
        "title": chosen.short_description.replace("selected ", "") + "?",
        "opts": admin.opts,
        "chosen": chosen,
        "shown": queryset[:SHOWN],
        "count": count,
        "more": max(0, count - SHOWN),
        "back": way_back(request) or request.get_full_path(),
        "kept": [(name, value) for name in _KEPT for value in request.POST.getlist(name)],
        "confirmed": CONFIRMED,
        "max_reason": MAX_REASON,
    }
    return TemplateResponse(request, "console/confirm_action.html", context)


_KEPT = ("action", "index", "select_across", "back", ACTION_CHECKBOX_NAME)
"""What the answer sends again."""


def _each(
    request: HttpRequest, queryset: QuerySet[Any], call: Callable[[Any], Any], done: str, told: Callable[[ProtocolError], str]
) -> None:
    """Do it to each; one that is refused does not keep the others from it."""
    finished = []
    for each in queryset:
        try:
            with transaction.atomic():
                call(each)
        except ProtocolError as refusal:
            messages.error(request, f"{each}: {told(refusal)}")
        except Declined as reason:
            messages.warning(request, f"{each}: {reason}")
        else:
            finished.append(str(each))
    if finished:
        others = f" and {len(finished) - SHOWN} more" if len(finished) > SHOWN else ""
        messages.success(request, f"{done}: {', '.join(finished[:SHOWN])}{others}.")
