"""Generated modules of the SDK are current, and know what the server knows."""

import pytest
from openintent.enums import ErrorCode, EventType

from scripts.sdk.__main__ import outdated
from scripts.sdk.enums import catalogue

pytestmark = pytest.mark.database("sqlite")


def test_the_generated_modules_are_current():
    assert outdated() == []


def test_the_sdk_knows_the_codes_and_events_of_the_server():
    from intents.events import EventType as Written  # noqa: PLC0415

    assert set(ErrorCode) == set(catalogue())
    assert set(Written.values) < set(EventType)
