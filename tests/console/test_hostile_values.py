"""Hostile values: every URL and form of the console responds without a 5xx, and internal errors are logged."""

import logging
from collections import Counter
from urllib.parse import quote
from uuid import uuid4

import orjson
import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import transaction
from django.urls import reverse

from console.agents import pages
from console.audit.entries import PARAMETERS as AUDIT
from console.costs.report import PARAMETERS
from console.demo import bulk
from core.log_formatters import JSONFormatter
from tests.console.routes import ROUTES, fill_route, newest_ids
from tests.system.concurrent_clients import FULL

VALUES = [
    "", "zzz", "x", "-1", "0", "1.5", "99999", "9" * 30, "9" * 5000, "\0", "a\0b", "%FF", "%ed%a0%80", "'", '"', "%", "\\", "(", "^(a+)+$",
    "null", "None", "[]", "{}", "all", "true", "\u202e", "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    "0001-01-01", "9999-12-31", "2026-02-30", "2026-01-01T00:00:00+99:99", "a " * 3000, "a" * 9000, "//evil.test", "../../etc/passwd",
    str(uuid4()), str(uuid4()).upper(), f"{{{uuid4()}}}", "<script>", "{{ 7*7 }}",
]  # fmt: skip
"""What stands for itself is percent-encoded; `%FF` and `%ed%a0%80` are sent as they are, and are no UTF-8."""

NAMES = [
    "q", "p", "o", "e", "all", "panels", "state", "status", "status__exact", "role", "kind", "intent", "portfolio", "agent", "root", "parent",
    "needed_by", "waits_for", "type", "actor", "before", "version", "versions", "at", "period", "from", "until", "unit", "page", "s", "extended",
    "next", "token", "_to_field", "_popup", "_changelist_filters", "id__exact", "title__regex",
]  # fmt: skip

FIELDS = [
    "action", "index", "select_across", "back", "_selected_action", "confirmed", "reason", "version", "status", "counted", "agent_id", "role",
    "lease", "cascade", "decision", "rationale", "source_1", "summary_1", "label", "name", "lasts", "last_day", "overlap", "username", "password",
    "old_password", "new_password1", "new_password2", "next", "title", "state", "constraints", "assign", "parent_intent_id", "depends_on",
    "needed_by", "deadline", "max_cost", "message", "dependency", "callback_url", "event_types", "expires_at", "intent_id", "priority",
    "auto_complete_threshold", "shared_constraints", "delegate", "actions", "intents", "portfolios",
]  # fmt: skip

FORM, PARTS = "application/x-www-form-urlencoded", "multipart/form-data"
BODIES = [
    ("a=%FF&%FF=b&a", FORM), ("\0", FORM), ("a=" + "b" * 100_000, FORM), ("{}", "application/json"), ("zzz", PARTS),
    ("--x\r\n", f"{PARTS}; boundary=x"), ("--x\r\nContent-Disposition: form-data; name=a\r\n\r\n\xff\r\n--x--\r\n", f"{PARTS}; boundary=x"),
]  # fmt: skip

pytestmark = [pytest.mark.case("security M6"), pytest.mark.full]


