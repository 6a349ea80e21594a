"""Channels in the console, for operators, and what people choose for their own (rules H-6, H-7)."""

import html
import re

import pytest
from django.contrib.auth.models import User

from notices.models import Channel, Notice
from tests.notices.conftest import mail_server, make_channel

__all__ = ["mail_server"]  # A fixture.

CHANNELS = "notices/channel"
URL = "https://hooks.example.com/T000/secret-path"


def text(response):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", response.text)).split())


def fields(**changed):
    given = {
        "name": "Night shift",
        "kind": "slack",
        "target": URL,
        "owner": "",
        "urgencies": ["normal", "high"],
        "quiet_from": "",
        "quiet_until": "",
        "time_zone": "",
        "digest_minutes": "",
    }
    return {**given, **changed}


@pytest.fixture
def olga(person):
    return person("operator", "olga")


@pytest.mark.rule("H-6")
def test_operator_creates_a_channel_and_its_target_is_never_shown(olga):
    given = fields(quiet_from="22:00", quiet_until="07:00", time_zone="Europe/Berlin", digest_minutes="30")
    made = olga.post(f"{CHANNELS}/add/", given, follow=True)

    assert "The channel Night shift was created." in text(made)
    channel = Channel.objects.get()
    assert (channel.target, channel.urgencies, channel.owner) == ([URL], ["normal", "high"], None)
    assert channel.quiet_hours == {"from": "22:00", "until": "07:00", "time_zone": "Europe/Berlin"}
    assert channel.digest == {"every_seconds": 1800}
    for path in ("", f"{channel.pk}/change/", f"{channel.pk}/edit/"):
        assert "secret-path" not in olga.get(f"{CHANNELS}/{path}").text
    assert "https://hooks.example.com/…" in text(olga.get(f"{CHANNELS}/"))


@pytest.mark.rule("H-7")
def test_secret_of_a_webhook_is_shown_once(olga):
    made = olga.post(f"{CHANNELS}/add/", fields(kind="webhook"))

    secret = Channel.objects.get().secret
    assert secret in made.text
    assert "no-store" in made.headers["Cache-Control"]
    assert secret not in olga.get(f"{CHANNELS}/{Channel.objects.get().pk}/change/").text


