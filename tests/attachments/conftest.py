import base64
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from tests.conftest import API

PDF = b"%PDF-1.7 not really"


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    """Where the bytes are stored."""
    place = tmp_path / "attachments"
    backend = {"BACKEND": "attachments.storage.FolderStorage", "OPTIONS": {"location": place}}
    settings.STORAGES = {**settings.STORAGES, "attachments": backend}
    return place


@pytest.fixture
def attach(api: Any) -> Callable[..., Any]:
    """`attach(intent, b"…", filename=…)`: the answer to bytes that are sent as base64."""

    def send(intent: dict[str, Any], content: bytes = PDF, **fields: Any) -> Any:
        body = {"filename": "report.pdf", "content_base64": base64.b64encode(content).decode(), **fields}
        return api.post(f"/intents/{intent['id']}/attachments", body)

    return send


def upload(api: Any, intent: dict[str, Any], form: dict[str, Any], **headers: str) -> Any:
    """The answer to a form. A value that is a file is one of its files."""
    with transaction.atomic():
        return api.client.post(f"{API}/intents/{intent['id']}/attachments", form, headers={**api.headers, **headers})


def content_of(api: Any, attachment: dict[str, Any], method: str = "get", **headers: str) -> Any:
    """The answer to asking for its bytes, and all of them as its `body`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    response = getattr(api.client, method)(attachment["url"], headers={**api.headers, **named})
    response.body = response.getvalue()  # Else the file would stay open.
    return response


def stored(folder: Path) -> list[str]:
    """The names of the files in the storage."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
