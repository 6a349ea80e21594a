"""Code blocks of Markdown pages."""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scripts.reference.__main__ import MARK

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
SPECIFICATION = ROOT / "docs/specification.md"

HEADING = re.compile(r"#+ (.+)")
FENCE = re.compile(r"(\s*)```\s*([\w+-]*)\s*(?:title=\"([^\"]*)\")?.*")


@dataclass(frozen=True)
class Block:
    """A code block, with the nearest heading above it and the line of its first line of code.

    `language` and `title` may be empty. The title is the name of the file that the block is, or the terminal in which its commands run.
    """

    page: Path
    heading: str
    line: int
    language: str
    title: str
    code: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def pages() -> list[Path]:
    """Return every page that is written by hand."""
    found = [README, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "examples").rglob("*.md"))]
    return [page for page in found if MARK not in page.read_text()]


def blocks(page: Path) -> list[Block]:
    return list(_blocks(page))


def _blocks(page: Path) -> Iterator[Block]:
    heading, lines = "", iter(enumerate(page.read_text().splitlines(), start=1))
    for number, line in lines:
        if title := HEADING.fullmatch(line):
            heading = title[1]
        elif fence := FENCE.fullmatch(line):
            code = []
            for _, inside in lines:
                if inside.strip() == "```":
                    break
                code.append(inside)
            else:
                raise ValueError(f"{page}:{number}: this block has no end")
            yield Block(page, heading, number + 1, fence[2], fence[3] or "", textwrap.dedent("\n".join(code)) + "\n")
