"""Delivery: at least once under one id, retried, then dead and visible; the question is unharmed (rule H-3)."""

from datetime import timedelta

import pytest

from core.db import database_now
from intents.models import Event
from notices import deliveries, mail
from notices.deliveries import claim_due, record_result
from notices.delivery_worker import send, send_all_due
from notices.models import Channel, Notice
from subscriptions.webhooks import client
from tests.conftest import log
from tests.governance.conftest import decide
from tests.notices.conftest import ask, make_channel, notices, send_later
from tests.subscriptions.webhook_receivers import LONG_AGO, seconds_until

DELAYS = [5, 300, 1800, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600]


@pytest.fixture
def asked(api, asker, intent, receiver):
    """A question that a webhook is told of."""
    make_channel(api, receiver)
    return ask(asker, intent)


@pytest.fixture
def mailed(api, asker, intent, mail_server):
    """A question that two addresses are told of."""
    make_channel(api, ["ada@example.com", "bob@example.com"], "email")
    return ask(asker, intent)


def only(api, asked):
    [notice] = notices(api, asked)
    return notice


def require_unharmed(api, intent, asked):
    """The question is pending, is decided as ever, and its log says that it was told, and nothing of what became of that."""
    assert api.get(f"/arbitrations/{asked['id']}").json()["status"] == "pending"
    assert decide(api, intent, "yes", arbitration_id=asked["id"]).status_code == 201
    assert {each[0] for each in log(api, intent)} == {
        "intent_created",
        "arbitration_requested",
        "arbitration_notified",
        "decision_recorded",
    }


# --- webhooks ---


@pytest.mark.rule("H-3")
def test_a_notice_is_sent_once_and_signed_under_its_id(api, asker, intent, receiver):
    channel = make_channel(api, receiver)
    asked = ask(asker, intent, options=["yes", "no"])

    assert [send_all_due(), send_all_due()] == [1, 0]

    [call] = receiver.calls
    notice = only(api, asked)
    assert call.verified(channel["secret"])["data"]["questions"][0]["arbitration_id"] == asked["id"]
    assert call.headers["Webhook-Id"] == notice["id"]
    assert (notice["status"], notice["attempts"], notice["last_error"], notice["next_attempt_at"]) == ("sent", 1, None, None)
    assert notice["sent_at"] >= notice["created_at"]


@pytest.mark.rule("H-3")
@pytest.mark.parametrize("status", [301, 400, 404, 500])
def test_a_failure_is_retried_under_the_same_id(api, intent, asked, receiver, status):
    receiver.will_answer(status, text="https://hooks.example.com/secret-token is broken")
    send_all_due()

    notice = only(api, asked)
    assert (notice["status"], notice["attempts"], notice["last_error"]) == ("pending", 1, f"answered {status}")
    assert 4 * 0.85 - 2 <= seconds_until(notice["next_attempt_at"]) <= 5 * 1.15
    assert api.get("/channels").json()["channels"][0]["last_error"] == f"answered {status}"
    send_later()
    assert (only(api, asked)["status"], len({*receiver.ids}), len(receiver.ids)) == ("sent", 1, 2)
    require_unharmed(api, intent, asked)


@pytest.mark.rule("H-3")
def test_retries_come_as_those_of_webhooks_and_then_it_is_dead(api, intent, asked, receiver):
    receiver.will_answer(*[500] * 10)
    send_all_due()

    for planned in DELAYS:
        assert planned * 0.85 - 2 <= seconds_until(only(api, asked)["next_attempt_at"]) <= planned * 1.15
        assert [send_all_due(), send_later()] == [0, 1]

    notice = only(api, asked)
    assert (notice["status"], notice["attempts"], notice["next_attempt_at"]) == ("dead", 10, None)
    assert [each["id"] for each in notices(api, status="dead")] == [notice["id"]]
    assert {*receiver.ids} == {notice["id"]}
    require_unharmed(api, intent, asked)


@pytest.mark.rule("H-3")
def test_a_retry_after_is_honoured(api, asked, receiver):
    receiver.will_answer(429, headers={"Retry-After": "3600"})
    send_all_due()

    notice = only(api, asked)
    assert (notice["status"], notice["last_error"]) == ("pending", "answered 429")
    assert 3590 <= seconds_until(notice["next_attempt_at"]) <= 3600


