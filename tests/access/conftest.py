"""Keys that are made over the API, and the callers that hold them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Caller


@pytest.fixture(autouse=True)
def _attachments_elsewhere(settings: Any, tmp_path: Path) -> None:
    backend = {"BACKEND": "attachments.storage.FolderStorage", "OPTIONS": {"location": tmp_path / "attachments"}}
    settings.STORAGES = {**settings.STORAGES, "attachments": backend}


@pytest.fixture
def make_key(api: Caller) -> Callable[..., dict[str, Any]]:
    """`make_key("agent", agent_id="ada")`: the answer that shows the key."""

    def make(role: str = "agent", **fields: Any) -> dict[str, Any]:
        response = api.post("/keys", {"name": f"an {role}", "role": role, **fields})
        assert response.status_code == 201, response.json()
        return response.json()  # type: ignore[no-any-return]

    return make


@pytest.fixture
def caller(make_key: Callable[..., dict[str, Any]]) -> Callable[..., Caller]:
    """`caller("observer", agent_id=…, acting="bob")`: someone with a key of that role, who sends X-Agent-ID `acting`."""
    return lambda role="agent", acting=None, **fields: Caller(make_key(role, **fields)["key"], acting)
