"""Getting into the console: the form and its limits, and what the session is."""

import os
import re
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from access.models import Role
from access.roles import grant_role, role_of
from console.models import Attempts
from console.sign_in import throttle
from tests.databases import migrated_database
from tests.processes import run

PASSWORD = "correct horse battery"
HERE = {"headers": {"host": "localhost:8000"}}


pytestmark = pytest.mark.usefixtures("quick_passwords")


@pytest.fixture
def grace(db):
    user = User.objects.create_user("grace", password=PASSWORD)
    grant_role(user, "operator")
    return user


def sign_in(client, name="grace", password=PASSWORD, address="203.0.113.7"):
    return client.post("/admin/login/?next=/admin/", {"username": name, "password": password}, REMOTE_ADDR=address)


def is_in(client):
    return client.get("/admin/").status_code == 200


# --- the form --------------------------------------------------------------------------------------------------------


def test_signing_in_begins_a_new_session_and_signing_out_ends_it(client, grace):
    given = client.session
    given.save()
    before = given.session_key

    assert sign_in(client).headers["Location"] == "/admin/"
    after = client.session.session_key
    assert after != before
    client.post("/admin/logout/")

    assert not Session.objects.filter(session_key=after).exists()
    assert not is_in(client)


OUTSIDE = ["//evil.test", "///evil.test", "https://evil.test/admin/", "http:evil.test", "javascript:alert(1)", "\\\\evil.test", "/\\evil.test",
           " //evil.test", "\t//evil.test", "https:/evil.test", "//evil.test/%2f..", "https://testserver@evil.test/", "data:text/html,x"]  # fmt: skip


@pytest.mark.case("security next")
@pytest.mark.parametrize("where", OUTSIDE, ids=ascii)
def test_signing_in_leads_nowhere_else(client, grace, where):
    fields = {"username": "grace", "password": PASSWORD}

    for response in (
        client.post(f"/admin/login/?{urlencode({'next': where})}", fields),
        Client().post("/admin/login/", {**fields, "next": where}),
        client.get(f"/admin/login/?{urlencode({'next': where})}"),  # Signed in by now.
    ):
        assert (response.status_code, response.headers["Location"]) == (302, "/admin/")


def test_signing_in_leads_to_the_page_that_was_asked_for(client, grace):
    asked = client.get("/admin/intents/intent/?q=a").headers["Location"]

    answer = client.post(asked, {"username": "grace", "password": PASSWORD})

    assert answer.headers["Location"] == "/admin/intents/intent/?q=a"


def test_the_session_s_cookie_is_kept_from_scripts_and_other_sites(client, grace):
    sign_in(client)
    cookie = client.cookies["openintent-session"]

    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", 12 * 3600)


ELSEWHERE = "198.51.100.1"


def stopped(response):
    return re.search(r"Too many sign-in attempts\. Try again in \d+ (second|minute)s?\.", _text(response))


@pytest.mark.parametrize("name", ["grace", "nobody"])
def test_guessing_is_throttled_and_reveals_nothing_about_the_account(client, grace, name):
    for _ in range(throttle.ACCOUNT_NETWORK_LIMIT):
        assert "Incorrect username or password" in _text(sign_in(client, name, "wrong"))

    assert stopped(sign_in(client, name.upper(), PASSWORD))
    assert not is_in(client)


@pytest.mark.case("security L15")
@pytest.mark.parametrize("name", ["grace", "nobody"])
def test_guesses_from_many_networks_are_limited_together(client, grace, monkeypatch, name):
    monkeypatch.setattr(throttle, "ACCOUNT_LIMIT", 5)
    for number in range(5):
        assert not stopped(sign_in(client, name, "wrong", f"192.0.2.{number}"))

    assert stopped(sign_in(client, name, PASSWORD, ELSEWHERE))
    assert not is_in(client)


@pytest.mark.case("security L15")
def test_strangers_do_not_lock_somebody_out_from_where_they_have_signed_in(client, grace, monkeypatch):
    monkeypatch.setattr(throttle, "ACCOUNT_LIMIT", 5)
    monkeypatch.setattr(throttle, "NETWORK_LIMIT", 5)
    assert sign_in(client).status_code == 302
    for number in range(5):
        sign_in(Client(), "grace", "wrong", f"192.0.2.{number}")
        sign_in(Client(), f"somebody {number}", "wrong")
    assert stopped(sign_in(Client(), "grace", PASSWORD, ELSEWHERE))
    assert stopped(sign_in(Client(), "nobody", PASSWORD))

    assert sign_in(Client()).status_code == 302


@pytest.mark.case("security L15")
def test_a_known_network_may_guess_no_more_than_another(client, grace):
    sign_in(client)
    for _ in range(throttle.ACCOUNT_NETWORK_LIMIT):
        assert not stopped(sign_in(Client(), password="wrong"))

    assert stopped(sign_in(Client()))


