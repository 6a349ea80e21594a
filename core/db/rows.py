"""Rows as named tuples, in the values that either database returns."""

from collections import namedtuple
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import repeat
from typing import Any

from django.db import models

LOCKED_AT_ONCE = 5_000  # Rows.
ROW_BYTES = 500  # Estimated size of a row without its long texts.

Row = Any
"""A named tuple of a model's fields, as either database returns them; `core.encoding` encodes both."""


@cache
def row_type(model: type[models.Model], names: tuple[str, ...] = ()) -> Any:
    """Return the named tuple class of a model's rows."""
    return namedtuple(f"{model.__name__}Row", names or attnames(model))


@cache
def measured_row_type(model: type[models.Model]) -> Any:
    """Return the named tuple class of a model's rows that end with the bytes of their texts."""
    return namedtuple(f"Measured{model.__name__}Row", [*attnames(model), "text_bytes"])


def as_rows(kind: Any, found: Iterable[Iterable[Any]]) -> list[Row]:
    """Return the values of each row as a named tuple of the class, for half of what its `_make` takes."""
    return [*map(tuple.__new__, repeat(kind), found)]


def first_within(sizes: Sequence[int], size: int, at_least: int = 1) -> tuple[int, int]:
    """Return the number of first rows that fit, and their total size."""
    used = 0
    for number, each in enumerate(sizes):
        if used + each + ROW_BYTES > size and number >= at_least:
            return number, used
        used += each + ROW_BYTES
    return len(sizes), used


@cache
def attnames(model: type[models.Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


@cache
def reference(part: type[models.Model], model: type[models.Model]) -> Any:
    """Return the field by which rows of `part` refer to one of the model."""
    return next(field for field in part._meta.concrete_fields if field.related_model is model)
