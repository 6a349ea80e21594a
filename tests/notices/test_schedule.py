"""Quiet hours and digests delay low and normal, never high (rule H-6)."""

from datetime import UTC, datetime, timedelta

import pytest

from governance.models import Arbitration
from notices import schedule
from notices.deliveries import DIGEST_SIZE, claim_due, collect_digests
from notices.delivery_worker import send, send_all_due
from notices.models import Channel, Notice
from notices.services import tell
from tests.governance.conftest import decide
from tests.notices.conftest import ask, make_channel, notices, send_later
from tests.subscriptions.webhook_receivers import LONG_AGO

pytestmark = pytest.mark.rule("H-6")


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("quiet", "now", "sent"),
    [
        (("22:00", "07:00", "UTC"), "2026-03-01 23:00", "2026-03-02 07:00"),
        (("22:00", "07:00", "UTC"), "2026-03-01 06:59", "2026-03-01 07:00"),
        (("22:00", "07:00", "UTC"), "2026-03-01 07:00", "2026-03-01 07:00"),
        (("22:00", "07:00", "UTC"), "2026-03-01 21:59", "2026-03-01 21:59"),
        (("09:00", "17:00", "UTC"), "2026-03-01 12:00", "2026-03-01 17:00"),
        (("09:00", "17:00", "UTC"), "2026-03-01 17:30", "2026-03-01 17:30"),
        (("22:00", "07:00", "Europe/Berlin"), "2026-01-01 21:30", "2026-01-02 06:00"),
        (("22:00", "07:00", "Europe/Berlin"), "2026-07-01 20:30", "2026-07-02 05:00"),
        (("22:00", "07:00", "Europe/Berlin"), "2026-03-28 23:30", "2026-03-29 05:00"),  # The night that loses an hour.
        (("01:00", "02:30", "Europe/Berlin"), "2026-03-29 00:30", "2026-03-29 01:30"),  # 02:30 does not exist.
        (("22:00", "07:00", "Asia/Kolkata"), "2026-03-01 17:00", "2026-03-02 01:30"),
    ],
)
def test_quiet_hours_end_at_their_time_of_day(quiet, now, sent):
    begins, ends, zone = quiet
    channel = Channel(quiet_hours={"from": begins, "until": ends, "time_zone": zone})

    assert schedule.first_attempt_at(channel, "normal", at(now), None) == at(sent)
    assert schedule.first_attempt_at(channel, "high", at(now), None) == at(now)


def tell_with(asked, urgency, kind="reminder", step=1):
    question = Arbitration.objects.get(pk=asked["id"])
    question.urgency = urgency
    tell(question, kind, [], now=datetime.now(UTC), step=step)


@pytest.fixture
def quiet_now():
    """Quiet hours that hold now, and will for the time of the test."""
    now, half = datetime.now(UTC), timedelta(hours=6)
    return {"from": f"{now - half:%H:%M}", "until": f"{now + half:%H:%M}", "time_zone": "UTC"}


def test_quiet_hours_delay_low_and_normal_and_never_high(api, asker, intent, receiver, quiet_now):
    make_channel(api, receiver, quiet_hours=quiet_now)
    asked = ask(asker, intent)
    for step, urgency in enumerate(("low", "high"), start=1):
        tell_with(asked, urgency, step=step)

    assert send_all_due() == 1
    assert [(each["urgency"], each["status"]) for each in notices(api, asked)] == [
        ("normal", "pending"),
        ("low", "pending"),
        ("high", "sent"),
    ]
    assert send_later() == 2


def test_a_retry_waits_for_the_end_of_quiet_hours(api, asker, intent, receiver, quiet_now):
    make_channel(api, receiver)
    asked = ask(asker, intent)
    Channel.objects.update(quiet_hours=quiet_now)
    receiver.will_answer(500)
    send_all_due()

    retried = datetime.fromisoformat(notices(api, asked)[0]["next_attempt_at"])
    assert retried == schedule._end_of_quiet_hours(quiet_now, datetime.now(UTC)).replace(tzinfo=retried.tzinfo)


