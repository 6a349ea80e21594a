"""Fixtures of the document tests: settings of a model provider."""

from collections.abc import Iterator

import pytest

from examples.fake_provider import FakeProvider


@pytest.fixture(scope="session")
def provider() -> Iterator[FakeProvider]:
    with FakeProvider() as running:
        yield running


@pytest.fixture(autouse=True)
def _keys(provider: FakeProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    """Point the providers' own settings at the fake provider."""
    for name, path in ("OPENAI", "/v1"), ("ANTHROPIC", ""):
        monkeypatch.setenv(f"{name}_BASE_URL", f"{provider.url}{path}")
        monkeypatch.setenv(f"{name}_API_KEY", "fake")