def test_a_network_is_known_only_by_a_password_and_only_for_a_time(client, grace, monkeypatch):
    monkeypatch.setattr(throttle, "ACCOUNT_LIMIT", 2)
    sign_in(client)
    sign_in(Client(), password="", address=ELSEWHERE)
    sign_in(Client(), password="wrong", address=ELSEWHERE)
    sign_in(Client(), password="wrong", address="192.0.2.1")
    assert stopped(sign_in(Client(), address=ELSEWHERE))
    assert sign_in(Client()).status_code == 302

    Attempts.objects.filter(due_at__gt=timezone.now() + throttle.PERIOD).update(due_at=timezone.now())
    assert stopped(sign_in(Client()))


def test_guessing_from_one_address_is_throttled_across_accounts(client, grace, monkeypatch):
    monkeypatch.setattr(throttle, "NETWORK_LIMIT", 3)
    for number in range(3):
        sign_in(client, f"somebody {number}", "wrong", f"2001:db8::{number}")

    assert stopped(sign_in(client, address="2001:db8::77"))
    assert sign_in(client, address="2001:db8:1::1").status_code == 302


def test_after_a_while_the_next_attempt_is_free_and_success_costs_nothing(client, grace):
    for _ in range(throttle.ACCOUNT_NETWORK_LIMIT + 1):
        sign_in(client, password="wrong")
    for row in Attempts.objects.all():
        row.due_at -= throttle.PERIOD / throttle.ACCOUNT_NETWORK_LIMIT
        row.save()

    for _ in range(3):
        assert sign_in(client).status_code == 302


_MANY = """
from concurrent.futures import ThreadPoolExecutor
from django.db import connection
from console.sign_in import throttle

def attempt(_):
    try:
        throttle.count_attempt("grace", "203.0.113.7")
        return 1
    except throttle.TooManyAttempts:
        return 0
    finally:
        connection.close()

print(sum(ThreadPoolExecutor(8).map(attempt, range(30))))
"""


def test_of_many_attempts_at_once_no_more_get_through_than_may(vendor, tmp_path):
    environment = {**os.environ, "DATABASE_URL": migrated_database(vendor, tmp_path)}

    done = run("config.manage", ["shell", "--no-imports", "-c", _MANY], environment)

    assert (done.stdout.strip(), done.stderr) == (str(throttle.ACCOUNT_NETWORK_LIMIT), "")


# --- pages -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["/admin/login/", "/admin/", "/admin/intents/intent/"])
def test_a_page_runs_no_script_of_its_own_and_stands_in_no_frame(person, page):
    response = person("operator").client.get(page, follow=True)
    policy = dict(each.split(" ", 1) for each in response.headers["Content-Security-Policy"].split("; "))

    assert policy["script-src"] == "'self' 'unsafe-eval'"
    assert (policy["default-src"], policy["frame-ancestors"], policy["connect-src"]) == ("'none'", "'none'", "'self'")
    assert response.headers["X-Frame-Options"] == "DENY"


# --- accounts --------------------------------------------------------------------------------------------------------


def make(monkeypatch, *arguments, password=PASSWORD):
    monkeypatch.setattr(
        "sys.stdin", type("Typed", (), {"isatty": lambda self: False, "readline": lambda self: password + "\n"})()
    )
    call_command("createoperator", *arguments, verbosity=0)


def test_an_account_is_made_by_a_command_with_its_role(db, monkeypatch, client, capsys):
    make(monkeypatch, "judy", "--role", "arbiter")

    assert "judy can sign in at /admin/ as arbiter" in capsys.readouterr().out
    assert sign_in(client, "judy").status_code == 302
    assert role_of(User.objects.get()) == Role.ARBITER


@pytest.mark.case("console M17")
def test_an_account_that_exists_keeps_its_password_and_that_is_said(grace, monkeypatch, client, capsys):
    make(monkeypatch, "grace", "--role", "viewer", password="a new good password")

    said = capsys.readouterr().out
    assert "grace already exists, and is viewer now. The password was not changed" in said
    assert "changepassword grace" in said
    assert "can sign in" not in said
    assert role_of(User.objects.get()) == Role.OBSERVER
    assert sign_in(client).status_code == 302
    assert sign_in(Client(), password="a new good password").status_code == 200


@pytest.mark.parametrize(("name", "password"), [("judy", "short"), ("judy", "password123"), ("", PASSWORD), ("system", PASSWORD)])
def test_an_account_that_is_no_good_is_refused(db, monkeypatch, name, password):
    with pytest.raises(CommandError):
        make(monkeypatch, name, password=password)
    assert not User.objects.exists()


def _text(response):
    return response.content.decode()