@pytest.fixture
def example(db, settings, tmp_path, monkeypatch):
    backend = {"BACKEND": "attachments.storage.FolderStorage", "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "attachments": backend}
    monkeypatch.setattr(bulk, "SAMPLES", 1)
    call_command("demo", "--intents", "0")
    return newest_ids()


@pytest.fixture
def asked(person):
    """Return `asked(role)`, which sends requests as a person of that role and counts the statuses; a failure is a response as well."""

    class Asked:
        def __init__(self, role):
            self.client = person(role, role).client
            self.client.raise_request_exception = False
            self.statuses, self.failed = Counter(), []

        def send(self, method, url, **given):
            with transaction.atomic():  # A test is one transaction: what a refusal undoes must end at its own request.
                response = getattr(self.client, method)(url, **given)
                b"".join(response) if response.streaming else response.content
                transaction.set_rollback(True)
            self.statuses[response.status_code] += 1
            if response.status_code >= 500:
                self.failed.append((method, url[:200], str(given)[:200]))
            return response.status_code

    return Asked


def encoded(value):
    return value if value in ("%FF", "%ed%a0%80") else quote(value, safe="")


def some(number, role):
    every = 1 if FULL else 5 if role == "operator" else 10
    return VALUES[number % every :: every]


@pytest.mark.parametrize("role", ["viewer", "arbiter", "operator"])
def test_no_value_in_an_address_is_a_failure(example, asked, role):
    """A page that refuses what it does not take is sent one value at a time, the others all names with one value at once.

    Each address is sent some of the values, so that pages of one kind are sent all of them; every address all of them in full runs.
    """
    sender = asked(role)
    for number, route in enumerate(ROUTES):
        url, *others = fill_route(route, example)
        for other in others:
            sender.send("get", other)
        names = _taken(url)
        for group in [[name] for name in names] if names else [NAMES]:
            for value in some(number, role):
                sender.send("get", f"{url}?{'&'.join(f'{name}={encoded(value)}' for name in group)}&panels=1")
            sender.send("get", f"{url}?{'&'.join(f'{name}=active&{name}=zzz&{name}=' for name in group)}")

    assert not sender.failed
    assert sender.statuses[200] > 40
    assert sender.statuses[400] > 10


def _taken(url):
    """Return the parameters of a page that refuses all others; empty: it ignores unknown ones."""
    by_hand = {
        "/admin/agents/": ["q", "p"],
        "/admin/audit/": AUDIT,
        "/admin/costs/overview/": PARAMETERS,
        "/admin/costs/export/": PARAMETERS,
    }
    lists = {
        reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"): each
        for model, each in admin.site._registry.items()
    }
    if registered := lists.get(url):
        return [*registered.list_parameters, *(each.parameter_name for each in registered.list_filter)]
    return by_hand.get(url, [])


@pytest.mark.parametrize("role", ["viewer", "arbiter", "operator"])
def test_no_value_in_a_form_is_a_failure(example, asked, role):
    sender = asked(role)
    for number, route in enumerate(ROUTES):
        url, *others = fill_route(route, example)
        for other in others:
            sender.send("post", other, data={})
        for value in some(number, role)[::2]:
            sender.send("post", url, data=dict.fromkeys(FIELDS, value))
        for body, content_type in BODIES[number % 3 :: 3]:
            sender.send("post", url, data=body, content_type=content_type)
    for model, registered in admin.site._registry.items():
        for name in registered.actions or ():
            for value in some(len(name), role):
                url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
                sender.send("post", url, data={"action": name, "_selected_action": value, "confirmed": "yes", "index": value})

    assert not sender.failed


def test_internal_error_is_one_log_line_with_its_traceback(person, monkeypatch, caplog):
    def fail(*_):
        raise RuntimeError("artificial")

    monkeypatch.setattr(pages.RecentActivity, "read", fail)
    reader = person("viewer").client
    reader.raise_request_exception = False

    with caplog.at_level(logging.ERROR):
        answer = reader.get("/admin/agents/")

    [record] = caplog.records
    entry = orjson.loads(JSONFormatter().format(record))
    assert entry["request_id"] == answer.headers["X-Request-ID"]
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert (entry["level"], entry["logger"]) == ("error", "openintent.errors")
    assert "in fail\n" in entry["exception"]
    assert entry["exception"].endswith("RuntimeError: artificial")
    assert "artificial" not in answer.text


@pytest.mark.parametrize(
    "path", ["nothing/", "intents/intent/?title__regex=(", "agents/nobody/", "attachments/attachment/?kind=zzz"]
)
def test_a_page_about_an_error_is_kept_by_nobody(person, path):
    answer = person("viewer").get(path)

    assert answer.status_code in (400, 404)
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
def test_a_page_takes_no_other_method(person, method):
    someone = person("operator")

    for path in ("", "intents/intent/", f"auth/user/{someone.user.pk}/change/", "agents/", "costs/overview/", "home/"):
        assert someone.client.generic(method, f"/admin/{path}").status_code == 405


def test_a_page_of_an_object_takes_no_form(person):
    someone = person("operator")

    assert someone.post(f"auth/user/{someone.user.pk}/change/", {"username": "root", "is_superuser": "on"}).status_code == 405
    assert not User.objects.filter(username="root").exists()
