"""Verification table: `python -m tests.verification` writes docs/verification.md from tests/verification.toml.

Each claim of the data file has the command that shows it, what the command gave and the day it was run. Figures are changed there and
nowhere else. With `--check` nothing is written, and an outdated page is an error.
"""

import sys
import tomllib
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from tests import rules

ROOT = Path(__file__).parents[1]
DATA = ROOT / "tests/verification.toml"
PAGE = ROOT / "docs/verification.md"

Json = dict[str, Any]


def page() -> str:
    """Return docs/verification.md as the data file and the markers of the tests have it."""
    data = tomllib.loads(DATA.read_text())
    lines = ["# Verification", "", "<!-- Written by `python -m tests.verification` from tests/verification.toml. -->", ""]
    lines += [data["text"].strip(), ""]
    for section in data["section"]:
        lines += _section(section)
    return "\n".join(lines).rstrip() + "\n"


def _section(section: Json) -> Iterator[str]:
    yield from (f"## {section['title']}", "")
    if text := section.get("text", "").strip():
        yield from (text.format_map(_rules()) if "{" in text else text, "")
    for how, claims in groupby(section.get("claims", ()), key=lambda claim: "rounds" if "rounds" in claim else "command"):
        yield from (f"| Claim | {how.capitalize()} | Result | Measured |", "|---|---|---|---|")
        yield from (f"| {claim['claim']} | {claim[how]} | {claim['result']} | {claim['measured']} |" for claim in claims)
        yield ""


def _rules() -> Json:
    """Return how many rules and cases there are, and how many of them a test carries."""
    ids = [f"{prefix}-{number}" for prefix, numbers in rules.RULES.items() for number in numbers]
    shown = rules.carried()
    return {
        "rules": len(ids),
        "tested_rules": len(shown.intersection(ids)),
        "cases": len(rules.CASES),
        "tested_cases": len(shown.intersection(rules.CASES)),
    }


def main(arguments: list[str]) -> str | None:
    """Write the page, or check it. Return what is wrong with it."""
    if arguments != ["--check"]:
        PAGE.write_text(page())
    if PAGE.read_text() == page():
        return None
    return f"{PAGE.relative_to(ROOT)} is outdated: run python -m tests.verification."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
