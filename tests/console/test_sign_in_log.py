"""The lines of the server's log about getting in: who, from where, and never a secret."""

import logging
import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.sign_in import links, throttle
from tests.console.users import PASSWORD, add_user, choose_password, open_link

ADDRESS = "203.0.113.7"
SECRETS = (PASSWORD, "my-guess", "another good password")

pytestmark = pytest.mark.case("security L7")


@pytest.fixture
def lines(caplog, django_capture_on_commit_callbacks):
    """`lines(call)`: what the call's lines of the log about access say, as (message, fields)."""

    def lines(call):
        caplog.clear()
        with caplog.at_level(logging.INFO, "openintent"), django_capture_on_commit_callbacks(execute=True):
            call()
        written = "".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
        assert not [secret for secret in SECRETS if secret in written]
        return [(each.getMessage(), each.fields) for each in caplog.records if each.name == "openintent.access"]

    return lines


def sign_in(name, password=PASSWORD, client=None):
    return (client or Client()).post("/admin/login/", {"username": name, "password": password}, REMOTE_ADDR=ADDRESS)


def about(name, actor=None, **more):
    return {"actor": actor or f"user:{name}", "subject": f"user:{name}", "address": ADDRESS, **more}


def test_signing_in_and_out_and_failing_to(vera, lines):
    client = Client()

    assert lines(lambda: sign_in("vera", "my-guess", client)) == [("sign_in_failed", about("vera", "unknown"))]
    assert lines(lambda: sign_in("vera", PASSWORD, client)) == [("signed_in", about("vera", by="password"))]
    assert lines(lambda: client.post("/admin/logout/", REMOTE_ADDR=ADDRESS)) == [("signed_out", about("vera"))]
    assert lines(lambda: client.post("/admin/logout/", REMOTE_ADDR=ADDRESS)) == []


def test_being_throttled(vera, lines):
    for _ in range(throttle.ACCOUNT_NETWORK_LIMIT):
        sign_in("vera", "my-guess")

    assert lines(lambda: sign_in("vera")) == [("sign_in_throttled", about("vera", "unknown"))]


def test_a_password_in_the_field_of_the_name_is_not_written(vera, lines):
    assert lines(lambda: sign_in(PASSWORD, "my-guess")) == [
        ("sign_in_failed", {"actor": "unknown", "subject": "unknown", "address": ADDRESS})
    ]


def test_sign_in_without_permission_is_logged_as_failed(vera, lines):
    User.objects.filter(pk=vera.user.pk).update(is_active=False)

    assert lines(lambda: sign_in("vera")) == [("sign_in_failed", about("vera", "unknown"))]


def test_a_changed_password(vera, lines):
    def change(old):
        new = "another good password"
        fields = {"old_password": old, "new_password1": new, "new_password2": new}
        return vera.client.post("/admin/password_change/", fields, REMOTE_ADDR=ADDRESS)

    for _ in range(throttle.ACCOUNT_NETWORK_LIMIT - 1):
        change("my-guess")
    assert lines(lambda: change("my-guess")) == [("password_change_failed", about("vera"))]
    assert lines(lambda: change("my-guess")) == [("password_change_throttled", about("vera"))]
    throttle.Attempts.objects.all().delete()
    assert lines(lambda: change(PASSWORD)) == [("password_set", about("vera"))]


def test_a_link_to_set_a_password(olga, lines):
    link = add_user(olga)
    client = Client(REMOTE_ADDR=ADDRESS)

    [failed] = lines(lambda: client.get(link[:-4] + "0000"))
    _, page = open_link(link, client)
    done = lines(lambda: choose_password(client, page))

    assert failed == ("link_failed", about("nina", "unknown"))
    assert done == [("password_set", about("nina")), ("signed_in", about("nina", by="password link"))]
    assert lines(lambda: client.get("/admin/enter/xyz/?token=my-guess")) == [
        ("link_failed", {"actor": "unknown", "subject": "unknown", "address": ADDRESS})
    ]


def test_the_sign_in_link_of_dev_mode(db, lines):
    link = links.create_dev_link()
    client = Client(REMOTE_ADDR="127.0.0.1", headers={"host": "localhost:8000"})

    [(done, fields)] = lines(lambda: client.get(link))

    assert (done, fields["subject"], fields["by"]) == ("signed_in", "user:operator", "sign-in link")
    assert not re.search(re.escape(link.partition("token=")[2]), str(fields))
