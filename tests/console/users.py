"""What the tests of people share: somebody who can sign in, and what a link leads to."""

import re
from uuid import UUID

from django.contrib.auth.models import User
from django.test import Client

from access.identity import Actor
from access.models import Role
from governance import services

PEOPLE = "auth/user"
PASSWORD = "correct horse battery"


def with_password(someone):
    someone.user.set_password(PASSWORD)
    someone.user.save()
    someone.client.force_login(someone.user)
    return someone


def root(person):
    """A superuser."""
    someone = person("operator", "root")
    someone.user.is_superuser = True
    return with_password(someone)


def now(someone):
    return User.objects.get(pk=someone.user.pk)


def page_of(someone):
    return f"{PEOPLE}/{someone.user.pk}/change/"


def buttons(page):
    return re.findall(r'class="oi-button"[^>]*>([^<]+)</(?:button|a)>', page.text)


def link_in(page):
    return re.search(r'id="oi-secret"[^>]*value="([^"]+)"', page.text)[1].replace("&amp;", "&").removeprefix("http://testserver")


def added(olga, name="nina", role="viewer"):
    return link_in(olga.post(f"{PEOPLE}/add/", {"name": name, "role": role}))


def opened(link, client=None):
    """The page without the token, as a browser comes to it."""
    client = client or Client()
    return client, client.get(link, follow=True)


def chosen(client, page, password=PASSWORD, again=None):
    fields = {"new_password1": password, "new_password2": again or password}
    return client.post(page.request["PATH_INFO"], fields)


def is_in(client):
    return client.get("/admin/").status_code == 200


def can_sign_in(name, password=PASSWORD):
    return Client().post("/admin/login/", {"username": name, "password": password}).status_code == 302


def rows():
    return [*User.objects.order_by("pk").values("username", "password", "is_active", "is_staff", "is_superuser", "groups")]


def as_person(name, role=Role.ARBITER):
    """The actor that somebody signed in is; no key of the API can be."""
    return Actor(f"user:{name}", role=role)


def decided_by(name, question, decision):
    return services.record_decision(intent_id=UUID(question["intent_id"]), actor=as_person(name), decision=decision)


def asked_by(name, intent, reason, *labels):
    """The question's row."""
    options = [{"label": label, "rationale": None} for label in labels]
    return services.request_arbitration(intent_id=UUID(intent["id"]), actor=as_person(name), reason=reason, options=options)
