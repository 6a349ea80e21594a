"""The example: lively, made by verbs, and true to its log."""

from random import Random

import pytest
from django.core.management import CommandError, call_command

from attachments.models import Attachment
from console.demo import bulk, live
from core.db import database_now
from costs.models import BudgetAlert
from governance.models import Arbitration
from intents.models import Event, Intent
from leasing.models import Lease
from subscriptions.models import Delivery, Subscription

pytestmark = pytest.mark.full


@pytest.fixture
def demo(db, settings, tmp_path, monkeypatch):
    settings.STORAGES = {
        **settings.STORAGES,
        "attachments": {**settings.STORAGES["attachments"], "OPTIONS": {"location": tmp_path}},
    }
    monkeypatch.setattr(bulk, "SAMPLES", 1)
    return lambda *arguments: call_command("demo", *arguments)


def test_demo_fills_every_page_and_its_log_replays_to_the_tables(demo, capsys):
    demo("--intents", "40")

    assert "intents and" in capsys.readouterr().out
    assert Intent.objects.count() >= 40
    assert Arbitration.objects.pending(database_now()).count() == 4
    assert Lease.objects.held(database_now()).count() == 4
    assert {each.level for each in BudgetAlert.objects.all()} == {"alert", "exceeded"}
    assert {each.filename for each in Attachment.objects.all()} == {"error-rate.png", "checkout-0214.log"}
    assert set(Subscription.objects.values_list("status", flat=True)) == {"active", "disabled"}
    assert all(each.history[-1]["status_code"] is None for each in Delivery.objects.filter(attempts__gt=0))
    assert Delivery.objects.filter(attempts__gt=0).exists()
    call_command("verify_log")


def test_the_same_seed_makes_the_same_work(demo):
    demo("--intents", "12", "--seed", "3")
    first = set(Intent.objects.values_list("title", flat=True))
    demo("--intents", "12", "--seed", "3", "--add")

    assert set(Intent.objects.values_list("title", flat=True)) == first


def test_a_database_with_intents_is_left_alone_unless_told(demo, make_intent):
    make_intent()
    before = Event.objects.count()

    with pytest.raises(CommandError, match="already has intents"):
        demo()
    assert Event.objects.count() == before


def test_demo_simulates_activity_until_stopped_and_its_log_still_replays(demo):
    demo("--intents", "12")
    before = Event.objects.count()
    left = iter(range(40))

    done = live.run_activity(Random(5), 0.0, type("Soon", (), {"wait": lambda self, seconds: next(left, None) is None})())

    assert done > 20
    assert Event.objects.count() >= before + done
    call_command("verify_log")
