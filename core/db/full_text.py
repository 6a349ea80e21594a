"""Full-text indexes: the words of a table's rows, found by their beginnings (D-284).

PostgreSQL has them as `tsvector`, SQLite as FTS5. Triggers keep an index, so it has what the table has, whoever wrote it.
They fire where one of its columns is written: other updates of a row, of which an intent has many, do not touch it. That is
also why the words are in a table of their own. An index of the table itself would get an entry with every update on PostgreSQL.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django.db import connection
from django.db.models import BooleanField, F, Func, QuerySet, UUIDField

from core import db

MAX_SEARCH = 500
"""Characters of a search: as many as a title has."""
MAX_WORDS = 32
COMMON = 3_000
"""Rows from which on words are common."""
INDEXED = 20_000
"""Characters of a row's text that are indexed. PostgreSQL takes no vector of more than 1 MB."""

_PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
"""It separates words on both databases: PostgreSQL would take `porto.example/visa` for one word, an address."""
_SEPARATORS = re.compile(rf"[\s\x00-\x1f\x7f{re.escape(_PUNCTUATION)}]+")
_ID_START = re.compile("[0-9a-f]{4,32}")


def search_words(text: str) -> list[str]:
    """Return the words of a search, without those that begin another one. Of more than MAX_WORDS the longest remain."""
    words = {each.lower() for each in _SEPARATORS.split(text) if any(character.isalnum() for character in each)}
    longest = sorted(words, key=lambda word: (-len(word), word))
    kept = [word for place, word in enumerate(longest) if not any(other.startswith(word) for other in longest[:place])]
    return kept[:MAX_WORDS]


def id_range(text: str) -> tuple[UUID, UUID] | None:
    """Return the lowest and the highest id that begins with the text. None: no id does, or it has less than four digits."""
    text = text.strip().lower()
    digits = text.replace("-", "")
    if not _ID_START.fullmatch(digits):
        return None
    lowest = UUID(digits.ljust(32, "0"))
    is_start = text == digits or str(lowest).startswith(text)
    return (lowest, UUID(digits.ljust(32, "f"))) if is_start else None


