"""Runs of the server's commands to their end."""

import os
import time

from tests import processes

KEY = {"X-API-Key": "dev-user-key"}
FIRST, SECOND = "uR2xkD7qLw0VhB5e", "tY8zNc3mPf6GsJ1a"
"""Keys that cannot be guessed."""


def start(*arguments, **environment):
    """Run the command to its end."""
    bare = {name: value for name, value in os.environ.items() if name != "OPENINTENT_DEV_MODE"}
    return processes.run("config.server", arguments, {**bare, **environment})


def manage(*arguments, **environment):
    """Run a command of `openintent-manage` to its end."""
    bare = {name: value for name, value in os.environ.items() if name != "OPENINTENT_DEV_MODE"}
    return processes.run("config.manage", arguments, {**bare, **environment})


def refuses(done, *says):
    assert done.returncode in (1, 2), done
    assert "Traceback" not in done.stderr
    assert all(each in done.stderr for each in says), done.stderr


def until(condition):
    """Wait for the condition, as long as a busy machine may need."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
