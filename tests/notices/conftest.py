"""Fixtures and helpers of the tests of channels and notices."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from access.roles import grant_role
from notices.delivery_worker import send_all_due
from notices.models import Notice
from tests.conftest import Caller
from tests.notices.smtp_server import MailServer
from tests.subscriptions.webhook_receivers import LONG_AGO, Receiver

PUBLIC_URL = "https://oi.example"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def mail_server(settings: Any) -> Iterator[MailServer]:
    """A mail server that the settings name."""
    with MailServer() as running:
        settings.EMAIL_BACKEND = "notices.mail.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", running.port
        yield running


@pytest.fixture(autouse=True)
def _public_url(settings: Any) -> None:
    settings.PUBLIC_URL = PUBLIC_URL


@pytest.fixture
def person(db: None) -> Callable[..., User]:
    """`person("ada", role="arbiter", email="ada@example.com", group="ops")`: an account."""

    def make(name: str, *, role: str = "arbiter", email: str = "", group: str | None = None) -> User:
        made = User.objects.create_user(name, email=email)
        grant_role(made, role)
        if group:
            made.groups.add(Group.objects.get_or_create(name=group)[0])
        return made

    return make


@pytest.fixture
def asker(agent: Callable[[str], Caller]) -> Caller:
    return agent("deploy-bot")


@pytest.fixture
def intent(make_intent: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    return make_intent(title="Ship the order")


def make_channel(api: Caller, target: Any, kind: str = "webhook", **fields: Any) -> dict[str, Any]:
    """A channel, to a receiver or any other target."""
    url = target.url if isinstance(target, Receiver) else target
    response = api.post("/channels", {"name": "Team", "kind": kind, "target": url, **fields})
    assert response.status_code == 201, response.json()
    return response.json()  # type: ignore[no-any-return]


def ask(caller: Caller, intent: dict[str, Any], reason: str = "May I deploy?", **fields: Any) -> dict[str, Any]:
    response = caller.post(f"/intents/{intent['id']}/arbitrate", {"reason": reason, **fields})
    assert response.status_code == 201, response.json()
    return response.json()  # type: ignore[no-any-return]


def notices(api: Caller, asked: dict[str, Any] | None = None, **query: Any) -> list[dict[str, Any]]:
    """Those of a question, or all; the oldest first."""
    path = f"/arbitrations/{asked['id']}/notices" if asked else "/notices"
    response = api.get(path, **query)
    assert response.status_code == 200, response.json()
    return sorted(response.json()["notices"], key=lambda each: each["id"])


def send_later() -> int:
    """Send what waits for its time as if that had come."""
    Notice.objects.filter(status="pending", next_attempt_at__isnull=False).update(next_attempt_at=LONG_AGO)
    return send_all_due()
