"""Asynchronous resources, from the synchronous ones.

A method that sends becomes a coroutine function. What a module has beside its resource is imported from the synchronous module.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

SOURCES = Path(__file__).parents[2] / "sdk/openintent/resources"

SENDS = r"self\.(send|_run|_send|_sleep)\("
ABSTRACT = ("_send", "_sleep")
"""Methods without a body that would tell that they wait."""

REPLACED = {
    r"^class (\w+)": r"class Async\1",
    r"\b(Transport|HeldLease|HeldPermit|EventStream)\b": r"Async\1",
    r"`with client\.": "`async with client.",
    r"(?m)^( +)for event in client\.": r"\1async for event in client.",
    SENDS: r"await self.\1(",
}

IMPORTS = """
from ..._async_lease import AsyncHeldLease
from ..._async_permits import AsyncHeldPermit
from ..._async_stream import AsyncEventStream
from ._transport import AsyncTransport
"""
"""Imports of any resource; those that it does not use are removed."""


def modules() -> dict[str, str]:
    """Return the source of each module, by its path in the package."""
    return {f"resources/_async/{path.name}": _module(path) for path in SOURCES.glob("*.py")}


def _module(path: Path) -> str:
    source = path.read_text()
    if path.name == "__init__.py":
        return re.sub(r"\b(\w*Resources?)\b", r"Async\1", source)
    return "\n\n".join(_statements(source, path.stem))


def _statements(source: str, module: str) -> Iterator[str]:
    tree = ast.parse(source)
    yield f'"""{ast.get_docstring(tree)}"""'
    yield IMPORTS if module != "_transport" else IMPORTS.replace("from ._transport import AsyncTransport", "")
    for node in tree.body:
        text = ast.get_source_segment(source, node) or ""
        if isinstance(node, ast.ImportFrom) and node.level:
            yield text.replace("from .", "from ..", 1)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield text
        elif isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            yield f"from ..{module} import {node.name}"
        elif isinstance(node, ast.Assign):
            yield f"from ..{module} import {ast.unparse(node.targets[0])}"
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name.endswith(("Resource", "Transport")):
            yield _class(node, source)


def _class(node: ast.ClassDef, source: str) -> str:
    text = ast.get_source_segment(source, node) or ""
    for method in node.body:
        body = ast.get_source_segment(source, method) or ""
        if isinstance(method, ast.FunctionDef) and (method.name in ABSTRACT or re.search(SENDS, body)):
            text = text.replace(f"    def {method.name}(", f"    async def {method.name}(")
    for pattern, replacement in REPLACED.items():
        text = re.sub(pattern, replacement, text)
    return text
