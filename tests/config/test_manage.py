"""`openintent-manage` as a process: its list of commands, and what it says where it cannot run one."""

import re

import pytest
from django.core.management import get_commands

from config.manage import COMMANDS, WITHOUT_TABLES
from tests.config.server_commands import manage
from tests.databases import fresh_database, migrated_database

NEEDED = {"createkey": ["ops"], "createoperator": ["ann"], "changepassword": ["ann"]}
"""Arguments without which a command does not run."""


def run_in(folder, command, **environment):
    return manage(command, *NEEDED.get(command, []), DATABASE_URL=f"sqlite:///{folder}/openintent.db", **environment)


@pytest.mark.case("console M14")
@pytest.mark.parametrize("command", sorted(COMMANDS.keys() - {"migrate"}))
def test_without_a_database_a_command_says_so_and_creates_no_file(tmp_path, command):
    done = run_in(tmp_path, command)

    assert done.returncode == 1
    assert re.fullmatch(r"No database at \S+/openintent\.db\. .*openintent-server.*DATABASE_URL.*\n", done.stderr)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.case("console M14")
@pytest.mark.parametrize("command", sorted(COMMANDS.keys() - WITHOUT_TABLES))
def test_without_tables_a_command_says_what_creates_them(tmp_path, command):
    (tmp_path / "openintent.db").touch()

    done = run_in(tmp_path, command)

    assert done.returncode == 1
    assert re.fullmatch(r"The database \S+/openintent\.db has no tables\. .*migrate\.\n", done.stderr)


@pytest.mark.database("sqlite", "postgresql")
def test_a_refusal_shows_no_password_of_the_database(vendor, tmp_path):
    done = manage("createkey", "ops", DATABASE_URL=fresh_database(vendor, tmp_path), OPENINTENT_SECRET_KEY="x" * 40)

    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "migrate" in done.stderr
    assert "postgresql://" not in done.stderr


def test_a_database_that_does_not_answer_is_one_line():
    done = manage("createkey", "ops", DATABASE_URL="postgresql://nobody@127.0.0.1:1/x", OPENINTENT_SECRET_KEY="x" * 40)

    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "The database cannot be used: " in done.stderr


def test_a_setting_that_cannot_be_used_is_one_line(tmp_path):
    done = run_in(tmp_path, "createkey", OPENINTENT_RATE_LIMIT="fast")
    (tmp_path / "openintent.db").touch()
    refused = run_in(tmp_path, "createkey", OPENINTENT_RATE_LIMIT="fast")

    assert (done.returncode, refused.returncode) == (1, 1)
    assert refused.stderr.startswith("manage.py: OPENINTENT_RATE_LIMIT='fast' is invalid.")
    assert refused.stderr.count("\n") == 1


@pytest.mark.case("console L18")
@pytest.mark.parametrize("arguments", [["help"], ["--help"], []])
def test_help_lists_the_product_s_commands_first_and_creates_no_file(tmp_path, arguments):
    done = manage(*arguments, DATABASE_URL=f"sqlite:///{tmp_path}/openintent.db")

    assert done.returncode == 0
    listed = re.findall(r"^  (\w+)  ", done.stdout, re.MULTILINE)
    assert listed == list(COMMANDS)
    assert done.stdout.index("runserver") < done.stdout.index("startapp")
    assert list(tmp_path.iterdir()) == []


def test_help_of_a_command_needs_no_database(tmp_path):
    done = manage("createkey", "--help", DATABASE_URL=f"sqlite:///{tmp_path}/openintent.db")

    assert "bind the key to this agent" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_every_command_of_the_product_is_listed():
    django = ("django.", "daphne", "rest_framework", "drf_spectacular")
    own = {name for name, app in get_commands().items() if isinstance(app, str) and not app.startswith(django)}

    assert own <= COMMANDS.keys() <= set(get_commands())


@pytest.mark.case("console M23")
def test_a_variable_that_is_no_setting_is_named_with_the_nearest_one(vendor, tmp_path):
    environment = {"DATABASE_URL": migrated_database(vendor, tmp_path), "OPENINTENT_SECRET_KEY": "x" * 40}
    done = manage(
        "createkey", "ops", **environment, OPENINTENT_PROT="9000", OPENINTENT_URL="http://localhost", OPENINTENT_XYZZY=""
    )

    assert done.returncode == 0
    assert "OPENINTENT_PROT is not a setting, and has no effect. Did you mean OPENINTENT_PORT?\n" in done.stderr
    assert "OPENINTENT_XYZZY is not a setting, and has no effect.\n" in done.stderr
    assert "OPENINTENT_URL" not in done.stderr
    assert "9000" not in done.stderr
