"""Passwords: set by a link from an operator, changed in the menu."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import login
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import password_validators_help_texts
from django.contrib.auth.tokens import default_token_generator
from django.contrib.auth.views import INTERNAL_RESET_SESSION_TOKEN, PasswordChangeView, PasswordResetConfirmView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse, reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.views.decorators.cache import never_cache
from unfold.widgets import BASE_INPUT_CLASSES

from access import user_services
from console.sign_in import throttle
from console.sign_in.views import BACKEND, format_wait, record_attempt, record_sign_in
from core.serving.client_address import client_address

LINK_LIFETIME = timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)


def password_link(person: User) -> str:
    """Return the path of the page where the person sets their password: valid once, for LINK_LIFETIME, until their next sign-in.

    The token stands in the query, which the request log leaves out.
    """
    path = reverse("admin:console_choose_password", args=[urlsafe_base64_encode(force_bytes(person.pk))])
    return f"{path}?{urlencode({'token': default_token_generator.make_token(person)})}"


def _style_fields(form: SetPasswordForm, classes: str) -> None:
    first, again = form.fields["new_password1"], form.fields["new_password2"]
    first.help_text, again.help_text = " ".join(password_validators_help_texts()), ""
    first.label, again.label = "New password", "Confirm new password"
    for field in form.fields.values():
        field.widget.attrs["class"] = classes


class ChoosePasswordForm(SetPasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _style_fields(self, " ".join(BASE_INPUT_CLASSES))
        self.fields["new_password1"].widget.attrs["autofocus"] = True


class ChangePasswordForm(PasswordChangeForm):
    """Guesses of the current password are throttled as at signing in: an open session does not help to find it."""

    error_messages = {**PasswordChangeForm.error_messages, "password_incorrect": "The current password is incorrect."}

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.address, self.counted_address = request.META["REMOTE_ADDR"], client_address(request)
        self.fields["old_password"].label = "Current password"
        _style_fields(self, "oi-input")

    def clean_old_password(self) -> str:
        name = self.user.get_username()
        try:
            attempt = throttle.count_attempt(name, self.counted_address)
        except throttle.TooManyAttempts as refusal:
            user_services.record_password_change(self.user, "password_change_throttled", address=self.address)
            raise ValidationError(f"Too many attempts. Try again in {format_wait(refusal.wait)}.", "throttled") from None
        try:
            given: str = super().clean_old_password()
        except ValidationError:
            user_services.record_password_change(self.user, "password_change_failed", address=self.address)
            raise
        throttle.refund_attempt(attempt)
        return given


class FirstPasswordForm(ChangePasswordForm):
    """For people who signed in by a link and have no password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["old_password"]


class ChoosePasswordView(PasswordResetConfirmView):
    """The page of a password link. The token moves into the session, so that no URL carries it further."""

    form_class = ChoosePasswordForm
    template_name = "console/sign_in/choose_password.html"

    @method_decorator(never_cache)
    def dispatch(self, request: HttpRequest, uidb64: str) -> HttpResponseBase:
        token = request.GET.get("token")
        if token is None:
            return super().dispatch(request, uidb64=uidb64, token=self.reset_url_token)
        try:
            attempt = throttle.count_attempt(f"link of {uidb64}", client_address(request))
        except throttle.TooManyAttempts as refusal:
            self._note("link_throttled", uidb64)
            self.user, self.validlink = None, False
            response: HttpResponseBase = self.render_to_response(
                self.get_context_data(wait=format_wait(refusal.wait)), status=429
            )
        else:
            response = super().dispatch(request, uidb64=uidb64, token=token)
            if response.status_code == 302:  # The token is valid: to the page without it.
                throttle.refund_attempt(attempt)
            else:
                self._note("link_failed", uidb64)
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    def _note(self, done: str, uidb64: str) -> None:
        person = super().get_user(uidb64)
        record_attempt(done, person.get_username() if person else "", self.request.META["REMOTE_ADDR"])

    def get_user(self, uidb64: str) -> User | None:
        person = super().get_user(uidb64)
        return person if person and person.is_active else None

    def form_valid(self, form: SetPasswordForm) -> HttpResponse:
        before = form.user.password
        if not user_services.set_password(form.save(commit=False), before=before, address=self.request.META["REMOTE_ADDR"]):
            self.validlink = False
            return self.render_to_response(self.get_context_data())
        self.request.session.pop(INTERNAL_RESET_SESSION_TOKEN, None)
        login(self.request, form.user, backend=BACKEND)
        record_sign_in(self.request, form.user, by="password link")
        messages.success(self.request, "Password set. You are signed in.")
        return redirect("admin:index")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        title = "Set password" if self.validlink else "Invalid link"
        return {
            **admin.site.each_context(self.request),
            **super().get_context_data(**kwargs),
            "title": title,
            "person": self.user,
        }

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        return super().render_to_response(context, **{"status": 200 if self.validlink else 404, **kwargs})


class ChangePasswordView(PasswordChangeView):
    """The page to change the own password; people who came by a sign-in link and have none set one. All other sessions end."""

    template_name = "console/sign_in/change_password.html"
    success_url = reverse_lazy("admin:index")

    def get_form_class(self) -> type[ChangePasswordForm]:
        return ChangePasswordForm if self._has_password() else FirstPasswordForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        title = "Change password" if self._has_password() else "Set password"
        return {
            **admin.site.each_context(self.request),
            **super().get_context_data(**kwargs),
            "title": title,
            "content_title": title,
        }

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "request": self.request}

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        said = "Password changed." if self._has_password() else "Password set: you can sign in with it from now on."
        user_services.record_password_change(form.user, address=self.request.META["REMOTE_ADDR"])
        messages.success(self.request, f"{said} You were signed out everywhere else.")
        return super().form_valid(form)

    def _has_password(self) -> bool:
        return bool(self.request.user.has_usable_password())  # type: ignore[union-attr]  # The site admits nobody unknown.
