"""Helpers of plans."""

from typing import Any

from django.apps import apps
from django.db import connection


def plan(*intents: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return the body of a plan; an intent without a title has its ref as one."""
    return {"intents": [{"title": each.get("ref", "Untitled"), **each} for each in intents], **fields}


def row_counts() -> dict[str, int]:
    """Return the number of rows of each table."""
    connection.check_constraints()  # Deferred ones are otherwise checked at a commit that no test reaches.
    return {model._meta.label: model._default_manager.count() for model in apps.get_models() if model._meta.managed}


def error_fields(response: Any) -> dict[str, str]:
    """Return the code of each error by its field."""
    assert response.status_code == 400, response.json()
    return {each["field"]: each["code"] for each in response.json()["errors"]}
