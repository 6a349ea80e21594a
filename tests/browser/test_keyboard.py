"""Every act of the console by the keyboard alone: what it does, and where the focus is before and after it."""

import os

import pytest
from openintent import OpenIntentClient
from playwright.sync_api import Browser

from tests.browser.conftest import PATIENCE, known_session, signed_in
from tests.browser.keyboard import Keyboard
from tests.browser.walks import WALKS, World
from tests.databases import migrated_database
from tests.processes import run
from tests.servers import Server

_PEOPLE = """
from django.contrib.auth.models import User
from access.roles import grant_role

for name in ("ines", "judy"):
    grant_role(User.objects.create_user(name, password="-"), "arbiter")
"""

pytestmark = [pytest.mark.full, pytest.mark.database("postgresql")]


@pytest.fixture(scope="module")
def faults() -> list[str]:
    return []


@pytest.fixture(scope="module")
def world(browser: Browser, faults: list[str], tmp_path_factory):
    contexts = []

    def new_page():
        contexts.append(context := signed_in(browser, server, None, faults))
        return context.new_page()

    with Server(migrated_database("sqlite", tmp_path_factory.mktemp("walks"))) as server:
        environment = {**os.environ, "DATABASE_URL": server.database_url}
        made = run("config.manage", ["shell", "--no-imports", "-c", _PEOPLE], environment)
        assert made.returncode == 0, made.stderr
        ada = OpenIntentClient(server.url, api_key="agent-research-key", agent_id="ada")
        with OpenIntentClient(server.url, api_key="dev-user-key") as operator, ada:
            yield World(server, operator, ada, new_page)
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def operator(browser: Browser, faults: list[str], world: World):
    context = signed_in(browser, world.server, known_session(world.server.database_url, "operator"), faults)
    context.grant_permissions(["clipboard-read", "clipboard-write", "notifications"])
    yield context
    context.close()


@pytest.fixture
def keyboard(operator, faults):
    faults.clear()
    page = operator.new_page()
    page.set_default_timeout(PATIENCE)
    page.emulate_media(reduced_motion="reduce")
    yield Keyboard(page)
    page.close()


@pytest.mark.parametrize("name", WALKS)
def test_a_walk_by_the_keyboard_alone(keyboard, world, faults, name):
    WALKS[name].steps(keyboard, world)

    done = keyboard.done()
    assert WALKS[name].acts - done == set(), done
    found = [*dict.fromkeys(keyboard.faults), *faults]
    assert not found, "\n".join(found)
