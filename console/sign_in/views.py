"""Sign-in: by the form, or by a link that works once (console.sign_in.links).

console.sign_in.passwords has the links to set a password.
"""

import sys
from datetime import timedelta
from math import ceil
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME, login
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from unfold.forms import AuthenticationForm

from access.audit_log import record
from access.loopback import remote_origin_reason
from console.sign_in import links, throttle
from core.serving.client_address import client_address

BACKEND = "django.contrib.auth.backends.ModelBackend"
MAX_PAGE = 2_000  # Characters of an address that a browser keeps.
_PAGE_COOKIE = f"{settings.COOKIE_PREFIX}openintent-page"


class SignInForm(AuthenticationForm):
    """Name and password, throttled. Each attempt is a line of the server's log."""

    error_messages = {**AuthenticationForm.error_messages, "invalid_login": "Incorrect username or password."}

    def clean(self) -> dict[str, Any]:
        username, address = str(self.cleaned_data.get("username", "")), client_address(self.request)
        if not username or not self.cleaned_data.get("password"):
            return self.cleaned_data  # Nothing to compare: the fields say what is missing.
        try:
            attempt = throttle.count_attempt(username, address)
        except throttle.TooManyAttempts as refusal:
            record_attempt("sign_in_throttled", username, self.request.META["REMOTE_ADDR"])
            raise ValidationError(f"Too many sign-in attempts. Try again in {format_wait(refusal.wait)}.", "throttled") from None
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError:
            record_attempt("sign_in_failed", username, self.request.META["REMOTE_ADDR"])
            raise
        throttle.refund_attempt(attempt)
        throttle.remember_network(attempt)
        record_sign_in(self.request, self.get_user(), by="password")
        SessionStore.clear_expired()
        return cleaned


def record_sign_in(request: HttpRequest, person: AbstractBaseUser, *, by: str) -> None:
    name = f"user:{person.get_username()}"
    record("signed_in", actor=name, subject=name, by=by, address=request.META["REMOTE_ADDR"])


def record_attempt(done: str, username: str, address: str) -> None:
    """Log the result of an attempt. Names without an account are left out: people type passwords into the wrong field."""
    is_known = User.objects.filter(username=username).exists()
    repeats = timedelta(minutes=1) if done.endswith("_throttled") else None
    subject = f"user:{username}" if is_known else "unknown"
    record(done, actor="unknown", subject=subject, at_most_every=repeats, address=address)


def can_anyone_sign_in() -> bool:
    """Return whether an account can sign in by the form."""
    return User.objects.filter(is_active=True, is_staff=True).exclude(password__startswith="!").exists()


@never_cache
@require_GET
def use_sign_in_link(request: HttpRequest) -> HttpResponse:
    """Sign in by the link of the query, or redirect to the form."""
    if request.headers.get("Sec-Purpose", "").startswith("prefetch"):  # A browser that looks ahead would use it up.
        return HttpResponse(status=503)
    try:
        link = links.redeem(request.GET.get("token", ""), is_dev_here=is_dev_here(request))
    except links.NotHere:
        return _redirect_to_form(request, "Sign-in links of the terminal only work in dev mode, on the server's own machine.")
    if link is None:
        hint = (
            ""
            if is_dev_here(request)
            else " Someone with access to the server can create a new one: openintent-manage signinlink."
        )
        return _redirect_to_form(request, f"This sign-in link was already used or has expired.{hint}")
    login(request, link.person, backend=BACKEND)
    record_sign_in(request, link.person, by="sign-in link")
    response = redirect(_asked_page(request.COOKIES.get(_PAGE_COOKIE)) or "admin:index")
    forget_page(response)
    return response


@never_cache
@require_POST
def print_sign_in_link(request: HttpRequest) -> HttpResponse:
    """Print a new link of dev mode to the server's terminal: the page, which any local program can ask for, never has it."""
    if not is_dev_here(request):
        return _redirect_to_form(request, "Sign-in links of the terminal only work in dev mode, on the server's own machine.")
    address = client_address(request)
    try:
        throttle.count_attempt(f"{links.DEV_OPERATOR} by sign-in link", address)
    except throttle.TooManyAttempts as refusal:
        return _redirect_to_form(request, f"Too many links were printed. Try again in {format_wait(refusal.wait)}.")
    site = f"{request.scheme}://{request.get_host()}"
    sys.stderr.write(f"{links.announcement(site, links.create_dev_link())}\n")
    sys.stderr.flush()
    record("sign_in_link_printed", actor="unknown", subject=f"user:{links.DEV_OPERATOR}", address=address)
    if not request.user.is_authenticated:
        messages.success(request, "A new sign-in link is in the server's terminal. It works once, for ten minutes.")
    return _sign_in_page(request)


def is_dev_here(request: HttpRequest) -> bool:
    """Return whether the server is in dev mode and the request comes from its own machine."""
    return settings.DEV_MODE and not remote_origin_reason(request.META)


def sign_in_help(request: HttpRequest) -> dict[str, bool]:
    """Return what the sign-in page says to people without an account."""
    return {"is_dev_here": is_dev_here(request), "can_anyone_sign_in": can_anyone_sign_in()}


def _redirect_to_form(request: HttpRequest, said: str) -> HttpResponse:
    if not request.user.is_authenticated:
        messages.warning(request, said)
        return _sign_in_page(request)
    return redirect("admin:index")


def remember_page(request: HttpRequest, response: HttpResponse) -> None:
    """Have the browser keep the page that the sign-in page was opened for, until a sign-in link is used in it."""
    if page := _asked_page(request.GET.get(REDIRECT_FIELD_NAME)):
        response.set_cookie(
            _PAGE_COOKIE,
            page,
            max_age=links.LINK_LIFETIME,
            path=settings.SESSION_COOKIE_PATH,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",  # The link comes from a terminal or a mail.
        )


def forget_page(response: HttpResponse) -> None:
    response.delete_cookie(_PAGE_COOKIE, path=settings.SESSION_COOKIE_PATH, samesite="Lax")


def _asked_page(given: str | None) -> str | None:
    """Return the path of a page of the console. None: it is anything else, as on another site."""
    if not given or not given.isascii() or not given.isprintable() or len(given) > MAX_PAGE:
        return None
    is_ours = given.startswith(reverse("admin:index")) and url_has_allowed_host_and_scheme(given, allowed_hosts=None)
    return given if is_ours else None


def _sign_in_page(request: HttpRequest) -> HttpResponse:
    """Redirect to the form, which leads on to the page that the person has asked for."""
    page = _asked_page(request.COOKIES.get(_PAGE_COOKIE))
    return redirect(reverse("admin:login") + (f"?{urlencode({REDIRECT_FIELD_NAME: page})}" if page else ""))


def format_wait(wait: timedelta) -> str:
    seconds = ceil(wait.total_seconds())
    if seconds > 90:
        return f"{ceil(seconds / 60)} minutes"
    return f"{seconds} second{'s' if seconds > 1 else ''}"
