"""Sign-in: by the form, or in development mode by a link that works once, on the same machine.

console.sign_in.passwords has the links to set a password.
"""

from datetime import timedelta
from math import ceil
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import ValidationError
from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from unfold.forms import AuthenticationForm

from access.audit_log import record
from access.loopback import remote_origin_reason
from access.roles import grant_role
from console.models import SignInLink
from console.sign_in import throttle
from core.db import atomic_verb
from core.serving.client_address import client_address

DEV_OPERATOR = "operator"
LINK_LIFETIME = timedelta(minutes=10)
BACKEND = "django.contrib.auth.backends.ModelBackend"
_signer = TimestampSigner(salt="console.sign_in.views")


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
    record(done, actor="unknown", subject=f"user:{username}" if is_known else "unknown", address=address)


def can_anyone_sign_in() -> bool:
    """Return whether an account can sign in by the form."""
    return User.objects.filter(is_active=True, is_staff=True).exclude(password__startswith="!").exists()


@atomic_verb
def create_sign_in_link() -> str:
    """Create the operator's account without a password if it is missing, and a link for it. Return the path."""
    person, is_new = User.objects.get_or_create(username=DEV_OPERATOR)
    if is_new:
        person.set_unusable_password()
        person.save()
        grant_role(person, "operator")
    SignInLink.objects.filter(created_at__lt=timezone.now() - LINK_LIFETIME).delete()
    link = SignInLink.objects.create(person=person, created_at=timezone.now())
    return reverse("admin:console_enter") + "?" + urlencode({"token": _signer.sign(link.pk.hex)})


@never_cache
@require_GET
def use_sign_in_link(request: HttpRequest) -> HttpResponse:
    """Sign in by the link of the query, or redirect to the form."""
    if request.headers.get("Sec-Purpose", "").startswith("prefetch"):  # A browser that looks ahead would use it up.
        return HttpResponse(status=503)
    if not settings.DEV_MODE or remote_origin_reason(request.META):
        return _redirect_to_form(request, "Sign-in links only work in dev mode, on the server's own machine.")
    link = _redeem(request.GET.get("token", ""))
    if link is None:
        return _redirect_to_form(
            request, "This sign-in link was already used or has expired. Restart the server for a new one, or sign in here."
        )
    login(request, link.person, backend=BACKEND)
    record_sign_in(request, link.person, by="sign-in link")
    return redirect("admin:index")


def _redeem(token: str) -> SignInLink | None:
    try:
        pk = UUID(_signer.unsign(token, max_age=LINK_LIFETIME))
    except (BadSignature, ValueError):
        return None
    if not SignInLink.objects.filter(pk=pk, used_at=None, person__is_active=True).update(used_at=timezone.now()):
        return None
    return SignInLink.objects.select_related("person").get(pk=pk)


def _redirect_to_form(request: HttpRequest, said: str) -> HttpResponse:
    if not request.user.is_authenticated:
        messages.warning(request, said)
        return redirect("admin:login")
    return redirect("admin:index")


def format_wait(wait: timedelta) -> str:
    seconds = ceil(wait.total_seconds())
    if seconds > 90:
        return f"{ceil(seconds / 60)} minutes"
    return f"{seconds} second{'s' if seconds > 1 else ''}"