def filter_by_id_start(queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
    """Filter for rows whose id begins with the text."""
    ids = id_range(text)
    return queryset.filter(pk__range=ids) if ids else queryset.none()


@dataclass(frozen=True, slots=True)
class FullTextIndex:
    """The words of some columns of a table whose primary key is the UUID `id`."""

    table: str
    columns: Sequence[str]

    def search(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        """Filter for rows that have all the words, each by its beginning and in any case, or whose id begins with the text."""
        words, ids = search_words(text), id_range(text)
        selects: list[str] = []
        values: list[Any] = []
        is_common = False
        if words:
            selects.append(self._sql.select.format(self._sql.terms(words)))
            is_common = self._is_common(selects[0])
        if ids:
            selects.append(f"SELECT id FROM {self.table} WHERE id BETWEEN %s AND %s")
            values += [UUIDField().get_db_prep_value(each, connection) for each in ids]
        if not selects:
            return queryset.none()
        return queryset.filter(_IsAmong(F("pk"), sql=" UNION ALL ".join(selects), values=values, is_common=is_common))

    def _is_common(self, select: str) -> bool:
        """Return whether the words find so many rows that reading and sorting all of them would take long."""
        return cast(int, db.fetch_all(f"SELECT count(*) FROM ({select} LIMIT {COMMON})", [])[0][0]) == COMMON

    def create(self) -> None:
        """Create the index with its triggers, and fill it. For a migration: its transaction keeps writers out meanwhile."""
        sql = self._sql
        _execute(*sql.tables, *sql.triggers, *sql.fill)

    def drop(self) -> None:
        _execute(*self._sql.drop)

    def install_triggers(self) -> None:
        """Create the triggers if the index exists. Idempotent: SQLite drops them when a migration rebuilds the table."""
        if self._exists():
            _execute(*self._sql.triggers)

    def has_triggers(self) -> bool:
        """Return whether nothing keeps the index from following its table."""
        sql = self._sql
        return not self._exists() or db.fetch_all(sql.count_triggers, [])[0][0] == len(sql.triggers) - sql.functions

    def _exists(self) -> bool:
        return f"{self.table}_words" in connection.introspection.table_names()

    @property
    def _sql(self) -> "_Statements":
        return _sqlite(self) if connection.vendor == "sqlite" else _postgresql(self)


class _IsAmong(Func):
    """Whether the key is among those that the SQL selects."""

    output_field = BooleanField()

    def __init__(self, *keys: Any, sql: str, values: Sequence[Any], is_common: bool) -> None:
        super().__init__(*keys)
        self.sql, self.values, self.is_common = sql, values, is_common

    def as_sql(self, compiler: Any, connection: Any, **_: Any) -> Any:  # type: ignore[override]
        """Return the SQL. For common words the database follows the index of the list's order, and stops at the end of the page.

        Else it would read all rows that they find, and sort them. Neither database knows how many these are: a sign says it to
        SQLite, a subquery that depends on the row to PostgreSQL.
        """
        key, values = compiler.compile(self.source_expressions[0])
        if connection.vendor == "sqlite":
            return f"{'+' if self.is_common else ''}{key} IN ({self.sql})", [*values, *self.values]
        if self.is_common:
            return f"(SELECT count(*) FROM ({self.sql}) AS found WHERE found.id = {key}) > 0", [*self.values, *values]
        return f"{key} = ANY (ARRAY({self.sql}))", [*values, *self.values]


@dataclass(frozen=True, slots=True)
class _Statements:
    tables: list[str]
    triggers: list[str]
    functions: int
    """How many of these are no triggers."""
    count_triggers: str
    fill: list[str]
    drop: list[str]
    select: str
    """The ids of rows with the words. They are no parameter: a plan for any words would not know how common these are."""
    word: str
    """A word there. It has no quote, backslash or percent sign, since punctuation separates words."""
    separator: str

    def terms(self, words: Sequence[str]) -> str:
        return self.separator.join(self.word.format(word) for word in words)


def _sqlite(index: FullTextIndex) -> _Statements:
    """FTS5 numbers rows, and does not keep their text: `_rows` has the id of each number."""
    table, words = index.table, f"{index.table}_words"

    def text(row: str) -> str:
        joined = " || ' ' || ".join(f"coalesce({row}{name}, '')" for name in index.columns)
        return f"substr({joined}, 1, {INDEXED})"

    remove = (
        f"INSERT INTO {words} ({words}, rowid, body) SELECT 'delete', row, {text('OLD.')} FROM {words}_rows WHERE id = OLD.id"
    )
    changed = " OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in index.columns)
    return _Statements(
        tables=[
            f"CREATE TABLE {words}_rows (row integer PRIMARY KEY, id char(32) NOT NULL UNIQUE)",
            f"CREATE VIRTUAL TABLE {words} USING fts5(body, content='', columnsize=0, tokenize='unicode61 remove_diacritics 0')",
        ],
        triggers=[
            f"""CREATE TRIGGER IF NOT EXISTS {words}_insert AFTER INSERT ON {table} BEGIN
                INSERT INTO {words}_rows (id) VALUES (NEW.id);
                INSERT INTO {words} (rowid, body) VALUES (last_insert_rowid(), {text("NEW.")}); END""",
            f"""CREATE TRIGGER IF NOT EXISTS {words}_update AFTER UPDATE OF {", ".join(index.columns)} ON {table}
                WHEN {changed} BEGIN
                {remove};
                INSERT INTO {words} (rowid, body) SELECT row, {text("NEW.")} FROM {words}_rows WHERE id = NEW.id; END""",
            f"""CREATE TRIGGER IF NOT EXISTS {words}_delete AFTER DELETE ON {table} BEGIN
                {remove};
                DELETE FROM {words}_rows WHERE id = OLD.id; END""",
        ],
        functions=0,
        count_triggers=f"SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name LIKE '{words}_%%'",
        fill=[
            f"INSERT INTO {words}_rows (id) SELECT id FROM {table} ORDER BY id",
            f"INSERT INTO {words} (rowid, body) SELECT r.row, {text('t.')} FROM {words}_rows r JOIN {table} t ON t.id = r.id ORDER BY 1",
        ],
        drop=[
            *(f"DROP TRIGGER {words}_{verb}" for verb in ("insert", "update", "delete")),
            f"DROP TABLE {words}",
            f"DROP TABLE {words}_rows",
        ],
        select=f"SELECT r.id FROM {words} CROSS JOIN {words}_rows r ON r.row = {words}.rowid WHERE {words} MATCH '{{}}'",
        word='"{}"*',
        separator=" ",
    )


def _postgresql(index: FullTextIndex) -> _Statements:
    table, words = index.table, f"{index.table}_words"
    punctuation = _PUNCTUATION.replace("'", "''")

    def vector(row: str) -> str:
        text = f"left(concat_ws(' ', {', '.join(f'{row}{name}' for name in index.columns)}), {INDEXED})"
        return f"to_tsvector('simple', translate({text}, '{punctuation}', '{' ' * len(_PUNCTUATION)}'))"

    changed = " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in index.columns)
    events = {
        "insert": "AFTER INSERT ON {} FOR EACH ROW",
        "update": f"AFTER UPDATE OF {', '.join(index.columns)} ON {{}} FOR EACH ROW WHEN ({changed})",
        "delete": "AFTER DELETE ON {} FOR EACH ROW",
        "truncate": "AFTER TRUNCATE ON {}",
    }
    return _Statements(
        tables=[
            f"CREATE TABLE {words} (id uuid PRIMARY KEY, words tsvector NOT NULL)",
            f"CREATE INDEX {words}_found ON {words} USING gin (words)",
        ],
        triggers=[
            f"""CREATE OR REPLACE FUNCTION {words}_follow() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    IF TG_OP = 'INSERT' THEN
                        INSERT INTO {words} VALUES (NEW.id, {vector("NEW.")});
                    ELSIF TG_OP = 'UPDATE' THEN
                        UPDATE {words} SET words = {vector("NEW.")} WHERE id = NEW.id;
                    ELSIF TG_OP = 'DELETE' THEN
                        DELETE FROM {words} WHERE id = OLD.id;
                    ELSE
                        TRUNCATE {words};
                    END IF;
                    RETURN NULL;
                END $$""",
            *(
                f"CREATE OR REPLACE TRIGGER {words}_{verb} {event.format(table)} EXECUTE FUNCTION {words}_follow()"
                for verb, event in events.items()
            ),
        ],
        functions=1,
        count_triggers=f"SELECT count(*) FROM pg_trigger WHERE tgname LIKE '{words}_%%' AND tgenabled <> 'D'",
        fill=[f"INSERT INTO {words} SELECT id, {vector('')} FROM {table}", f"ANALYZE {words}"],
        drop=[
            *(f"DROP TRIGGER {words}_{verb} ON {table}" for verb in events),
            f"DROP FUNCTION {words}_follow",
            f"DROP TABLE {words}",
        ],
        select=f"SELECT id FROM {words} WHERE words @@ to_tsquery('simple', '{{}}')",
        word="''{}'':*",
        separator=" & ",
    )


def _execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for each in statements:
            cursor.execute(each)
