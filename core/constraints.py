"""Violated constraints as refusals: the second line behind the checks of verbs, in place of an internal error."""

from functools import cache
from typing import Any

from django.apps import apps
from django.db import IntegrityError
from django.db.models import UniqueConstraint

from core.errors import ProtocolError
from core.registration import protocol_apps


def refusal_of(error: IntegrityError) -> ProtocolError | None:
    """Return the refusal that an app names for the violated constraint (`ProtocolAppConfig.refusals`), or None."""
    name = violated_constraint(error)
    for config in protocol_apps():
        if name in config.refusals:
            return config.refusals[name].without_data(f"The database refused the write: it violates {name}.")
    return None


def violated_constraint(error: IntegrityError) -> str:
    """Return the name of the violated constraint. The columns of a unique field make the name that PostgreSQL gives it."""
    if diagnostics := getattr(error.__cause__, "diag", None):
        return str(diagnostics.constraint_name)
    _, _, violated = str(error).partition(" constraint failed: ")
    return _names_by_columns().get(violated, violated)


@cache
def _names_by_columns() -> dict[str, str]:
    """Return the names of unique constraints by their columns, which is what SQLite reports."""
    found: dict[str, str] = {}
    for model in apps.get_models():
        meta: Any = model._meta
        found |= {
            _columns(meta, [field.name]): f"{meta.db_table}_{field.column}_key" for field in meta.concrete_fields if field.unique
        }
        found |= {_columns(meta, each.fields): each.name for each in meta.constraints if isinstance(each, UniqueConstraint)}
    return found


def _columns(meta: Any, names: Any) -> str:
    return ", ".join(f"{meta.db_table}.{meta.get_field(name).column}" for name in names)
