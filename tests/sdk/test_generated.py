"""Generated modules of the SDK are current."""

import pytest

from scripts import async_resources

pytestmark = pytest.mark.database("sqlite")


def test_the_asynchronous_resources_are_generated_from_the_synchronous():
    assert async_resources.outdated() == []
