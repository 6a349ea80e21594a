"""What the documents' readers have, besides a server: a key of a model provider."""

from collections.abc import Iterator

import pytest

from examples.fake_provider import FakeProvider


@pytest.fixture(scope="session")
def provider() -> Iterator[FakeProvider]:
    with FakeProvider() as running:
        yield running


@pytest.fixture(autouse=True)
def _keys(provider: FakeProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    """The providers' own settings, which lead to the fake one."""
    for name, path in ("OPENAI", "/v1"), ("ANTHROPIC", ""):
        monkeypatch.setenv(f"{name}_BASE_URL", f"{provider.url}{path}")
        monkeypatch.setenv(f"{name}_API_KEY", "fake")
