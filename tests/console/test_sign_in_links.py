"""Sign-in links: of dev mode, printed at the start or by a button, and of the command line."""

import re
from datetime import timedelta
from types import SimpleNamespace
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from access.models import Role
from access.roles import grant_role, role_of
from console.models import SignInLink
from console.sign_in import links, throttle
from tests.console.users import PASSWORD, set_password

HERE = {"headers": {"host": "localhost:8000"}}


@pytest.fixture
def grace(db):
    user = User.objects.create_user("grace", password=None)
    grant_role(user, "operator")
    return user


def is_in(client):
    return client.get("/admin/").status_code == 200


def _text(response):
    return response.content.decode()


# --- the link of dev mode ------------------------------------------------------------------------------------------


@pytest.fixture
def link(db):
    return links.create_dev_link()


def test_the_link_lets_an_operator_in_once(client, link):
    assert client.get(link, **HERE).headers["Location"] == "/admin/"
    assert is_in(client)
    assert role_of(User.objects.get()) == Role.OPERATOR

    other = Client()
    assert "was already used or has expired" in other.get(link, follow=True, **HERE).content.decode()
    assert not is_in(other)


def test_of_many_who_use_it_at_once_one_gets_in(link):
    tokens = [link.partition("token=")[2].replace("%3A", ":")] * 2

    assert [links.redeem(token, is_dev_here=True) is not None for token in tokens] == [True, False]


@pytest.mark.parametrize(
    "request_of",
    [
        {"REMOTE_ADDR": "203.0.113.7", "HTTP_HOST": "localhost:8000"},
        {"HTTP_HOST": "console.example.com"},
        {"HTTP_HOST": "localhost:8000", "HTTP_X_FORWARDED_FOR": "203.0.113.7"},
    ],
    ids=["from elsewhere", "to another name", "through a proxy"],
)
def test_the_link_works_on_this_machine_alone(client, link, request_of):
    said = client.get(link, follow=True, **request_of).content.decode()

    assert "only work in dev mode" in said
    assert not is_in(client)
    assert SignInLink.objects.get().used_at is None


def test_the_link_is_nothing_outside_dev_mode(client, link, settings):
    settings.DEV_MODE = False
    client.get(link, **HERE)
    assert not is_in(client)


def test_a_forged_or_an_old_link_is_nothing(client, link, monkeypatch):
    client.get(link[:-3] + "abc", **HERE)
    assert not is_in(client)

    monkeypatch.setattr(links, "LINK_LIFETIME", timedelta(0))
    client.get(link, **HERE)
    assert not is_in(client)


def test_looking_ahead_does_not_use_the_link_up(client, link):
    assert client.get(link, headers={"host": "localhost:8000", "sec-purpose": "prefetch"}).status_code == 503
    assert client.head(link, **HERE).status_code == 405

    client.get(link, **HERE)
    assert is_in(client)


# --- a new link, at the server's terminal ----------------------------------------------------------------------------


NEW_LINK = "/admin/enter/new/"
ELSEWHERE_REQUESTS = [
    {"REMOTE_ADDR": "203.0.113.7", "HTTP_HOST": "localhost:8000"},
    {"HTTP_HOST": "console.example.com"},
    {"HTTP_HOST": "localhost:8000", "HTTP_X_FORWARDED_FOR": "203.0.113.7"},
    {"HTTP_HOST": "localhost:8000", "HTTP_ORIGIN": "https://evil.test"},
]


def printed(capsys):
    return re.findall(r"http://localhost:8000(/admin/enter/\S+)", capsys.readouterr().err)


@pytest.mark.case("console H2")
def test_the_page_says_where_the_link_is_and_prints_a_new_one_there(client, db, capsys):
    page = client.get("/admin/login/", **HERE)
    assert "Dev mode: open the sign-in link from the server's terminal." in _text(page)
    assert NEW_LINK in _text(page)

    said = client.post(NEW_LINK, follow=True, **HERE)

    assert "A new sign-in link is in the server&#x27;s terminal" in _text(said)
    assert "token=" not in _text(said)
    [link] = printed(capsys)
    assert client.get(link, **HERE).headers["Location"] == "/admin/"
    assert is_in(client)


@pytest.mark.parametrize(
    "request_of", ELSEWHERE_REQUESTS, ids=["from elsewhere", "to another name", "through a proxy", "other site"]
)
def test_a_link_is_printed_for_this_machine_alone(client, db, capsys, request_of):
    assert NEW_LINK not in _text(client.get("/admin/login/", **request_of))

    client.post(NEW_LINK, **request_of)

    assert printed(capsys) == []
    assert not SignInLink.objects.exists()


def test_outside_dev_mode_no_link_is_printed(client, db, capsys, settings):
    settings.DEV_MODE = False
    assert NEW_LINK not in _text(client.get("/admin/login/", **HERE))

    client.post(NEW_LINK, **HERE)

    assert printed(capsys) == []
    assert not SignInLink.objects.exists()


def test_a_link_is_printed_only_for_a_form_of_the_page(db, capsys):
    client = Client(enforce_csrf_checks=True)

    assert client.post(NEW_LINK, **HERE).status_code == 403
    assert client.get(NEW_LINK, **HERE).status_code == 405
    assert printed(capsys) == []


def test_few_links_are_printed_in_a_short_time(client, db, capsys):
    for _ in range(throttle.ACCOUNT_NETWORK_LIMIT + 3):
        said = client.post(NEW_LINK, follow=True, **HERE)

    assert "Too many links were printed. Try again in" in _text(said)
    assert len(printed(capsys)) == throttle.ACCOUNT_NETWORK_LIMIT


