"""Code block report: `python -m tests.docs` lists every block of the documents and how it is tested. Fails if one is left out.

Python of README.md and docs/specification.md is run by tests/sdk, by heading; all other blocks by tests/docs/test_pages.py.
"""

import re
import sys
from collections import Counter
from pathlib import Path

from .blocks import README, ROOT, SPECIFICATION, Block, blocks, pages
from .run_pages import treatment_of

EXAMPLE = re.compile(r"""\b(?:play|example)\(\s*"([^"]+)",?""")


def tested_headings() -> set[str]:
    """Return the headings whose Python is run by tests of its own."""
    tests = Path(__file__).parents[1].rglob("test_*.py")
    return {heading for test in tests for heading in EXAMPLE.findall(test.read_text())}


def left_out() -> list[str]:
    """Return the Python blocks of the README and the specification that no test runs. On other pages none can be left out."""
    return [
        f"{block} ({block.heading})"
        for page in (README, SPECIFICATION)
        for block in _python(page)
        if block.heading not in tested_headings()
    ]


def treatments(page: Path) -> Counter[str]:
    return Counter(treatment_of(block) for block in blocks(page))


def report(page: Path) -> str:
    count, found = treatments(page), len(blocks(page))
    run, parsed = count.pop("run", 0) + count.pop("output", 0), count.pop("parsed", 0)
    reasons = "".join(f"\n      {number} not run: {reason}" for reason, number in count.items())
    return f"{page.relative_to(ROOT)!s:32} {found} of {found}: {run} run, {parsed} parsed, {count.total()} checked{reasons}"


def main() -> int:
    for page in filter(blocks, pages()):
        print(report(page))
    everything, missing = [*_python(README), *_python(SPECIFICATION)], left_out()
    print(f"\nPython of the README and the specification, verbatim: {len(everything) - len(missing)} of {len(everything)}")
    print("".join(f"left out: {each}\n" for each in missing), end="")
    return bool(missing)


def _python(page: Path) -> list[Block]:
    return [block for block in blocks(page) if block.language == "python"]


if __name__ == "__main__":
    sys.exit(main())
