"""pytest plugin: the environment of the tests, and which of them run on which database.

pyproject.toml names it as an early plugin, as Django reads its settings soon. Four markers say what a test needs:

- `full`: servers, browsers, wheels or other languages, or a long time. Runs by `make test-all`, or where its file is named.
- `fast_paths`: shows something of the fast paths, which are switched off once (OPENINTENT_FAST_PATHS=0) for the other tests.
- `database("sqlite", "postgresql")`: the databases on which it shows something of its own. Without it, a test runs on SQLite,
  and `make test-all` repeats it on PostgreSQL if it uses the database at all.
- `npm`: the npm packages of tests/clients. Set here on each test that uses them; `-m "not npm"` leaves these tests out where the
  registry cannot be reached.

Hypothesis tries the same inputs in each run, so that a commit passes everywhere or nowhere; `--hypothesis-profile default` tries others.
"""

import os
from collections.abc import Generator
from typing import Any

import hypothesis
import pytest
from django.conf import settings

from tests.databases import postgresql_url

VENDOR = os.environ.setdefault("TEST_DATABASE", "sqlite")
SCOPES = ("quick", "rest", "all")

os.environ["DATABASE_URL"] = "sqlite:///:memory:" if VENDOR == "sqlite" else postgresql_url(is_durable=False)
os.environ["OPENINTENT_DEV_MODE"] = "true"
os.environ["OPENINTENT_SECRET_KEY"] = "not-a-secret-but-long-enough-for-the-tests"
os.environ["OPENINTENT_LOG_LEVEL"] = "warning"

hypothesis.settings.register_profile("repeatable", derandomize=True)
hypothesis.settings.load_profile("repeatable")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--scope", choices=SCOPES, help="quick: as `make test`; all: as `make test-all`; rest: all that quick leaves out"
    )


def pytest_report_header(config: pytest.Config) -> str:
    return f"database: {VENDOR}; scope: {_scope(config) or 'all that was named'}"


def pytest_itemcollected(item: pytest.Item) -> None:
    if "node_modules" in getattr(item, "fixturenames", ()):
        item.add_marker("npm")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what the scope leaves out, and put first what takes long."""
    scope = _scope(config)
    items.sort(key=_is_quick)
    left_out = {item for item in items if scope and not _is_in(scope, item)}
    if not settings.FAST_PATHS:
        left_out |= {item for item in items if item.get_closest_marker("fast_paths")}
    if left_out:
        config.hook.pytest_deselected(items=[*left_out])
        items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a process of pytest-xdist the scope."""
    node.workerinput["scope"] = _scope(node.config)


def _scope(config: pytest.Config) -> str | None:
    """Return the scope of the run; None where files or tests are named, which run whatever they are marked with."""
    if hasattr(config, "workerinput"):  # A process of pytest-xdist, which is given names in any case.
        inherited: str | None = config.workerinput["scope"]
        return inherited
    given: str | None = config.getoption("--scope")
    return given or (None if config.args_source is pytest.Config.ArgsSource.ARGS else "quick")


def _is_in(scope: str, item: pytest.Item) -> bool:
    quick = _is_quick(item) and VENDOR in (_databases(item) or ("sqlite",))
    if scope == "quick":
        return quick
    everything = VENDOR in (_databases(item) or ("sqlite", *(["postgresql"] if _uses_database(item) else [])))
    return everything and (scope == "all" or not quick)


def _is_quick(item: pytest.Item) -> bool:
    return not item.get_closest_marker("full")


def _databases(item: pytest.Item) -> tuple[str, ...]:
    marker = item.get_closest_marker("database")
    return marker.args if marker else ()


def _uses_database(item: pytest.Item) -> bool:
    uses = {"db", "transactional_db", "vendor"} & set(getattr(item, "fixturenames", ()))
    return bool(uses or item.get_closest_marker("django_db"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Replace unpaired surrogates in what a test logs, which one process could not send to another."""
    report = yield
    report.sections = [(name, text.encode(errors="replace").decode()) for name, text in report.sections]
    return report


@pytest.fixture(scope="session")
def vendor() -> str:
    """The database of this run: sqlite or postgresql."""
    return VENDOR
