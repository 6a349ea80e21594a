"""Code blocks of the pages, run in order against a live server."""

from collections.abc import Iterator
from hashlib import sha256

import pytest

from tests.databases import migrated_database
from tests.processes import ROOT
from tests.servers import Server

from .__main__ import left_out
from .blocks import README, SPECIFICATION, blocks, pages
from .run_pages import PageRunner, matches, treatment_of
from .run_shell_blocks import Unknown, commands, reason_not_to_run

pytestmark = [pytest.mark.full, pytest.mark.database("postgresql")]


OWN_TESTS = {README, SPECIFICATION, ROOT / "docs/tutorial.md"}
WRITTEN = [page for page in pages() if page not in OWN_TESTS and blocks(page)]


@pytest.fixture(scope="module")
def server(vendor: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of their own: pages name effects, agents and scopes, which no other test may hold."""
    with Server(migrated_database(vendor, tmp_path_factory.mktemp("pages"))) as running:
        yield running


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_page_runs(page, server, tmp_path):
    PageRunner(server, tmp_path).run_page(page)


@pytest.mark.parametrize(
    "block", [block for page in (README, SPECIFICATION) for block in blocks(page) if block.language != "python"], ids=str
)
def test_readme_and_specification_run(block, server, tmp_path):
    """Their Python has tests of its own, which check its effects (tests/sdk/test_specification.py)."""
    PageRunner(server, tmp_path).run(block)


def test_specification_blocks_are_kept_to_the_letter():
    text = "".join(block.code for block in blocks(SPECIFICATION))

    assert len(blocks(SPECIFICATION)) == 25
    assert sha256(text.encode()).hexdigest() == "302a84df46c8db02449b4fd0b383fd8a9551872ccc5f612bcda70b42778f838c"


def test_readme_is_short_enough_to_read():
    assert len(README.read_text().splitlines()) <= 250


def test_no_block_is_left_out():
    assert left_out() == []
    assert all(treatment_of(block) for page in pages() for block in blocks(page))


def test_unknown_command_is_reported():
    with pytest.raises(Unknown, match="frobnicate"):
        reason_not_to_run("A=1 frobnicate --now")


def test_commands_span_lines_and_quotations():
    code = "curl -X POST /a \\\n  -d '{\n1}'  # so\n\n# Nothing\nA=1 b 'c'\n"

    assert commands(code) == ["curl -X POST /a  -d '{\n1}'  # so", "A=1 b 'c'"]


def test_output_matches_with_placeholders():
    assert matches("a … c\nd\n", "a b c\nd\n")
    assert not matches("a … c", "a b d")
