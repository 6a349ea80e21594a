"""References of the documents: files, links, decisions, and the generated reference."""

import re

import pytest

from scripts.reference.__main__ import outdated
from tests.processes import ROOT

from .blocks import pages

pytestmark = [pytest.mark.full, pytest.mark.database("postgresql")]


PATH = re.compile(r"`((?:[\w.-]+/)+[\w.-]+\.(?:py|md|toml|yaml|yml|html|js|css|csv))`")
DECISION = re.compile(r'^### <a id="d-(\d{3})"></a>D-(\d{3}) \S', re.MULTILINE)
ELSEWHERE = {"docs/tutorial.md", "docs/specification.md"}
"""Pages that name files of their readers."""

NAMED = [
    (page.relative_to(ROOT), path)
    for page in pages()
    if str(page.relative_to(ROOT)) not in ELSEWHERE
    for path in sorted(set(PATH.findall(page.read_text())))
    if not re.search(r"\b(APP|NAME)\b", path)
]


@pytest.mark.parametrize(("page", "path"), NAMED, ids=[f"{page}: {path}" for page, path in NAMED])
def test_file_named_in_a_document_exists(page, path):
    assert (ROOT / path).exists() or ((ROOT / page).parent / path).exists()


DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "examples/README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)\s#:]+)(?:#[^)\s]*)?\)")
MACRO = re.compile(r"^(?:::: |--8<--|!!! |=== |\?\?\? )|\{ ?[#.:][^}`]*\}\s*$", re.MULTILINE)


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: str(page.relative_to(ROOT)))
def test_page_can_be_read_on_a_code_host(page):
    """Check that links lead to files of the checkout, and that there is no syntax of the site alone."""
    text = re.sub(r"```.*?```|``.*?``|`[^`\n]*`", "", page.read_text(), flags=re.DOTALL)

    assert [link for link in LINK.findall(text) if not (page.parent / link).exists()] == []
    assert MACRO.findall(text) == []


def test_generated_reference_is_current():
    assert outdated() == []


def test_decisions_are_numbered_without_gaps_or_doubles():
    numbers = DECISION.findall((ROOT / "docs/decisions.md").read_text())

    assert all(anchor == shown for anchor, shown in numbers)
    assert sorted(int(number) for number, _ in numbers) == list(range(1, len(numbers) + 1))


def test_each_decision_has_context_decision_and_consequence():
    _, *decisions = (ROOT / "docs/decisions.md").read_text().split("\n### ")

    parts = [re.findall(r"^- \*\*(\w+):\*\* \S", decision, re.MULTILINE) for decision in decisions]
    assert parts == [["Context", "Decision", "Consequence"]] * len(decisions)


def test_decision_referred_to_by_number_exists():
    known = {number for number, _ in DECISION.findall((ROOT / "docs/decisions.md").read_text())}
    texts = [
        path.read_text() for pattern in ("*.py", "*.md") for path in ROOT.rglob(pattern) if path.parts[len(ROOT.parts)] != ".venv"
    ]

    assert {number for text in texts for number in re.findall(r"\bD-(\d{3})\b", text)} <= known
