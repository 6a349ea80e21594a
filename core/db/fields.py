"""Model field for JSON kept as text."""

from typing import TYPE_CHECKING, Any

import orjson
from django.db import models

from core import strict_json

if TYPE_CHECKING:
    _TextField = models.TextField[Any, Any]
else:
    _TextField = models.TextField


class JSONTextField(_TextField):
    """A JSON value kept as the very text that was written.

    PostgreSQL's jsonb reorders keys and rewrites numbers, and differs from SQLite;
    a log that is replayed and compared needs neither.
    """

    if TYPE_CHECKING:
        _pyi_private_set_type: Any
        _pyi_private_get_type: Any

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Any:
        return None if value is None else orjson.loads(value)

    def get_prep_value(self, value: Any) -> str | None:
        return None if value is None else strict_json.text(value)

    def to_python(self, value: Any) -> Any:
        return orjson.loads(value) if isinstance(value, str) else value

    def value_to_string(self, obj: models.Model) -> str:
        return strict_json.text(self.value_from_object(obj))
