"""Helpers of the tests of users: signing in, password links."""

import re
from uuid import UUID

from django.contrib.auth.models import User
from django.test import Client

from access.identity import Actor
from access.models import Role
from governance import services

PEOPLE = "auth/user"
PASSWORD = "correct horse battery"


def set_password(someone):
    someone.user.set_password(PASSWORD)
    someone.user.save()
    someone.client.force_login(someone.user)
    return someone


def superuser(person):
    """A superuser."""
    someone = person("operator", "root")
    someone.user.is_superuser = True
    return set_password(someone)


def reload_user(someone):
    return User.objects.get(pk=someone.user.pk)


def page_of(someone):
    return f"{PEOPLE}/{someone.user.pk}/change/"


def buttons(page):
    return re.findall(r'class="oi-button"[^>]*>([^<]+)</(?:button|a)>', page.text)


def link_in(page):
    return re.search(r'id="oi-secret"[^>]*value="([^"]+)"', page.text)[1].replace("&amp;", "&").removeprefix("http://testserver")


def add_user(olga, name="nina", role="viewer"):
    return link_in(olga.post(f"{PEOPLE}/add/", {"name": name, "role": role}))


def open_link(link, client=None):
    """Return the page without the token, as a browser comes to it."""
    client = client or Client()
    return client, client.get(link, follow=True)


def choose_password(client, page, password=PASSWORD, again=None):
    fields = {"new_password1": password, "new_password2": again or password}
    return client.post(page.request["PATH_INFO"], fields)


def is_signed_in(client):
    return client.get("/admin/").status_code == 200


def can_sign_in(name, password=PASSWORD):
    return Client().post("/admin/login/", {"username": name, "password": password}).status_code == 302


def rows():
    return [*User.objects.order_by("pk").values("username", "password", "is_active", "is_staff", "is_superuser", "groups")]


def user_actor(name, role=Role.ARBITER):
    """Return the actor of a signed-in person. No API key can be that actor."""
    return Actor(f"user:{name}", role=role)


def record_decision_by(name, question, decision):
    return services.record_decision(intent_id=UUID(question["intent_id"]), actor=user_actor(name), decision=decision)


def request_decision_by(name, intent, reason, *labels):
    """Return the row of a new question."""
    options = [{"label": label, "rationale": None} for label in labels]
    return services.request_arbitration(intent_id=UUID(intent["id"]), actor=user_actor(name), reason=reason, options=options)