def test_a_digest_names_every_question_in_one_notice(api, asker, intent, receiver):
    make_channel(api, receiver, digest={"every_seconds": 3600})
    asked = [ask(asker, intent, f"Question {number}?") for number in range(3)]

    assert send_all_due() == 0
    assert send_later() == 1

    [call] = receiver.calls
    assert call.json["type"] == "notice.digest"
    assert [each["arbitration_id"] for each in call.json["data"]["questions"]] == [each["id"] for each in asked]
    [digest] = notices(api, kind="digest")
    assert (digest["status"], digest["arbitration_id"]) == ("sent", None)
    members = [each for question in asked for each in notices(api, question)]
    assert {(each["status"], each["digest_id"], each["attempts"]) for each in members} == {("sent", digest["id"], 1)}


@pytest.mark.parametrize("kind", ["slack", "teams", "mattermost", "discord", "ntfy"])
def test_a_digest_of_long_questions_names_each_within_the_limits(api, asker, intent, receiver, kind):
    make_channel(api, receiver.url, kind, digest={"every_seconds": 3600})
    for number in range(DIGEST_SIZE + 2):
        ask(asker, intent, f"Question-{number:02}! " + "ü" * 5_000)

    assert send_later() == 2

    said = [call.body.decode() for call in receiver.calls]
    assert [number for number in range(DIGEST_SIZE + 2) if f"Question-{number:02}!" not in "".join(said)] == []
    assert max(len(each) for each in said) < 12_000
    if kind == "ntfy":
        assert max(len(call.json["message"].encode()) for call in receiver.calls) <= 4_096
    if kind == "discord":
        assert (
            max(sum(len(each["description"]) + len(each["title"]) for each in call.json["embeds"]) for call in receiver.calls)
            <= 6_000
        )


def test_later_questions_join_the_digest_that_is_due_first(api, asker, intent, receiver):
    make_channel(api, receiver, digest={"every_seconds": 3600})
    first, second = ask(asker, intent), ask(asker, intent, "Another?")

    assert notices(api, first)[0]["next_attempt_at"] == notices(api, second)[0]["next_attempt_at"]


def test_high_urgency_waits_for_no_digest(api, asker, intent, receiver):
    make_channel(api, receiver, digest={"every_seconds": 3600})
    asked = ask(asker, intent)
    tell_with(asked, "high", "escalation")

    assert send_all_due() == 1
    assert [call.json["type"] for call in receiver.calls] == ["notice.escalation"]


def test_a_digest_leaves_out_what_was_answered_before_it(api, asker, intent, receiver):
    make_channel(api, receiver, digest={"every_seconds": 3600})
    answered, waiting = ask(asker, intent), ask(asker, intent, "Another?")
    decide(api, intent, "yes", arbitration_id=answered["id"])
    send_later()

    [call] = receiver.calls
    assert [each["arbitration_id"] for each in call.json["data"]["questions"]] == [waiting["id"]]
    assert [each["status"] for each in notices(api, answered)] == ["obsolete"]


def test_a_failed_digest_is_retried_as_one(api, asker, intent, receiver):
    make_channel(api, receiver, digest={"every_seconds": 3600})
    asked = [ask(asker, intent), ask(asker, intent, "Another?")]
    receiver.will_answer(500)
    send_later()
    assert {each["status"] for question in asked for each in notices(api, question)} == {"pending"}
    send_later()

    assert (len(receiver.ids), len({*receiver.ids})) == (2, 1)
    assert {each["status"] for question in asked for each in notices(api, question)} == {"sent"}


def test_a_crash_after_a_digest_was_sent_sends_it_again_under_the_same_id(api, asker, intent, receiver):
    make_channel(api, receiver, digest={"every_seconds": 3600})
    ask(asker, intent)
    Notice.objects.update(next_attempt_at=LONG_AGO)
    assert collect_digests() == 1
    [claimed] = claim_due(8)
    send(claimed)  # Here the process ends.
    Notice.objects.filter(claim__isnull=False).update(claimed_until=LONG_AGO)

    assert (send_all_due(), len(receiver.ids), len({*receiver.ids})) == (1, 2, 1)


def test_a_notice_of_a_digest_may_be_sent_at_once_by_hand(api, asker, intent, receiver):
    make_channel(api, receiver, digest={"every_seconds": 3600})
    asked = ask(asker, intent)

    api.post(f"/notices/{notices(api, asked)[0]['id']}/resend")

    assert (send_all_due(), [call.json["type"] for call in receiver.calls]) == (1, ["notice.asked"])
