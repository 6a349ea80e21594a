"""`python -m tests.rules [PREFIX …]`: the rules of the protocol, and the cases from the field, that no test carries.

A test carries a rule by `@pytest.mark.rule("I-1")`, a case by `@pytest.mark.case("security H1")`. Without arguments, the rules
that are built so far and all cases are asked for.
"""

import re
import sys
from itertools import chain
from pathlib import Path

from tests.cases import CASES

RULES = {
    "I": range(1, 10),
    "E": range(1, 9),
    "G": range(1, 9),
    "L": range(1, 10),
    "A": range(1, 17),
    "H": range(1, 10),
    "T": range(1, 5),
    "C": range(1, 6),
    "R": range(1, 5),
    "P": range(1, 6),
    "W": range(1, 5),
    "S": range(1, 7),
    "M": range(1, 8),
    "K": range(1, 8),
}
"""The rules that are built so far."""

MARK = re.compile(r"mark\.(?:rule|case)\(([^)]*)\)")
ID = re.compile(r'"([^"]+)"')


def carried() -> set[str]:
    """Return the ids of rules and cases that tests carry."""
    texts = (path.read_text() for path in Path(__file__).parent.rglob("test_*.py"))
    return {name for text in texts for mark in MARK.finditer(text) for name in ID.findall(mark[1])}


def main() -> int:
    prefixes = sys.argv[1:] or list(RULES)
    wanted = {"rules": [f"{prefix}-{number}" for prefix in prefixes for number in RULES[prefix]]}
    if not sys.argv[1:]:
        wanted["cases"] = list(CASES)
    found = carried()
    missing = {kind: [name for name in names if name not in found] for kind, names in wanted.items()}
    for kind, names in wanted.items():
        print(f"{len(names) - len(missing[kind])} of {len(names)} {kind} have a test.")
    unknown = sorted(name for name in found if " " in name and name not in CASES)
    for name in [*chain(*missing.values()), *unknown]:
        print(f"without a test, or unknown: {name}")
    return bool(unknown) or any(missing.values())


if __name__ == "__main__":
    sys.exit(main())
