"""SDK reference: Markdown from the package's signatures and docstrings.

A page's template is Markdown with lines

    ::: PATH [level=3] [only=a,b] [except=a,b] [methods] [data] [as=NAME]

each of which stands for a module, a class or a function of the package. `methods` documents the methods of a module's classes and leaves the
classes out, where they are parts of a client; `data` documents the attributes of classes and leaves out how they are made;
`as` names a function otherwise, and leaves out its heading.
"""

import ast
import re
import textwrap
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import griffe

ROOT = Path(__file__).parents[2]

DIRECTIVE = re.compile(r"^::: (\S+)(.*)$", re.MULTILINE)
ALIGNED = re.compile(r"([a-z_]+(?:, [a-z_]+)*)(  +)(\S.*)")
WIDTH = 88


@dataclass(frozen=True)
class Options:
    level: int = 2
    only: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    methods: bool = False
    data: bool = False
    name: str = ""

    def shows(self, name: str) -> bool:
        return name not in self.excluded and (name in self.only if self.only else not name.startswith("_"))


def page(template: str) -> str:
    return DIRECTIVE.sub(_documented, template)


@cache
def _package() -> griffe.Object:
    return griffe.load("openintent", search_paths=[str(ROOT / "sdk")])  # type: ignore[return-value]


def _documented(directive: re.Match[str]) -> str:
    given = dict(word.partition("=")[::2] for word in directive[2].split())
    options = Options(
        level=int(given.get("level", 2)),
        only=tuple(filter(None, given.get("only", "").split(","))),
        excluded=tuple(filter(None, given.get("except", "").split(","))),
        methods="methods" in given,
        data="data" in given,
        name=given.get("as", ""),
    )
    found = _target(_package()[directive[1].removeprefix("openintent.")])
    if found.is_module and options.methods:
        lines = [line for cls in _members(found, options) if cls.is_class for line in _methods(cls, options)]
    elif found.is_module:
        lines = [*_text(found), *(line for member in _members(found, options) for line in _member(member, options))]
    elif options.name:
        lines = [*_signature(found, options.name), *_text(found)]
    else:
        lines = list(_member(found, options))
    return "\n".join(lines).strip()


def _target(member: Any) -> Any:
    return member.final_target if member.is_alias else member


def _members(owner: Any, options: Options) -> list[Any]:
    """Return the public members: those that a module exports, else those that it defines, in order."""
    names = (
        owner.exports
        if owner.is_module and owner.exports
        else [name for name, each in owner.members.items() if not each.is_alias]
    )
    return [_target(owner.members[str(name)]) for name in names if options.shows(str(name)) and str(name) in owner.members]


def _member(member: Any, options: Options) -> Iterator[str]:
    if member.is_class:
        yield from _class(member, options)
    elif member.is_function:
        yield from _function(member, options.level)
    elif member.docstring:
        yield from (f"{'#' * options.level} `{member.name}`", "", *_text(member))


def _class(cls: Any, options: Options) -> Iterator[str]:
    yield from (f"{'#' * options.level} `{cls.name}`", "")
    made = None if options.data else cls.members.get("__init__")
    if made and (not options.only or "__init__" in options.only):
        yield from _signature(made, cls.name)
    yield from _text(cls)
    if "StrEnum" in map(str, cls.bases):
        yield from (*(f"- `{name.lower()}`" for name in cls.attributes), "")
        return
    is_dataclass = any("dataclass" in str(each.value) for each in cls.decorators)
    shown = [each for each in cls.attributes.values() if options.shows(each.name) and each.annotation]
    if attributes := [each for each in shown if options.data or each.docstring or not is_dataclass]:
        explained = any(each.docstring for each in attributes)
        yield from ("| Attribute | Type | |", "|---|---|---|") if explained else ("| Attribute | Type |", "|---|---|")
        for each in attributes:
            default = f" = {each.value}" if each.value and "(" not in str(each.value) else ""
            text = f" {_cell(' '.join(each.docstring.value.split()))} |" if each.docstring else " |" if explained else ""
            yield f"| `{each.name}` | `{_cell(f'{each.annotation}{default}')}` |{text}"
        yield ""
    yield from _methods(cls, Options(options.level + 1, options.only, (*options.excluded, "__init__")))


def _methods(cls: Any, options: Options) -> Iterator[str]:
    for each in _members(cls, options):
        if each.is_function:
            yield from _function(each, options.level)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _function(function: Any, level: int) -> Iterator[str]:
    yield from (f"{'#' * level} `{function.name}`", "", *_signature(function, function.name), *_text(function))


def _signature(function: Any, name: str) -> Iterator[str]:
    """Yield the signature as a block of code, on several lines where it is long."""
    parameters = list(_parameters(function))
    returned = function.returns
    returns = f" -> {returned}" if returned and function.name != "__init__" else ""
    line = f"{name}({', '.join(parameters)}){returns}"
    if len(line) > WIDTH:
        line = "\n".join([f"{name}(", *(f"    {each}," for each in parameters), f"){returns}"])
    yield from ("```python", line, "```", "")


def _parameters(function: Any) -> Iterator[str]:
    starred = False
    for each in function.parameters:
        if each.name in {"self", "cls"}:
            continue
        kind = each.kind.value if each.kind else ""
        stars = {"variadic positional": "*", "variadic keyword": "**"}.get(kind, "")
        if kind == "keyword-only" and not starred:
            yield "*"
        starred = starred or kind in {"keyword-only", "variadic positional"}
        annotation = f": {each.annotation}" if each.annotation else ""
        default = "" if each.default is None or stars else f" = {each.default}" if annotation else f"={each.default}"
        yield f"{stars}{each.name}{annotation}{default}"


def _text(member: Any) -> list[str]:
    if not member.docstring:
        return []
    summary, _, rest = member.docstring.value.partition("\n\n")
    with suppress(SyntaxError):  # If the rest is an example: its indentation is lost where nothing follows it.
        if ast.parse(rest).body:
            rest = textwrap.indent(rest, "    ")
    return [*as_list(f"{summary}\n\n{rest}".strip()).splitlines(), ""]


def as_list(text: str) -> str:
    """Turn columns of `name   meaning` into a Markdown list."""
    lines: list[str] = []
    column = 0
    for line in text.splitlines():
        if row := ALIGNED.fullmatch(line):
            lines += [""] if not column and lines and lines[-1] else []
            lines.append(f"- {', '.join(f'`{name}`' for name in row[1].split(', '))}: {row[3]}")
            column = row.start(3)
        elif column and line.startswith(" " * column):
            lines.append(f"    {line.strip()}")
        else:
            lines += ["", line] if column and line else [line]
            column = 0
    return "\n".join(lines)
