"""Passwords: a new account, the link to set a password, and changing it."""

import logging
import re
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.test import Client
from django.utils import timezone

from access import user_services
from access.models import Role
from access.roles import role_of
from console.sign_in import passwords, throttle
from tests.console.users import PASSWORD, PEOPLE, add_user, can_sign_in, choose_password, is_signed_in, link_in, open_link, rows


@pytest.mark.parametrize("dev_mode", [True, False])
def test_new_person_sets_a_password_and_is_signed_in_with_their_role(olga, settings, dev_mode):
    settings.DEV_MODE = dev_mode
    answer = olga.post(f"{PEOPLE}/add/", {"name": "nina", "role": "viewer"})
    nina = User.objects.get(username="nina")
    assert not nina.has_usable_password()
    assert "no-store" in answer.headers["Cache-Control"]
    assert "once, until" in answer.text

    client, page = open_link(link_in(answer))
    assert "Your username is <b" in page.text
    done = choose_password(client, page)

    assert done.headers["Location"] == "/admin/"
    assert is_signed_in(client)
    nina = User.objects.get(username="nina")
    assert role_of(nina) == Role.OBSERVER
    assert can_sign_in("nina")
    assert "API keys" in client.get("/admin/").text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "This field is required"), ("system", "cannot be used as a username"), ("x" * 151, "at most 150"), ("a b", "valid username"),
        ("<script>", "valid username"), ("OLGA", "The account &#x27;olga&#x27; already exists"), ("vera", "Reactivate it instead"),
    ],
)  # fmt: skip
def test_a_name_that_is_no_good_is_refused_at_its_field(olga, vera, name, said):
    user_services.deactivate_user(person_id=vera.user.pk, by=olga.user.pk)
    before = rows()

    page = olga.post(f"{PEOPLE}/add/", {"name": name, "role": "viewer"})

    assert said in page.text
    assert "oi-secret" not in page.text
    assert rows() == before


def test_an_unknown_role_is_refused(olga):
    assert 'class="oi-bad"' in olga.post(f"{PEOPLE}/add/", {"name": "nina", "role": "king"}).text
    assert not User.objects.filter(username="nina").exists()


@pytest.mark.case("security Host")
def test_a_link_takes_no_host_from_the_request(olga):
    page = olga.client.post(f"/admin/{PEOPLE}/add/", {"name": "nina", "role": "viewer"}, headers={"host": "evil.test"})

    assert 'value="/admin/enter/' in page.text
    assert " data-path" in page.text
    assert "evil.test" not in page.text


def test_a_link_works_once(olga):
    link = add_user(olga)
    choose_password(*open_link(link))

    client, page = open_link(link)

    assert page.status_code == 404
    assert "Invalid link" in page.text
    choose_password(client, page, "another good password")
    assert not can_sign_in("nina", "another good password")


def test_of_two_who_have_opened_the_link_one_sets_the_password(olga):
    link = add_user(olga)
    first, second = open_link(link), open_link(link)

    choose_password(*first)
    late = choose_password(*second, "another good password")

    assert late.status_code == 404
    assert not is_signed_in(second[0])
    assert can_sign_in("nina")


def test_password_set_meanwhile_is_not_overwritten(olga, monkeypatch):
    """Both have passed the look at the token by then."""
    client, page = open_link(add_user(olga))
    hashed = User.set_password

    def slowly(person, password):
        hashed(person, password)
        User.objects.filter(pk=person.pk).update(password="md5$$set-by-another")

    monkeypatch.setattr(User, "set_password", slowly)
    late = choose_password(client, page)

    assert late.status_code == 404
    assert not is_signed_in(client)
    assert User.objects.get(username="nina").password == "md5$$set-by-another"


def test_a_link_is_dead_after_its_time(olga, settings, monkeypatch):
    link = add_user(olga)
    end = datetime.now() + timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)

    monkeypatch.setattr(PasswordResetTokenGenerator, "_now", lambda self: end - timedelta(seconds=5))
    assert open_link(link)[1].status_code == 200
    monkeypatch.setattr(PasswordResetTokenGenerator, "_now", lambda self: end + timedelta(seconds=5))
    assert open_link(link)[1].status_code == 404


@pytest.mark.parametrize("change", [lambda link: link[:-1] + "x0"[link[-1] == "x"], lambda link: link.replace("/enter/", "/enter/x"),
                                    lambda link: re.sub("token=.*", "token=", link), lambda link: link.partition("?")[0]],
                         ids=["token", "person", "no token", "nothing"])  # fmt: skip
def test_a_link_that_was_tampered_with_is_nothing(olga, change):
    client, page = open_link(change(add_user(olga)))

    assert page.status_code == 404
    assert "new_password1" not in page.text
    assert not client.session.keys()


def test_the_link_of_one_is_not_another_s(olga, vera):
    link = add_user(olga)
    mine = passwords.password_link(vera.user).partition("?")[0]

    assert open_link(mine + "?" + link.partition("?")[2])[1].status_code == 404
    client, _ = open_link(link)
    assert client.get(mine).status_code == 404


def test_deactivated_person_sets_no_password(olga):
    link = add_user(olga)
    client, page = open_link(link)
    user_services.deactivate_user(person_id=User.objects.get(username="nina").pk, by=olga.user.pk)

    assert choose_password(client, page).status_code == 404
    assert open_link(link)[1].status_code == 404
    assert not User.objects.get(username="nina").has_usable_password()


def test_a_new_link_ends_those_of_somebody_without_a_password(olga):
    old = add_user(olga)
    nina = User.objects.get(username="nina")

    new = link_in(olga.post(f"{PEOPLE}/{nina.pk}/link/"))

    assert open_link(old)[1].status_code == 404
    client, page = open_link(new)
    choose_password(client, page)
    assert is_signed_in(client)


