"""Helpers and fixtures of attachments."""

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
    """Return the folder in which the bytes are stored."""
    location = tmp_path / "attachments"
    backend = {"BACKEND": "attachments.storage.FolderStorage", "OPTIONS": {"location": location}}
    settings.STORAGES = {**settings.STORAGES, "attachments": backend}
    return location


@pytest.fixture
def attach(api: Any) -> Callable[..., Any]:
    """`attach(intent, b"…", filename=…)`: the response to an upload as base64."""

    def send(intent: dict[str, Any], content: bytes = PDF, **fields: Any) -> Any:
        body = {"filename": "report.pdf", "content_base64": base64.b64encode(content).decode(), **fields}
        return api.post(f"/intents/{intent['id']}/attachments", body)

    return send


def upload(api: Any, intent: dict[str, Any], form: dict[str, Any], **headers: str) -> Any:
    """Return the response to a form upload. Values may be files."""
    with transaction.atomic():
        return api.client.post(f"{API}/intents/{intent['id']}/attachments", form, headers={**api.headers, **headers})


def get_content(api: Any, attachment: dict[str, Any], method: str = "get", **headers: str) -> Any:
    """Return the response to a download, with the bytes as its `body`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    response = getattr(api.client, method)(attachment["url"], headers={**api.headers, **named})
    response.body = response.getvalue()  # Else the file would stay open.
    return response


def stored_files(folder: Path) -> list[str]:
    """Return the names of the files in the storage."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
