"""Drafts of forms: the browser keeps what was typed until the server has recorded it, once (console/static/console/drafts.js)."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

FIELD = "draft"
"""The field with the id of a draft. A confirmation sends that of the form before it as well."""

RECORDED = "recorded_drafts"
KEPT = 20  # Ids that a session remembers.
LENGTH = 40  # Of an id.


@never_cache
@require_GET
def session_state(request: HttpRequest) -> HttpResponse:
    """Return who is signed in, and a token for their forms; 401 if nobody is. A form asks before it is sent."""
    if not admin.site.has_permission(request):
        return JsonResponse({}, status=401)
    return JsonResponse({"user": str(request.user.pk), "csrf_token": get_token(request)})


def recorded_drafts(request: HttpRequest) -> str:
    """Return the ids of the drafts that were recorded last, which the browser then drops."""
    return " ".join(request.session.get(RECORDED, ()))


def record_once(view: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a view: a draft that it has recorded in this session is not recorded again."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        ids = [each[:LENGTH] for each in request.POST.getlist(FIELD)] if request.method == "POST" else []
        if not ids:
            return view(request, *args, **kwargs)
        if {*ids} & {*request.session.get(RECORDED, ())}:
            messages.info(request, "This was recorded already, and is not recorded again.")
            return redirect(request.get_full_path())
        response = view(request, *args, **kwargs)
        if _has_recorded(request, response):
            request.session[RECORDED] = [*request.session.get(RECORDED, ()), *ids][-KEPT:]
        return response

    return wrapped


def _has_recorded(request: HttpRequest, response: Any) -> bool:
    """Return whether the response shows or leads to a result, and neither to the form again nor to a refusal alone."""
    if not isinstance(response, HttpResponseRedirect):
        return response.status_code == 200 and "form" not in (getattr(response, "context_data", None) or {})
    told: Any = messages.get_messages(request)
    levels = {each.level for each in told}
    told.used = False  # They are for the next page.
    return not levels or messages.SUCCESS in levels
