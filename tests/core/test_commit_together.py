"""Transactions of SQLite that are committed together (core.db.backends.sqlite)."""

import sqlite3
import threading
import time

import pytest
from django.db import IntegrityError, OperationalError, connections, transaction

from core import env
from core.db.backends.sqlite import base
from core.db.backends.sqlite.base import DatabaseWrapper

TABLE = (
    "CREATE TABLE line (id INTEGER PRIMARY KEY, text TEXT UNIQUE, parent INTEGER REFERENCES line DEFERRABLE INITIALLY DEFERRED)"
)


@pytest.fixture
def database(tmp_path, monkeypatch, django_db_blocker):
    """A connection of this thread to a database with one empty table."""
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'a.db'}")
    settings = {**connections["default"].settings_dict, **env.database()}
    connections["own"] = connection = DatabaseWrapper(settings, alias="own")
    with django_db_blocker.unblock():
        connection.run(TABLE, [])
        yield connection
        connection.close()
    del connections["own"]


@pytest.fixture
def committed(database):
    """Return the lines that others see."""
    other = sqlite3.connect(database.settings_dict["NAME"])
    yield lambda: [text for (text,) in other.execute("SELECT text FROM line ORDER BY id")]
    other.close()


def write(database, text, parent=None, *, on_commit=None):
    with transaction.atomic(using="own"):
        database.run("INSERT INTO line (text, parent) VALUES (?, ?)", [text, parent])
        if on_commit:
            transaction.on_commit(on_commit, using="own")


@transaction.atomic(using="own")
def write_all(database, *texts):
    for text in texts:
        write(database, text)


def test_transactions_are_committed_at_the_end(database, committed):
    with database.commit_together() as may_go_on:
        write(database, "a")
        write(database, "b")
        assert database.run("SELECT COUNT(*) FROM line", []) == [(2,)]
        assert committed() == []
        assert may_go_on()

    assert committed() == ["a", "b"]
    write(database, "c")
    assert committed() == ["a", "b", "c"]


def test_connection_may_be_opened_by_the_first_of_them(database, committed):
    database.close()
    with database.commit_together():
        write(database, "a")
        write(database, "b")

    database.run("INSERT INTO line (text) VALUES (?)", ["c"])
    assert committed() == ["a", "b", "c"]


def test_transaction_that_fails_takes_back_its_own_writes_alone(database, committed):
    with database.commit_together():
        write(database, "a")
        with pytest.raises(IntegrityError):
            write_all(database, "b", "c", "a")
        write_all(database, "d", "e")

    assert committed() == ["a", "d", "e"]


def test_functions_run_after_the_commit(database, committed):
    seen = []

    def note(name):
        return lambda: seen.append((name, committed()))

    def fail():
        raise LookupError("on_commit")

    with database.commit_together():
        write(database, "a", on_commit=note("first"))
        with pytest.raises(IntegrityError):
            write(database, "a", on_commit=note("never"))
        write(database, "b", on_commit=fail)
        write(database, "c", on_commit=note("second"))
        assert seen == []

    assert seen == [("first", ["a", "b", "c"]), ("second", ["a", "b", "c"])]
    assert database.run_on_commit == []


def test_block_without_a_transaction_leaves_the_database_to_others(database):
    with database.commit_together():
        assert database.run("SELECT 1", []) == [(1,)]
        assert base._writer.acquire(timeout=0)
        base._writer.release()


@pytest.mark.parametrize("loss", ["rolled back by the database", "closed"])
def test_lost_transactions_are_said_to_be_lost(database, committed, loss):
    called = []

    def lose():
        with database.commit_together() as may_go_on:
            write(database, "a", on_commit=called.append)
            if loss == "closed":
                database.close()
            else:
                database.connection.rollback()  # As SQLite does of itself when it cannot write.
            assert not may_go_on()
            with pytest.raises(OperationalError):
                write(database, "b")

    with pytest.raises(OperationalError, match="rolled back"):
        lose()

    assert committed() == called == []
    write(database, "c")
    assert committed() == ["c"]


@pytest.mark.parametrize(
    ("error", "second"),
    [(IntegrityError, lambda database: write(database, "b", parent=99)), (KeyError, lambda database: {}.pop(database))],
    ids=["commit refused", "block failed"],
)
def test_block_that_fails_writes_nothing(database, committed, error, second):
    def fail():
        with database.commit_together():
            write(database, "a")
            second(database)

    with pytest.raises(error):
        fail()

    assert committed() == []
    write(database, "c")
    assert committed() == ["c"]


def test_writers_take_turns_in_the_order_of_asking():
    queue, turns = base._Queue(), []
    assert queue.acquire(timeout=0)

    def take(name):
        assert queue.acquire(timeout=30)
        turns.append(name)
        queue.release()

    threads = [threading.Thread(target=take, args=[name]) for name in range(5)]
    for number, thread in enumerate(threads, 1):
        thread.start()
        while len(queue._waiting) < number:
            time.sleep(0.001)
    assert not queue.acquire(timeout=0.001)
    queue.release()
    for thread in threads:
        thread.join()

    assert turns == [*range(5)]
    assert queue.acquire(timeout=0)
