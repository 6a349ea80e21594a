"""People of each role, signed in."""

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from access.roles import grant_role
from tests.console.users import set_password
from tests.subscriptions.webhook_receivers import Receiver, subscribe


class Person:
    """A person with a browser."""

    def __init__(self, name, role, **client):
        self.user = User.objects.create_user(name)
        if role:
            grant_role(self.user, role)
        self.client = Client(**client)
        self.client.force_login(self.user)

    def get(self, path, query=None):
        return self.client.get(f"/admin/{path}", query)

    def post(self, path, fields=None, *, follow=False):
        with transaction.atomic():  # A test is one transaction: what a refusal undoes must end at its own request.
            return self.client.post(f"/admin/{path}", fields or {}, follow=follow)

    def queries(self, path, query=None):
        """Return the number of queries of the page, once the caches of the process are filled."""
        self.get(path, query)
        with CaptureQueriesContext(connection) as found:
            assert self.get(path, query).status_code == 200
        return len(found)

    def act(self, model, name, *ids, **fields):
        """Send the action as the list's form does, with what its question asks for."""
        sent = {"action": name, "index": 0, "_selected_action": [*ids], "confirmed": "yes", **fields}
        return self.post(f"{model}/", sent, follow=True)


@pytest.fixture
def person(db):
    """`person("arbiter")`: somebody of that role, or of none."""
    return lambda role=None, name="grace", **client: Person(name, role, **client)


@pytest.fixture
def quick_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def olga(quick_passwords, person):
    """An operator who can sign in."""
    return set_password(person("operator", "olga"))


@pytest.fixture
def vera(quick_passwords, person):
    """A viewer who can sign in."""
    return set_password(person("viewer", "vera"))


@pytest.fixture
def ask(agent, make_intent):
    """`ask("May I?", options=["Yes", "No"])`: a question of ada's about an intent of its own."""

    def asked(reason, *, by="ada", intent=None, **fields):
        intent = intent or make_intent(title=f"About: {reason}", state={"checked": 1})
        response = agent(by).post(f"/intents/{intent['id']}/arbitrate", {"reason": reason, **fields})
        assert response.status_code == 201, response.json()
        return response.json()

    return asked


@pytest.fixture
def receiver():
    with Receiver() as running:
        yield running


@pytest.fixture
def pager(api, intent, receiver):
    """A webhook of the test's own `intent`."""
    return subscribe(api, intent, receiver, subscriber_id="pager")
