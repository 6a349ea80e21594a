"""`python -m tests.rules [PREFIX …]`: the rules of the protocol that no test carries.

A test carries a rule by `@pytest.mark.rule("I-1")`. Without arguments, the rules that are built so far are asked for.
"""

import re
import sys
from pathlib import Path

RULES = {
    "I": range(1, 8),
    "E": range(1, 7),
    "G": range(1, 8),
    "L": range(1, 7),
    "A": range(1, 8),
    "T": range(1, 5),
    "C": range(1, 5),
    "R": range(1, 4),
    "P": range(1, 5),
    "W": range(1, 4),
    "S": range(1, 7),
    "K": range(1, 8),
}
"""The rules that are built so far."""

MARK = re.compile(r"mark\.rule\(([^)]*)\)")
RULE = re.compile(r"[A-Z]-\d+")


def carried() -> dict[str, list[str]]:
    """Each rule with the files whose tests carry it."""
    found: dict[str, list[str]] = {}
    for path in sorted(Path(__file__).parent.rglob("test_*.py")):
        for mark in MARK.finditer(path.read_text()):
            for rule in RULE.findall(mark[1]):
                found.setdefault(rule, []).append(path.name)
    return found


def main() -> int:
    prefixes = sys.argv[1:] or list(RULES)
    wanted = [f"{prefix}-{number}" for prefix in prefixes for number in RULES[prefix]]
    missing = [rule for rule in wanted if rule not in carried()]
    print(
        f"{len(wanted) - len(missing)} of {len(wanted)} rules have a test."
        + "".join(f"\nwithout one: {rule}" for rule in missing)
    )
    return bool(missing)


if __name__ == "__main__":
    sys.exit(main())
