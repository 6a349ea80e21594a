"""Fixtures of the subscription tests."""

from collections.abc import Iterator

import pytest

from tests.subscriptions.webhook_receivers import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running
