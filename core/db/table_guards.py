"""Table guards: triggers that refuse changes of a table's rows.

SQLite drops triggers when a migration rebuilds a table, so they are created after every migration, not in one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.checks import Error
from django.db import connection

from core import db

HINT = "Run manage.py migrate."


@dataclass(frozen=True, slots=True)
class TableGuard:
    """The triggers of a table, whose names begin with `prefix`, by the statements that create them, each idempotent.

    subject: What they guard, in the text of the error.
    error_id: Id of the error that some are missing.
    """

    table: str
    prefix: str
    subject: str
    error_id: str
    sqlite: Sequence[str]
    postgresql: Sequence[str]

    def install(self) -> None:
        """Create the triggers, unless the database has been migrated back to before their table."""
        if not self._has_table():
            return
        with connection.cursor() as cursor:
            for statement in self._statements():
                cursor.execute(statement)

    def check(self) -> list[Error]:
        """Return an error if triggers are missing or switched off."""
        if not self._has_table():
            return []
        expected = sum(statement.startswith(("CREATE TRIGGER", "CREATE OR REPLACE TRIGGER")) for statement in self._statements())
        found = len(db.fetch_all(_FIND[connection.vendor], [self.table, f"{self.prefix}%"]))
        if found == expected:
            return []
        return [Error(f"{found} of {expected} triggers guard {self.subject}.", hint=HINT, id=self.error_id)]

    def _has_table(self) -> bool:
        return self.table in connection.introspection.table_names()

    def _statements(self) -> Sequence[str]:
        return self.sqlite if connection.vendor == "sqlite" else self.postgresql


_FIND = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s AND name LIKE %s",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND tgname LIKE %s AND tgenabled <> 'D'",
}
