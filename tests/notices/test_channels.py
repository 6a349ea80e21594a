"""Channels: by operators only, with a target that is never shown."""

import pytest

from intents.models import Event
from notices.models import Channel, Notice
from tests.conftest import Caller
from tests.notices.conftest import ask, make_channel, notices
from tests.subscriptions.webhook_receivers import LONG_AGO

SECRET_URL = "https://hooks.example.com/services/T0/B0/secret-token"


def channel_events():
    found = Event.objects.filter(event_type__startswith="channel_").order_by("row")
    return [(each.event_type, each.actor, each.payload) for each in found]


def test_a_channel_is_shown_without_its_target(api):
    channel = make_channel(api, SECRET_URL, "slack", urgencies=["high"], digest={"every_seconds": 3600})

    [listed] = api.get("/channels").json()["channels"]
    assert listed == {**channel, "secret": None}
    assert (listed["urgencies"], listed["digest"], listed["status"]) == (["high"], {"every_seconds": 3600}, "active")
    assert "secret-token" not in api.get("/channels").content.decode()
    [(event_type, actor, payload)] = channel_events()
    assert (event_type, actor) == ("channel_created", "dev-user")
    assert payload == {"channel_id": channel["id"], "name": "Team", "kind": "slack"}


def test_only_the_creation_of_a_generic_webhook_shows_its_secret(api):
    webhook, slack = make_channel(api, SECRET_URL), make_channel(api, SECRET_URL, "slack")

    assert webhook["secret"].startswith("whsec_")
    assert slack["secret"] is None
    assert [each["secret"] for each in api.get("/channels").json()["channels"]] == [None, None]


def test_agents_see_and_change_no_channel(api):
    channel = make_channel(api, SECRET_URL)
    agent = Caller("agent-research-key")

    answers = [
        agent.get("/channels"),
        agent.post("/channels", {"name": "Mine", "kind": "webhook", "target": SECRET_URL}),
        agent.patch(f"/channels/{channel['id']}", {"name": "Mine"}),
        agent.delete(f"/channels/{channel['id']}"),
        agent.post(f"/channels/{channel['id']}/test"),
    ]

    assert [each.status_code for each in answers] == [403] * 5
    assert [Channel.objects.count(), Channel.objects.get().name, Notice.objects.count()] == [1, "Team", 0]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"target": "no address"}, "target"),
        ({"target": []}, "target"),
        ({"target": ["ada@example.com"] * 21}, "target"),
        ({"target": ["ada@example.com", "ada@example.com\nBcc: eve@example.com"]}, "target"),
        ({"kind": "slack", "target": "ada@example.com"}, "target"),
        ({"kind": "slack", "target": "https://user:pass@example.com/"}, "target"),
        ({"kind": "slack", "target": [SECRET_URL, SECRET_URL]}, "target"),
        ({"kind": "ntfy", "target": "https://ntfy.sh/"}, "target"),
        ({"kind": "pager"}, "kind"),
        ({"name": " "}, "name"),
        ({"owner": "ada"}, "owner"),
        ({"owner": "user:nobody"}, "owner"),
        ({"urgencies": []}, "urgencies"),
        ({"urgencies": ["urgent"]}, "urgencies.0"),
        ({"quiet_hours": {"from": "22:00", "until": "24:00"}}, "quiet_hours.until"),
        ({"quiet_hours": {"from": "22:00", "until": "22:00"}}, "quiet_hours.until"),
        ({"quiet_hours": {"from": "22:00", "until": "07:00", "time_zone": "Mars/Base"}}, "quiet_hours.time_zone"),
        ({"quiet_hours": {"from": "22:00", "until": "07:00", "time_zone": "../etc/passwd"}}, "quiet_hours.time_zone"),
        ({"digest": {"every_seconds": 59}}, "digest.every_seconds"),
    ],
)
def test_an_invalid_field_is_named_and_makes_no_channel(api, fields, field):
    response = api.post("/channels", {"name": "Ada", "kind": "email", "target": "ada@example.com", **fields})

    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, field)
    assert (Channel.objects.count(), channel_events()) == (0, [])


@pytest.mark.rule("H-7")
@pytest.mark.parametrize("kind", ["slack", "teams", "mattermost", "discord", "webhook"])
@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/latest", "http://10.0.0.1/hook", "http://[::ffff:10.0.0.1]/", "http://0x0a000001/"]
)
def test_a_target_in_a_private_network_is_refused(api, kind, url):
    response = api.post("/channels", {"name": "Inside", "kind": kind, "target": url})

    assert (response.status_code, response.json()["code"]) == (400, "target_not_allowed")
    assert not Channel.objects.exists()


def test_a_change_is_an_event_that_names_the_fields_alone(api):
    channel = make_channel(api, SECRET_URL, "slack")

    changed = api.patch(f"/channels/{channel['id']}", {"target": SECRET_URL + "2", "urgencies": ["high"]})

    assert (changed.status_code, changed.json()["urgencies"]) == (200, ["high"])
    assert channel_events()[-1][2]["changed"] == ["target", "urgencies"]
    assert "secret-token" not in str(channel_events())
    assert Channel.objects.get().target == [SECRET_URL + "2"]


@pytest.mark.rule("H-7")
def test_a_change_of_the_target_is_checked_as_the_first_one(api):
    channel = make_channel(api, SECRET_URL, "slack")

    inside = api.patch(f"/channels/{channel['id']}", {"target": "http://10.0.0.1/"})
    address = api.patch(f"/channels/{channel['id']}", {"target": "ada@example.com"})

    assert (inside.json()["code"], address.json()["errors"][0]["field"]) == ("target_not_allowed", "target")
    assert Channel.objects.get().target == [SECRET_URL]


def test_a_removed_channel_sends_nothing_and_keeps_what_it_told(api, asker, intent, receiver):
    channel = make_channel(api, receiver)
    asked = ask(asker, intent)

    assert [api.delete(f"/channels/{channel['id']}").status_code for _ in range(2)] == [204, 204]

    assert [(each["status"], each["channel_id"]) for each in notices(api, asked)] == [("dead", channel["id"])]
    assert (api.get("/channels").json()["channels"], Channel.objects.get().target) == ([], [])
    assert notices(api, ask(asker, intent, "Another?")) == []
    assert not receiver.calls
    assert [each[0] for each in channel_events()] == ["channel_created", "channel_removed"]
    assert api.post(f"/notices/{notices(api, asked)[0]['id']}/resend").json()["code"] == "channel_inactive"


def test_an_active_channel_forgets_its_failures(api):
    channel = make_channel(api, SECRET_URL)
    Channel.objects.update(status="disabled", failing_since=LONG_AGO, last_error="answered 500")

    activated = api.patch(f"/channels/{channel['id']}", {"status": "active"}).json()

    assert (activated["status"], activated["failing_since"], activated["last_error"]) == ("active", None, None)


@pytest.mark.rule("H-3")
def test_disabling_a_channel_ends_its_pending_notices(api):
    channel = make_channel(api, "https://hooks.example.com/a")
    api.post(f"/channels/{channel['id']}/test")

    assert api.patch(f"/channels/{channel['id']}", {"status": "disabled"}).status_code == 200

    [notice] = api.get("/notices").json()["notices"]
    assert (notice["status"], notice["next_attempt_at"]) == ("dead", None)
