"""`python -m tests.sdk.published [--check]`: write docs/coming-from-openintent-0.x.md, or compare it."""

import sys
from collections.abc import Iterator

from tests.sdk.published import DATA, PAGE, names_of, versions_of

INTRODUCTION = """\
# Coming from openintent 0.5 or 0.17

<!-- Written by `python -m tests.sdk.published` from tests/sdk/published/names.toml. -->

This package has the names of the published packages `openintent` 0.5.1 and 0.17.0 where they cost nothing, for RFC-0001 to RFC-0010. Most programs run
unchanged, apart from the server's address: it is `http://localhost:8000` by default. What cannot be served is an error, and never a wrong result:

- A handler of an agent gets its arguments by the names of its parameters ([Agents](guides/agents.md#arguments-of-handlers)). An unknown name is a `TypeError` when the class is made.
- A method with other parameters raises `TypeError` or `InputValidationError` before it sends anything.
- `get_costs` and `get_portfolio_intents` answer lists, no pairs: `costs, summary = client.get_costs(…)` has to be changed.
- A name that is not there is an `AttributeError` or `ImportError`.

Models are made by keywords, with the names of their own fields; the earlier names are attributes to read.

In the table, *same* takes and answers what it did, also by position; *alias* works as well, under the condition beside it; *different* has to be
written otherwise. Each name is shown with its parameters, an enum with its members. A program for each row of *same* and *alias* is run as a test.
"""


def page() -> str:
    """Return the page."""
    return "\n".join([INTRODUCTION, *_rows(), *_areas()]).rstrip() + "\n"


def _rows() -> Iterator[str]:
    yield from ("| Published name | Versions | Here | What to write, what to know |", "|---|---|---|---|")
    for row in DATA["rows"]:
        for name, parameters in names_of(row).items():
            signature = f"`{name}{'' if parameters is None else '(' + ', '.join(parameters) + ')'}`"
            yield f"| {signature} | {versions_of(name)} | *{row['served']}* | {row.get('note', '')} |"
    yield ""


def _areas() -> Iterator[str]:
    yield from ("## Beyond RFC-0010", "", "These are not there; a program that uses them needs something else.", "")
    for area in DATA["areas"]:
        yield from (f"### {area['title']}", "", f"Instead: {area['instead']}.", "")
        yield from (", ".join(f"`{name}`" for name in names_of(area)), "")


def main(arguments: list[str]) -> str | None:
    """Write the page, or check it. Return what is wrong with it."""
    if arguments != ["--check"]:
        PAGE.write_text(page())
    if PAGE.read_text() == page():
        return None
    return "docs/coming-from-openintent-0.x.md is outdated: python -m tests.sdk.published"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
