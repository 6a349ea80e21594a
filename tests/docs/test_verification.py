"""docs/verification.md: it is what its command writes, and its commands name what exists."""

import re

import pytest

from tests.processes import ROOT
from tests.verification import PAGE, page

COMMANDS = sorted({command for command in re.findall(r"`([^`]+)`", page()) if "pytest" in command or "python -m" in command})


def test_page_is_what_the_command_writes():
    assert PAGE.read_text() == page()


@pytest.mark.parametrize("command", COMMANDS)
def test_command_names_tests_and_modules_that_exist(command):
    paths = re.findall(r"\b(?:tests|benchmarks)/[\w/.]+\b", command)
    modules = [name.replace(".", "/") for name in re.findall(r"python -m ((?:tests|benchmarks)[\w.]*)", command)]

    assert [path for path in paths if not (ROOT / path).exists()] == []
    assert [
        module for module in modules if not ((ROOT / f"{module}.py").exists() or (ROOT / module / "__main__.py").exists())
    ] == []


SELECTIONS = [command for command in COMMANDS if " -k " in command]


@pytest.mark.parametrize("command", SELECTIONS)
def test_words_of_a_selection_match_tests(command):
    """Check that each word of `-k` occurs in the name of a test or its file."""
    paths = [ROOT / path for path in re.findall(r"\btests(?:/[\w.]+)*", command)]
    files = [file for path in paths for file in ([path] if path.is_file() else path.rglob("test_*.py"))]
    names = [name for path in files for name in (path.stem, *re.findall(r"def (test_\w+)", path.read_text()))]
    words = set(re.search(r' -k "?([^"]+)', command)[1].split()) - {"and", "or", "not"}

    assert [word for word in sorted(words) if not any(word in name for name in names)] == []
