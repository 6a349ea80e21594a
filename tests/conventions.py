"""Naming and size conventions (docs/style.md), checked: `python -m tests.conventions [PATH…]`.

Prints one line for each offence and exits with 1 if there is one. `--figures` prints the sizes that have no single offender.
"""

# ruff: noqa: SIM905  Words are easier to read than a list of strings.
import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parent.parent
THIS = Path(__file__).relative_to(ROOT)
MAX_FILE, MAX_FUNCTION, MAX_TEST_NAME = 400, 50, 70
MAX_ONE_CALLER = 0.40
MEDIAN_FUNCTION = range(5, 10)

OLD_MODULES = frozenset(
    """accounts people people_admin callers noting ratelimit sharedlimit audience doorbell changes waiting wire answers questions refusing
    deeds neighbours telling trees bars spent holding delegating following panels entering retrying effective reading runs delays duties
    planning calling courier addresses ringing opening quiet recent hop crew member stopping logs requestid formats problems paging
    strictjson examples crowd holders hooks stage places shots play beside callbacks listeners meter raw story copies picture
    _parts _exchange _base _http _leasing _aleasing _streams _astreams _following _deciding _tokens _agenda _building _made _calling
    _declaring _reactions _holding _standing _patience _running _reading sending standin watch documents plain screen times words""".split()
)
"""Names of modules that say less than the field's word for their subject."""

NOUNS = frozenset(
    "backoff encoding feed formatting leasing logging long_polling multipart parsing pricing profiling routing serving signing streaming string "
    "string_encoding throttling embed seed speed shared".split()
)
"""Names that end like a participle and are the field's nouns."""

VENDORED = re.compile(r"\.min\.js$|-bundle\.js$")
PARTICIPLE = re.compile(r"(ing|ed)$")
PRONOUN = re.compile(r"\b(he|his|him|himself)\b", re.IGNORECASE)
VAGUE = re.compile(
    r"(What|Who|Whom|Whose|How|Where|When|Why|Of|All that|The same|Answers|Again|That|If|Everything|Nothing|Nobody|Somebody|As above|Its|It|Either)\b"
)
"""Beginnings of a docstring that make a reader guess its subject."""
VAGUE_TEST = re.compile(r"test_(what|who|whom|whose|nobody|somebody|nothing|it|one|another|others|whoever|whatever|that|they)_")


def main(arguments: Sequence[str]) -> int:
    """Print the offences below these paths, or everywhere. Return the exit code."""
    paths = [path for path in arguments if not path.startswith("-")]
    files = tracked(paths)
    if "--figures" in arguments:
        print_figures(files)
    found = sorted(offences(files))
    for path, line, text in found:
        print(f"{path}:{line}: {text}")
    if found:
        print(
            f"{len(found)} offences:",
            ", ".join(
                f"{count} × {kind}"
                for kind, count in Counter(text.split(":")[0].split(" of ")[0] for *_, text in found).most_common()
            ),
        )
    return 1 if found else 0


def tracked(paths: Sequence[str]) -> list[Path]:
    """Return the tracked files below the paths, relative to the root."""
    listed = subprocess.run(["git", "ls-files", "--", *paths], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [Path(name) for name in listed.splitlines() if (ROOT / name).is_file()]


def offences(files: Sequence[Path]) -> Iterator[tuple[str, int, str]]:
    """Yield path, line and text of each offence."""
    for path in files:
        if path == THIS or path.suffix not in {".py", ".md", ".html", ".js"} or VENDORED.search(path.name):
            continue
        text = (ROOT / path).read_text()
        if path.name != "specification.md" and path.parts[:2] != ("docs", "reference"):
            yield from ((str(path), number, f"pronoun: {found[0]!r}") for number, found in _pronouns(text))
        if path.suffix == ".py":
            yield from ((str(path), *offence) for offence in _of_module(path, text))


def _pronouns(text: str) -> Iterator[tuple[int, re.Match[str]]]:
    for number, line in enumerate(text.splitlines(), start=1):
        yield from ((number, found) for found in PRONOUN.finditer(line))


def _of_module(path: Path, text: str) -> Iterator[tuple[int, str]]:
    tree = ast.parse(text)
    if path.stem in OLD_MODULES or (path.parts[0] == "sdk" and path.parent.name == "calls"):
        yield 1, f"old module name: {path.stem}"
    elif (
        PARTICIPLE.search(path.stem)
        and path.stem.lstrip("_") not in NOUNS
        and not path.stem.startswith("test_")
        and "migrations" not in path.parts
    ):
        yield 1, f"participle module: {path.stem}"
    lines = text.count("\n")
    if lines > MAX_FILE:
        yield 1, f"long file: {lines} lines"
    is_empty = not tree.body
    if not is_empty and "migrations" not in path.parts and path.stem not in {"apps", "urls"} and not ast.get_docstring(tree):
        yield 1, "module docstring: missing"
    yield from _of_docstring(tree, 1, "module docstring")
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = (node.end_lineno or 0) - node.body[0].lineno + 1  # Without the signature, which may list many parameters.
            if length > MAX_FUNCTION:
                yield node.lineno, f"long function: {node.name} has {length} lines"
            yield from _of_docstring(node, node.lineno, f"docstring of {node.name}")
            if node.name.startswith("test_"):
                if len(node.name) > MAX_TEST_NAME:
                    yield node.lineno, f"test name: {node.name} has {len(node.name)} characters"
                if VAGUE_TEST.match(node.name):
                    yield node.lineno, f"test name: {node.name} begins with a riddle"
        elif isinstance(node, ast.ClassDef):
            yield from _of_docstring(node, node.lineno, f"docstring of {node.name}")


def _of_docstring(
    node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, line: int, what: str
) -> Iterator[tuple[int, str]]:
    docstring = ast.get_docstring(node)
    if docstring and VAGUE.match(docstring):
        yield line, f"{what}: begins with {docstring.split()[0]!r}"


def print_figures(files: Sequence[Path]) -> None:
    """Print how long functions are, with their decorators, and how many private helpers have one caller, of what is not a test."""
    lengths, helpers, single = [], 0, 0
    for path in files:
        if path.suffix != ".py" or path.parts[0] in {"tests", "benchmarks", "examples", "docs"} or "migrations" in path.parts:
            continue
        text = (ROOT / path).read_text()
        tree = ast.parse(text)
        used = Counter(
            node.id if isinstance(node, ast.Name) else node.attr
            for node in ast.walk(tree)
            if isinstance(node, (ast.Name, ast.Attribute))
        )
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
                lengths.append((node.end_lineno or 0) - first + 1)
                if node.name.startswith("_") and not node.name.startswith("__"):
                    helpers += 1
                    single += used[node.name] == 1
    if helpers:
        print(
            f"{len(lengths)} functions, median {median(lengths):g} lines with decorators; "
            f"{helpers} private helpers, {single / helpers:.0%} with one caller"
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
