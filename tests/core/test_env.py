"""The environment: what can be used is, what cannot is refused with the accepted form."""

import os
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.exceptions import ImproperlyConfigured

from core import env
from core.secret_key import secret_key

NAME = "OPENINTENT_SOMETHING"


def read(monkeypatch, kind, text, *more, **options):
    monkeypatch.setenv(NAME, text)
    return kind(NAME, *more, **options)


@pytest.mark.parametrize(("text", "value"), [("true", True), ("1", True), ("ON", True), ("no", False), ("0", False), ("", True)])
def test_flags(monkeypatch, text, value):
    assert read(monkeypatch, env.flag, text, True) is value


@pytest.mark.parametrize(("text", "value"), [("7", 7), ("007", 7), ("", 5)])
def test_numbers(monkeypatch, text, value):
    assert read(monkeypatch, env.number, text, 5, least=1) == value


@pytest.mark.parametrize(("text", "value"), [("a,b", ["a", "b"]), (" a , ,b,", ["a", "b"]), ("", [])])
def test_words(monkeypatch, text, value):
    assert read(monkeypatch, env.words, text) == value


@pytest.mark.parametrize(("text", "value"), [("debug", "debug"), ("INFO", "info"), ("", "info")])
def test_choices(monkeypatch, text, value):
    assert read(monkeypatch, env.one_of, text, "info", ["debug", "info"]) == value


@pytest.mark.parametrize(
    ("kind", "more", "text", "accepted"),
    [
        (env.flag, (True,), "maybe", "true or false"),
        (env.number, (5,), "-1", "a whole number of 0 or more"),
        (env.number, (5,), "1.5", "a whole number"),
        (env.number, (5,), "²", "a whole number"),
        (env.one_of, ("info", ["debug", "info"]), "loud", "one of debug, info"),
        (env.rate, (), "fast", "600/minute"),
        (env.rate, (), "0/minute", "600/minute"),
        (env.rate, (), "5/year", "600/minute"),
    ],
)
def test_invalid_value_is_refused_with_the_accepted_form(monkeypatch, kind, more, text, accepted):
    with pytest.raises(ImproperlyConfigured, match=f"{NAME}='{text}' is invalid.*{accepted}"):
        read(monkeypatch, kind, text, *more)


@pytest.mark.parametrize("text", ["0", "65536"])
def test_numbers_within_bounds(monkeypatch, text):
    with pytest.raises(ImproperlyConfigured, match="from 1 to 65535"):
        read(monkeypatch, env.number, text, 5, least=1, most=65_535)


def test_an_sqlite_file_is_used_with_safe_settings(monkeypatch, tmp_path):
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/a.db")

    database = env.database()

    assert (database["ENGINE"], database["NAME"]) == ("core.db.backends.sqlite", f"{tmp_path}/a.db")
    assert database["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "synchronous=FULL" in database["OPTIONS"]["init_command"]


@pytest.mark.fast_paths
@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_a_postgresql_server_is_used(monkeypatch, scheme):
    monkeypatch.setenv("DATABASE_URL", f"{scheme}://ada:pass%40word@db.local:5433/house")

    database = env.database()

    assert database["ENGINE"] == "core.db.backends.postgresql"
    assert [database[name] for name in ("USER", "PASSWORD", "HOST", "PORT", "NAME")] == [
        "ada",
        "pass@word",
        "db.local",
        5433,
        "house",
    ]


@pytest.mark.parametrize(
    "url", ["mysql://a/b", "house.db", "sqlite:///", "sqlite:a.db", "postgresql://host", "postgresql://host:port/x"]
)
def test_unsupported_database_is_refused(monkeypatch, url):
    monkeypatch.setenv("DATABASE_URL", url)

    with pytest.raises(ImproperlyConfigured, match="Accepted: sqlite:///"):
        env.database()


def test_no_message_shows_a_password(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://ada:geheim@host:port/x")

    with pytest.raises(ImproperlyConfigured) as refusal:
        env.database()

    assert "geheim" not in str(refusal.value)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("LOCALHOST.", True),
        ("::ffff:127.0.0.1", True),
        ("::ffff:10.0.0.1", False),
        ("localhost.example.org", False),
        ("", False),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("example.org", False),
    ],
)
def test_which_hosts_only_this_machine_reaches(host, loopback):
    assert env.is_loopback(host) is loopback