@pytest.mark.case("console M2")
def test_without_an_account_the_page_says_what_creates_one(client, db, settings, grace):
    settings.DEV_MODE = False
    User.objects.create_user("ida", password="correct horse battery", is_staff=True)
    assert "createoperator" not in _text(client.get("/admin/login/"))
    User.objects.all().delete()

    assert "openintent-manage createoperator NAME" in _text(client.get("/admin/login/"))


# --- the page that was asked for -------------------------------------------------------------------------------------

ASKED = "/admin/intents/intent/?status__exact=blocked&q=a%20b"


def _ask_for(client, page, **request_of):
    """Open a page without being signed in, and return the sign-in page."""
    return client.get("/admin/login/", {"next": page}, **(request_of or HERE))


def test_a_link_leads_to_the_page_that_was_asked_for_once(client, link):
    turned_away = client.get(ASKED, **HERE)
    client.get(turned_away.headers["Location"], **HERE)

    assert client.get(link, **HERE).headers["Location"] == ASKED
    client.post("/admin/logout/", **HERE)
    assert client.get(links.create_dev_link(), **HERE).headers["Location"] == "/admin/"


def test_a_link_of_the_command_line_leads_there_too(client, grace, capsys):
    _ask_for(client, ASKED)

    assert client.get(command_link(capsys, "grace"), **HERE).headers["Location"] == ASKED


def test_a_new_link_or_a_dead_one_does_not_lose_the_page(client, db, capsys):
    _ask_for(client, ASKED)
    after = client.post(NEW_LINK, **HERE).headers["Location"]
    assert parse_qs(urlsplit(after).query) == {"next": [ASKED]}

    dead = client.get("/admin/enter/?token=x", **HERE).headers["Location"]
    assert parse_qs(urlsplit(dead).query) == {"next": [ASKED]}
    [printed_link] = printed(capsys)
    assert client.get(printed_link, **HERE).headers["Location"] == ASKED


def test_signing_in_by_password_forgets_the_page(client, quick_passwords, grace, capsys):
    set_password(SimpleNamespace(user=grace, client=client))
    client.logout()
    _ask_for(client, ASKED)
    signed_in = client.post(f"/admin/login/?{urlencode({'next': ASKED})}", {"username": "grace", "password": PASSWORD}, **HERE)
    assert signed_in.headers["Location"] == ASKED
    client.post("/admin/logout/", **HERE)

    assert client.get(command_link(capsys, "grace"), **HERE).headers["Location"] == "/admin/"


ELSEWHERE_PAGES = [
    "https://evil.test/admin/",
    "//evil.test/admin/",
    "/\\evil.test/admin/",
    "///evil.test",
    "javascript:alert(1)",
    "/docs",
    "/administration/",
    "admin/",
    "/admin/\n//evil.test",
    "\t//evil.test/admin/",
    "/admin/?q=é",
    "/admin/" + "x" * 3000,
]


@pytest.mark.parametrize("page", ELSEWHERE_PAGES, ids=lambda page: repr(page)[:40])
def test_no_link_leads_anywhere_else(client, link, page):
    asked = _ask_for(client, page)
    assert not any(name.endswith("openintent-page") for name in asked.cookies)
    client.cookies["openintent-page"] = page
    client.cookies["openintent-page"].set("openintent-page", page, page)  # As it is: another program may write what it likes.

    assert client.get(link, **HERE).headers["Location"] == "/admin/"


def test_the_browser_shows_the_page_to_no_script(client, db):
    cookie = _ask_for(client, ASKED).cookies["openintent-page"]

    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["max-age"]) == (True, "Lax", "/", 600)


# --- a link from the command line ------------------------------------------------------------------------------------


def command_link(capsys, *arguments):
    call_command("signinlink", *arguments)
    return capsys.readouterr().out.strip().removeprefix("http://localhost:8000")


@pytest.mark.case("console H2")
@pytest.mark.parametrize("dev_mode", [True, False])
def test_a_link_of_the_command_line_signs_its_account_in_once(client, grace, settings, capsys, dev_mode):
    settings.DEV_MODE = dev_mode
    link = command_link(capsys, "grace")

    assert client.get(link, headers={"host": "console.example.com"}, REMOTE_ADDR="203.0.113.7").headers["Location"] == "/admin/"
    assert client.session["_auth_user_id"] == str(grace.pk)
    other = Client()
    assert "was already used or has expired" in _text(other.get(link, follow=True))
    assert not is_in(other)


def test_a_link_of_the_command_line_expires(client, grace, capsys, monkeypatch):
    link = command_link(capsys, "grace")
    monkeypatch.setattr(links, "LINK_LIFETIME", timedelta(0))

    client.get(link)

    assert not is_in(client)


def test_a_link_of_an_account_that_is_deactivated_meanwhile_is_nothing(client, grace, capsys):
    link = command_link(capsys, "grace")
    User.objects.update(is_active=False)

    client.get(link)

    assert not is_in(client)


def test_a_link_names_the_address_under_which_people_open_the_console(grace, capsys, settings):
    settings.PUBLIC_URL = "https://oi.example"
    call_command("signinlink", "grace")

    printed_text = capsys.readouterr()
    assert printed_text.out.startswith("https://oi.example/admin/enter/?token=")
    assert "Signs in as grace, once, within ten minutes" in printed_text.err


def test_there_is_no_link_for_an_account_that_cannot_sign_in(grace, capsys):
    with pytest.raises(CommandError, match=r"There is no account 'operator'\. Create it: createoperator operator"):
        call_command("signinlink")
    User.objects.create_user("noone")
    with pytest.raises(CommandError, match="has no role"):
        call_command("signinlink", "noone")
    User.objects.filter(username="grace").update(is_active=False)
    with pytest.raises(CommandError, match="is deactivated"):
        call_command("signinlink", "grace")
    assert not SignInLink.objects.exists()
