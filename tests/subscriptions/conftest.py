from collections.abc import Iterator

import pytest

from tests.subscriptions.receiving import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running
