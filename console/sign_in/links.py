"""Sign-in links: of dev mode, which work on the server's own machine, and of `openintent-manage signinlink`. Each works once."""

from datetime import timedelta
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.models import User
from django.core.signing import BadSignature, TimestampSigner
from django.urls import reverse
from django.utils import timezone

from access.roles import grant_role
from console.models import SignInLink
from core.db import atomic_verb

DEV_OPERATOR = "operator"
LINK_LIFETIME = timedelta(minutes=10)
_dev_signer = TimestampSigner(salt="console.sign_in.views")
_command_signer = TimestampSigner(salt="console.sign_in.links.command")


class NotHere(Exception):
    """A link of dev mode was used elsewhere."""


@atomic_verb
def create_dev_link() -> str:
    """Create the operator's account without a password if it is missing, and a link for it. Return the path."""
    person, is_new = User.objects.get_or_create(username=DEV_OPERATOR)
    if is_new:
        person.set_unusable_password()
        person.save()
        grant_role(person, "operator")
    return _create_link(person, _dev_signer)


@atomic_verb
def create_command_link(person: User) -> str:
    """Create a link for the person that works wherever the console can be reached. Return the path."""
    return _create_link(person, _command_signer)


def _create_link(person: User, signer: TimestampSigner) -> str:
    SignInLink.objects.filter(created_at__lt=timezone.now() - LINK_LIFETIME).delete()
    link = SignInLink.objects.create(person=person, created_at=timezone.now())
    return reverse("admin:console_enter") + "?" + urlencode({"token": signer.sign(link.pk.hex)})


def redeem(token: str, *, is_dev_here: bool) -> SignInLink | None:
    """Use the link up. Return None if it was used, has expired or is forged.

    is_dev_here: Whether the server is in dev mode and the request comes from its own machine; else a link of dev mode raises NotHere.
    """
    pk = _read(_command_signer, token)
    if pk is None:
        pk = _read(_dev_signer, token)
        if pk and not is_dev_here:
            raise NotHere
    if pk is None:
        return None
    if not SignInLink.objects.filter(pk=pk, used_at=None, person__is_active=True).update(used_at=timezone.now()):
        return None
    return SignInLink.objects.select_related("person").get(pk=pk)


def _read(signer: TimestampSigner, token: str) -> UUID | None:
    try:
        return UUID(signer.unsign(token, max_age=LINK_LIFETIME))
    except (BadSignature, ValueError):
        return None


def announcement(site: str, path: str) -> str:
    """Return the line for the terminal."""
    return f"  Sign in   {site}{path} (valid once, for ten minutes)"
