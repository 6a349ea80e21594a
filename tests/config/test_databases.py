"""Database backends: statements passed directly to the driver."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import IntegrityError
from django.db import connection as shared

pytestmark = [pytest.mark.database("sqlite", "postgresql"), pytest.mark.fast_paths]


@pytest.fixture
def connection(django_db_setup, django_db_blocker) -> Iterator[Any]:
    """A connection of the test's own, with a table of its own."""
    with django_db_blocker.unblock():
        own: Any = shared.copy()
        own.run("CREATE TEMPORARY TABLE note (words text UNIQUE)", [])
        yield own
        own.close()


@contextmanager
def a_transaction(connection: Any) -> Iterator[None]:
    """As transaction.atomic, which knows registered connections only."""
    connection.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    try:
        yield
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    finally:
        connection.set_autocommit(True)


def write_later(connection: Any, words: str) -> None:
    connection.run_later(f"INSERT INTO note VALUES ({place(connection)})", [words])


def place(connection: Any) -> str:
    return "?" if connection.vendor == "sqlite" else "%s"


def notes(connection: Any) -> list[str]:
    return [words for (words,) in connection.run("SELECT words FROM note ORDER BY words", [])]


def test_text_arrives_as_it_was(connection):
    strange = 'O\'Brien \\ "%s" ; COMMIT; $1 ☃ \n'

    asked = f"SELECT CAST({place(connection)} AS text), CAST({place(connection)} AS text)"

    assert connection.run(asked, [strange, None]) == [(strange, None)]


def test_deferred_statement_runs_before_the_next_one_of_either_kind(connection):
    with a_transaction(connection):
        write_later(connection, "a")
        assert notes(connection) == ["a"]
        write_later(connection, "b")
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM note")
            assert cursor.fetchone() == (2,)


def test_deferred_statement_is_written_with_the_commit(connection):
    with a_transaction(connection):
        write_later(connection, "a")
        write_later(connection, "b")

    assert notes(connection) == ["a", "b"]


def test_without_a_transaction_nothing_waits(connection):
    write_later(connection, "a")

    with connection.cursor() as cursor:
        cursor.execute("SELECT words FROM note")
        assert cursor.fetchall() == [("a",)]


def test_deferred_statement_is_dropped_by_a_rollback(connection):
    def fail() -> None:
        with a_transaction(connection):
            write_later(connection, "a")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert notes(connection) == []


def test_an_error_in_what_runs_later_undoes_the_transaction(connection):
    def fail() -> None:
        with a_transaction(connection):
            write_later(connection, "a")
            write_later(connection, "a")

    with pytest.raises(IntegrityError):
        fail()

    assert notes(connection) == []
    write_later(connection, "b")
    assert notes(connection) == ["b"]