def test_old_password_works_until_a_new_one_ends_other_sessions(olga, vera):
    User.objects.filter(pk=vera.user.pk).update(last_login=timezone.now() - timedelta(hours=1))
    link = link_in(olga.post(f"{PEOPLE}/{vera.user.pk}/link/"))
    assert can_sign_in("vera")
    client, page = open_link(link_in(olga.post(f"{PEOPLE}/{vera.user.pk}/link/")))

    assert open_link(link)[1].status_code == 404  # She has signed in since.
    choose_password(client, page, "another good password")

    assert is_signed_in(client)
    assert not is_signed_in(vera.client)
    assert not can_sign_in("vera")
    assert can_sign_in("vera", "another good password")


@pytest.mark.parametrize(
    ("password", "again", "said"),
    [
        ("short", None, "too short"),
        ("password123", None, "too common"),
        ("nina-the-first", None, "too similar"),
        (PASSWORD, "x", "match"),
    ],
)
def test_a_password_that_is_no_good_is_refused_and_the_link_still_works(olga, password, again, said):
    client, page = open_link(add_user(olga, "nina-the-first"))

    refused = choose_password(client, page, password, again)

    assert said in refused.text
    assert not User.objects.get(username="nina-the-first").has_usable_password()
    assert choose_password(client, page).status_code == 302


def test_the_token_goes_nowhere(olga, caplog):
    link = add_user(olga)
    token = link.partition("token=")[2]
    client = Client()

    with caplog.at_level(logging.INFO, "openintent"):
        moved = client.get(link)
        page = client.get(moved.headers["Location"])

    assert token not in moved.headers["Location"]
    assert moved.headers["Referrer-Policy"] == "no-referrer"
    assert "no-store" in moved.headers["Cache-Control"]
    assert "no-store" in page.headers["Cache-Control"]
    assert token not in page.text
    said = [f"{record.getMessage()} {vars(record).get('fields')}" for record in caplog.records]
    assert any("/admin/enter/" in line for line in said)
    assert not any(token in line for line in said)


def test_guessing_of_tokens_is_throttled(olga):
    link = add_user(olga)
    for number in range(throttle.ACCOUNT_NETWORK_LIMIT):
        assert open_link(f"{link[:-4]}{number:04}")[1].status_code == 404

    stopped = open_link(link)[1]

    assert stopped.status_code == 429
    assert re.search(r"Too many attempts\. Try again in \d+ seconds?\.", stopped.text)
    assert can_sign_in("olga")


def test_link_opened_while_signed_in_names_its_person(olga):
    client, page = open_link(add_user(olga), olga.client)

    assert "You are signed in as olga. Continuing will sign you in as nina" in page.text
    choose_password(client, page)
    assert "user:nina" not in client.get("/admin/").text
    assert client.get(f"/admin/{PEOPLE}/").status_code == 403


def test_person_changes_their_password_and_stays_signed_in(vera):
    assert "/admin/password_change/" in vera.get("").text
    fields = {"new_password1": "another good password", "new_password2": "another good password"}

    assert "oi-bad" in vera.post("password_change/", {**fields, "old_password": "wrong"}).text
    assert vera.post("password_change/", {**fields, "old_password": PASSWORD}, follow=True).status_code == 200

    assert is_signed_in(vera.client)
    assert can_sign_in("vera", "another good password")


NEW = {"new_password1": "another good password", "new_password2": "another good password"}


@pytest.mark.case("security L7")
def test_guesses_of_the_current_password_are_throttled_as_sign_ins(vera):
    for _ in range(throttle.ACCOUNT_NETWORK_LIMIT):
        assert "The current password is incorrect." in vera.post("password_change/", {**NEW, "old_password": "wrong"}).text
    before = rows()

    stopped = vera.post("password_change/", {**NEW, "old_password": PASSWORD})

    assert re.search(r"Too many attempts\. Try again in \d+ seconds?\.", stopped.text)
    assert rows() == before
    assert not can_sign_in("vera")  # They are counted together.


@pytest.mark.case("security L7")
def test_invalid_new_password_costs_no_attempt(vera):
    for _ in range(throttle.ACCOUNT_NETWORK_LIMIT + 1):
        assert (
            "too short"
            in vera.post("password_change/", {"new_password1": "x", "new_password2": "x", "old_password": PASSWORD}).text
        )

    assert vera.post("password_change/", {**NEW, "old_password": PASSWORD}).status_code == 302


# --- without a password ----------------------------------------------------------------------------------------------


@pytest.fixture
def guest(vera):
    """Vera, who has signed in by a link."""
    vera.user.set_unusable_password()
    vera.user.save()
    vera.client.force_login(vera.user)
    return vera


@pytest.mark.case("console M2")
def test_person_without_a_password_sets_one_and_stays_signed_in(guest):
    assert "Set password</a>" in guest.get("").text
    assert "old_password" not in guest.get("password_change/").text

    assert guest.post("password_change/", NEW).status_code == 302

    assert "you can sign in with it from now on" in guest.get("").text
    assert can_sign_in("vera", NEW["new_password1"])
    assert "old_password" in guest.get("password_change/").text


def test_a_weak_first_password_is_refused(guest):
    assert "too short" in guest.post("password_change/", {"new_password1": "x", "new_password2": "x"}).text
    assert not User.objects.get(username="vera").has_usable_password()


def test_with_a_password_the_current_one_is_needed(vera):
    assert "oi-bad" in vera.post("password_change/", NEW).text
    assert not can_sign_in("vera", NEW["new_password1"])
