"""`manage.py createkey`: a key from the command line, shown once, on standard output alone."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from access.models import ApiKey
from tests.conftest import Caller

pytestmark = pytest.mark.django_db


def test_the_key_works_and_stands_alone_on_standard_output(capsys):
    call_command("createkey", " nightly ", "--role", "operator", "--agent", "ada", "--expires-in", "30")

    printed = capsys.readouterr()
    assert printed.err.startswith("nightly: operator, bound to ada. The key is shown only once:\n")
    intent = Caller(printed.out.strip()).post("/intents", {"title": "Do it"}).json()
    assert intent["created_by"] == "ada"
    [key] = ApiKey.objects.all()
    assert (key.name, key.created_by) == ("nightly", "command line")
    assert timedelta(days=29) < key.expires_at - key.created_at <= timedelta(days=30)


@pytest.mark.case("console M2")
def test_the_first_key_says_that_dev_mode_ends(capsys):
    call_command("createkey", "first")
    first = capsys.readouterr().err
    call_command("createkey", "second")

    assert all(each in first for each in ("leaves dev mode", "dev-user-key", "OPENINTENT_DEV_MODE=true", "createoperator"))
    assert capsys.readouterr().err == "second: agent. The key is shown only once:\n"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([" "], "A name must have 1 to"),
        (["n" * 300], "A name must have 1 to"),
        (["ci", "--agent", ""], "An agent id '' cannot be used: must have 1 to 255 characters"),
        (["system"], "'system' is reserved for the server"),
        (["ci", "--agent", "system"], "'system' is reserved for the server"),
        (["ci", "--role", "king"], "invalid choice: 'king'"),
        (["ci", "--expires-in", "soon"], "'soon' is not a number of days"),
    ],
)
def test_a_refusal_makes_no_key(arguments, reason):
    with pytest.raises(CommandError, match=reason):
        call_command("createkey", *arguments)

    assert not ApiKey.objects.exists()