def sqlite(folder):
    return {"ENGINE": "core.db.backends.sqlite", "NAME": str(folder / "a.db")}


def test_the_secret_key_is_made_once_and_kept_beside_the_file(monkeypatch, tmp_path):
    monkeypatch.delenv("OPENINTENT_SECRET_KEY")

    first = secret_key(sqlite(tmp_path), dev_mode=False)

    assert len(first) == 64
    assert secret_key(sqlite(tmp_path), dev_mode=False) == first
    assert [file.name for file in tmp_path.iterdir()] == ["a.db.secret"]
    assert (tmp_path / "a.db.secret").stat().st_mode & 0o077 == 0


def test_servers_that_share_a_database_must_be_given_a_secret_key(monkeypatch):
    monkeypatch.delenv("OPENINTENT_SECRET_KEY")
    shared = {"ENGINE": "core.db.backends.postgresql", "NAME": "house"}

    with pytest.raises(ImproperlyConfigured, match="OPENINTENT_SECRET_KEY is not set"):
        secret_key(shared, dev_mode=False)

    assert secret_key(shared, dev_mode=True)


def test_a_short_secret_key_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("OPENINTENT_SECRET_KEY", "short")

    with pytest.raises(ImproperlyConfigured, match="at least 32 random characters"):
        secret_key(sqlite(tmp_path), dev_mode=True)


def test_a_place_that_cannot_be_written_is_refused(monkeypatch, tmp_path):
    monkeypatch.delenv("OPENINTENT_SECRET_KEY")

    with pytest.raises(ImproperlyConfigured, match=r"cannot be used: No such file or directory.*DATABASE_URL"):
        secret_key(sqlite(tmp_path / "missing"), dev_mode=True)


def test_every_setting_is_documented_and_known():
    page = (Path(__file__).parents[2] / "docs/reference/settings.md").read_text()
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    documented = {
        name.replace("…", "OPENINTENT_ATTACHMENTS_S3") for row in rows for name in re.findall(r"`((?:OPENINTENT|…)_\w+)`", row)
    }

    assert documented == set(env.SETTINGS)


@pytest.mark.case("console M23")
@pytest.mark.parametrize(
    ("name", "meant"),
    [("OPENINTENT_PROT", "OPENINTENT_PORT"), ("OPENINTENT_LOGLEVEL", "OPENINTENT_LOG_LEVEL"), ("OPENINTENT_DEVMODE", "OPENINTENT_DEV_MODE"),
     ("OPENINTENT_API_KYES", "OPENINTENT_API_KEYS"), ("OPENINTENT_FROBNICATE", None)],
)  # fmt: skip
def test_unknown_variables_are_named_with_the_nearest_setting(monkeypatch, name, meant):
    for given in [each for each in os.environ if each.startswith("OPENINTENT_")]:
        monkeypatch.delenv(given)
    monkeypatch.setenv(name, "value-nobody-may-see")
    monkeypatch.setenv("OPENINTENT_API_KEY", "a client's")

    hint = f" Did you mean {meant}?" if meant else ""
    assert env.unknown_settings() == [f"{name} is not a setting, and has no effect.{hint}"]


@pytest.mark.case("console M16")
@pytest.mark.parametrize(("given", "is_terminal", "expected"), [("", True, "text"), ("", False, "json"), ("json", True, "json"), ("text", False, "text")])  # fmt: skip
def test_the_log_is_text_on_a_terminal_unless_a_setting_says_otherwise(monkeypatch, given, is_terminal, expected):
    monkeypatch.setenv("OPENINTENT_LOG_FORMAT", given)
    monkeypatch.setattr("sys.stderr", SimpleNamespace(isatty=lambda: is_terminal))

    assert env.log_format() == expected