@pytest.mark.rule("H-3")
def test_410_ends_it_and_disables_the_channel(api, intent, asked, receiver):
    receiver.will_answer(410)
    send_all_due()

    assert (only(api, asked)["status"], api.get("/channels").json()["channels"][0]["status"]) == ("dead", "disabled")
    [event] = Event.objects.filter(event_type="channel_disabled")
    assert (event.actor, event.payload["reason"]) == ("system", "gone")
    require_unharmed(api, intent, asked)
    assert send_all_due() == 0


@pytest.mark.rule("H-3")
def test_a_channel_that_hangs_or_cuts_off_delays_the_notice_alone(api, intent, asked, receiver, monkeypatch):
    monkeypatch.setattr(client, "TOTAL_TIMEOUT", 0.3)
    receiver.hangs.set()
    send_all_due()
    hung = only(api, asked)
    receiver.goes_on.set()
    Channel.objects.update(target=["http://127.0.0.1:1/"])
    send_later()

    refused = only(api, asked)
    assert (hung["status"], hung["attempts"], refused["status"], refused["attempts"]) == ("pending", 1, "pending", 2)
    assert (hung["last_error"], refused["last_error"]) == (client.TOO_LONG, "the connection was refused")
    require_unharmed(api, intent, asked)


@pytest.mark.rule("H-7")
def test_an_address_is_checked_again_when_it_is_called(api, asked, receiver):
    Channel.objects.update(target=["http://169.254.169.254/latest"])
    send_all_due()

    assert "private" in only(api, asked)["last_error"]
    assert not receiver.calls


@pytest.mark.rule("H-3")
def test_days_of_failures_disable_the_channel(api, asker, intent, asked, receiver):
    receiver.will_answer(500, 500)
    send_all_due()
    Channel.objects.update(failing_since=database_now() - timedelta(days=5, seconds=1))
    send_later()

    [channel] = api.get("/channels").json()["channels"]
    assert (channel["status"], only(api, asked)["status"]) == ("disabled", "dead")
    assert Event.objects.get(event_type="channel_disabled").payload["reason"] == "failing"
    assert notices(api, ask(asker, intent, "Another?")) == []


@pytest.mark.rule("H-3")
def test_success_ends_the_failures_of_a_channel(api, asked, receiver):
    receiver.will_answer(500)
    send_all_due()
    assert api.get("/channels").json()["channels"][0]["failing_since"]
    send_later()

    [channel] = api.get("/channels").json()["channels"]
    assert (channel["failing_since"], channel["last_error"]) == (None, None)


@pytest.mark.rule("H-3")
def test_a_dead_notice_is_sent_again_by_hand(api, asked, receiver):
    receiver.will_answer(500)
    send_all_due()
    Notice.objects.update(status="dead", next_attempt_at=None, ended_at=database_now(), tries=10)

    answer = api.post(f"/notices/{only(api, asked)['id']}/resend")

    assert (answer.status_code, answer.json()["status"]) == (200, "pending")
    assert (send_all_due(), only(api, asked)["status"], only(api, asked)["attempts"]) == (1, "sent", 2)
    assert len({*receiver.ids}) == 1


@pytest.mark.rule("H-3")
def test_a_crash_before_recording_sends_again_under_the_same_id(api, asked, receiver):
    [claimed] = claim_due(8)
    result = send(claimed)  # Here the process ends.
    assert (send_all_due(), claim_due(8)) == (0, [])
    Notice.objects.update(claimed_until=LONG_AGO)

    assert send_all_due() == 1
    assert record_result(claimed, result) is False
    assert (len(receiver.ids), len({*receiver.ids}), only(api, asked)["attempts"]) == (2, 1, 1)


@pytest.mark.rule("H-3")
def test_a_channel_that_hangs_delays_no_other(api, asker, intent, receiver):
    make_channel(api, receiver)
    for number in range(3):
        ask(asker, intent, f"May I {number}?")
    make_channel(api, receiver.url + "/other")
    ask(asker, intent, "And this?")

    by_channel = [each.channel_id for each in claim_due(8)]

    assert len(by_channel) == len({*by_channel}) == 2
    assert claim_due(8) == []


def test_a_test_goes_through_the_channel_at_once(api, receiver):
    channel = make_channel(api, receiver, quiet_hours={"from": "00:00", "until": "23:59"}, digest={"every_seconds": 3600})

    answer = api.post(f"/channels/{channel['id']}/test")

    assert (answer.status_code, answer.json()["kind"], send_all_due()) == (201, "test", 1)
    assert [each["status"] for each in notices(api, channel_id=channel["id"], kind="test")] == ["sent"]
    assert receiver.calls[0].json["type"] == "notice.test"