@pytest.mark.rule("H-7")
@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"target": "http://169.254.169.254/x"}, "The target's address is not allowed"),
        ({"target": "ftp://example.com"}, "Must be an http or https URL"),
        ({"target": "a", "kind": "email"}, "Must be e-mail addresses"),
        ({"target": ""}, "This field is required."),
        ({"quiet_from": "25:00", "quiet_until": "07:00"}, "Must be a time of day like 22:00"),
        ({"quiet_from": "22:00"}, "Is required"),
        ({"quiet_from": "22:00", "quiet_until": "07:00", "time_zone": "Mars"}, "Unknown time zone"),
        ({"digest_minutes": "0"}, "greater than or equal to 1"),
        ({"urgencies": []}, "This field is required."),
        ({"owner": "user:nobody"}, "Select a valid choice"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_form_of_a_channel_says_what_is_wrong(olga, changed, problem):
    refused = olga.post(f"{CHANNELS}/add/", fields(**changed))

    assert problem.casefold() in text(refused).casefold()
    assert "Night shift" in refused.text
    assert not Channel.objects.exists()


@pytest.mark.rule("H-6")
def test_operator_changes_a_channel_and_keeps_its_target(olga, api):
    pk = make_channel(api, URL, "slack")["id"]

    given = fields(name="Day shift", target="", urgencies=["high"])
    assert "The channel was changed." in text(olga.post(f"{CHANNELS}/{pk}/edit/", given, follow=True))

    channel = Channel.objects.get()
    assert (channel.name, channel.target, channel.urgencies) == ("Day shift", [URL], ["high"])


def test_operator_tests_disables_enables_and_removes_a_channel(olga, api):
    pk = make_channel(api, URL, "slack")["id"]

    assert "A test is sent by Team." in text(olga.act(CHANNELS, "test", pk))
    assert Notice.objects.get().kind == "test"
    olga.act(CHANNELS, "disable", pk)
    assert "This channel is disabled." in text(olga.get(f"{CHANNELS}/{pk}/change/"))
    assert Notice.objects.get().status == "dead"
    olga.act(CHANNELS, "enable", pk)
    page = text(olga.get(f"{CHANNELS}/{pk}/change/"))
    assert "Failed notices" in page
    assert "Resend" in page
    removed = olga.act(CHANNELS, "remove", pk, back=f"/admin/{CHANNELS}/{pk}/change/")
    assert "Removed: Team." in text(removed)
    assert "No channels yet" in text(removed)


def test_channels_have_no_page_for_arbiters(person, api):
    pk = make_channel(api, URL, "slack")["id"]
    grace = person("arbiter")

    for path in ("", "add/", f"{pk}/change/", f"{pk}/edit/"):
        assert grace.get(f"{CHANNELS}/{path}").status_code == 403
    assert grace.post(f"{CHANNELS}/{pk}/edit/", fields()).status_code == 403
    assert "Channels" not in text(grace.get(""))


@pytest.mark.rule("H-6")
def test_person_changes_their_own_channel_and_no_other(person, api):
    vera = person("viewer", "vera")
    own, shared = make_channel(api, URL, "slack", name="Mine", owner="user:vera"), make_channel(api, URL, "slack")
    page = text(vera.get("my-notices/"))
    assert "Mine Slack to https://hooks.example.com/…" in page
    assert "Team Slack" not in page

    given = {"urgencies": ["high"], "quiet_from": "22:00", "quiet_until": "07:00", "time_zone": "", "digest_minutes": ""}
    assert "Mine was changed." in text(vera.post(f"my-notices/{own['id']}/", {**given, "target": "x"}, follow=True))
    assert vera.post(f"my-notices/{shared['id']}/", given).status_code == 404

    channel = Channel.objects.get(pk=own["id"])
    assert (channel.urgencies, channel.target) == (["high"], [URL])
    assert channel.quiet_hours == {"from": "22:00", "until": "07:00", "time_zone": "UTC"}
    assert Channel.objects.get(pk=shared["id"]).urgencies == ["low", "normal", "high"]
    assert "Must be a time of day" in text(vera.post(f"my-notices/{own['id']}/", {**given, "quiet_from": "x"}))


def test_person_tests_and_disables_their_own_channel(person, api):
    vera = person("viewer", "vera")
    own = make_channel(api, URL, "slack", name="Mine", owner="user:vera")

    assert "A test is sent by Mine." in text(vera.post(f"my-notices/{own['id']}/", {"do": "test"}, follow=True))
    assert "Test to vera by Mine" in text(vera.get("my-notices/"))
    assert "Mine was disabled." in text(vera.post(f"my-notices/{own['id']}/", {"do": "disable"}, follow=True))
    assert "Mine was enabled." in text(vera.post(f"my-notices/{own['id']}/", {"do": "enable"}, follow=True))
    assert Channel.objects.get().status == "active"


def test_person_sets_their_own_address(person, mail_server):
    vera = person("viewer", "vera")

    assert "Your address was saved." in text(vera.post("my-notices/", {"email": "vera@example.com"}, follow=True))
    assert User.objects.get(username="vera").email == "vera@example.com"
    assert "Enter a valid email address." in text(vera.post("my-notices/", {"email": "vera"}))
    assert "This server sends no e-mail" not in text(vera.get("my-notices/"))
    assert "Your address was removed." in text(vera.post("my-notices/", {"email": ""}, follow=True))


def test_my_notices_say_what_is_missing_and_need_a_role_and_a_csrf_token(person):
    assert "This server sends no e-mail" in text(person("viewer", "vera").get("my-notices/"))
    nobody = person(None, "nora")
    User.objects.filter(pk=nobody.user.pk).update(is_staff=True)
    assert nobody.get("my-notices/").status_code == 403
    assert person("viewer", "nina", enforce_csrf_checks=True).post("my-notices/", {"email": "a@b.example"}).status_code == 403