def test_old_notices_of_ended_questions_are_deleted(api, asker, intent, asked, receiver):
    ended = ask(asker, intent, "Another?")
    send_all_due()
    decide(api, intent, "yes", arbitration_id=ended["id"])
    send_all_due()
    Notice.objects.update(ended_at=database_now() - timedelta(days=31))

    assert deliveries.delete_old() == 2
    assert [len(notices(api, each)) for each in (asked, ended)] == [1, 0]


# --- e-mail ---


@pytest.mark.rule("H-7")
def test_an_e_mail_goes_through_the_mail_server_under_one_id(api, mailed, mail_server):
    assert send_all_due() == 1

    [sent] = mail_server.mails
    assert sent.recipients == ["ada@example.com", "bob@example.com"]
    assert sent.message["Message-ID"] == f"<{only(api, mailed)['id']}@oi.example>"
    assert sent.message["Auto-Submitted"] == "auto-generated"
    assert sent.message["Subject"] == "[OpenIntent] deploy-bot asks: May I deploy?"
    assert f"https://oi.example/admin/governance/arbitration/{mailed['id']}/change/" in sent.text
    assert only(api, mailed)["status"] == "sent"


@pytest.mark.rule("H-3")
@pytest.mark.parametrize(
    ("does", "error"),
    [
        ({"replies": {"MAIL": "451 try later"}}, "the mail server answered 451"),
        ({"replies": {"RCPT": "550 <ada@example.com> is unknown"}}, "the mail server refused the addresses (550)"),
        ({"replies": {"DATA": "554 no"}}, "the mail server answered 554"),
        ({"cuts": "GREETING"}, "the mail server could not be used (SMTPServerDisconnected)"),
        ({"cuts": "DATA"}, "the mail server could not be used (SMTPServerDisconnected)"),
        ({"cuts": "CONTENT"}, "the mail server could not be used (SMTPServerDisconnected)"),
        ({"hangs": "GREETING"}, "took longer than 15 s"),
        ({"hangs": "CONTENT"}, "took longer than 15 s"),
        ({"drips": True}, "took longer than 15 s"),
    ],
)
def test_a_mail_server_that_fails_delays_the_notice_alone(api, intent, mailed, mail_server, monkeypatch, does, error):
    monkeypatch.setattr(mail, "TOTAL_TIMEOUT", 0.5)
    for name, value in does.items():
        setattr(mail_server.does, name, value)
    send_all_due()

    notice = only(api, mailed)
    assert (notice["status"], notice["attempts"], notice["last_error"]) == ("pending", 1, error)
    assert "example.com" not in api.get("/channels").content.decode()
    mail_server.does = type(mail_server.does)()
    send_later()
    assert (only(api, mailed)["status"], len(mail_server.mails)) == ("sent", 1)
    require_unharmed(api, intent, mailed)


@pytest.mark.parametrize("does", [{"hangs": "QUIT"}, {"cuts": "QUIT"}])
def test_an_accepted_mail_is_not_sent_again_for_what_comes_after(api, mailed, mail_server, monkeypatch, does):
    monkeypatch.setattr(mail, "TOTAL_TIMEOUT", 0.5)
    for name, value in does.items():
        setattr(mail_server.does, name, value)
    send_all_due()

    assert (only(api, mailed)["status"], len(mail_server.mails)) == ("sent", 1)


def test_a_refused_address_among_others_is_shown(api, mailed, mail_server):
    mail_server.does.refused = {"bob@example.com"}
    send_all_due()

    notice = only(api, mailed)
    assert (notice["status"], notice["last_error"]) == ("sent", "1 of 2 addresses were refused")
    assert [each.recipients for each in mail_server.mails] == [["ada@example.com"]]


def test_an_account_without_an_address_any_more_is_shown(api, asker, intent, person, mail_server):
    ada = person("ada", email="ada@example.com")
    asked = ask(asker, intent)
    ada.email = ""
    ada.save()
    send_all_due()

    assert (only(api, asked)["status"], only(api, asked)["last_error"]) == ("pending", deliveries.NO_ADDRESS)
    assert mail_server.mails == []
