"""Python blocks of the documents, run as they stand or with an `await` before every call of the client."""

import ast
import inspect
import re
from pathlib import Path

from openintent import AsyncOpenIntentClient, OpenIntentClient

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
SPECIFICATION = ROOT / "docs/specification.md"
GUIDES = ROOT / "docs/guides"

CONNECTION = {
    "base_url": "https://api.openintent.ai",
    "api_key": "your-api-key",
    "agent_id": "my-agent",
}


def example(heading, page=SPECIFICATION):
    """Return the first Python block under a heading of a page."""
    found = re.search(rf"^#+ {re.escape(heading)}$.*?^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    assert found, f"{page} has no example under {heading!r}"
    return found[1]


class Awaits(ast.NodeTransformer):
    """Puts `await` before each call of a method of `client`, and `async` before a `with` of one."""

    def visit_With(self, node):
        if not any(self.is_of_client(item.context_expr) for item in node.items):
            return self.generic_visit(node)
        body = [self.visit(statement) for statement in node.body]
        return ast.copy_location(ast.AsyncWith(items=node.items, body=body), node)

    def visit_For(self, node):
        self.generic_visit(node)
        if not (isinstance(node.iter, ast.Await) and node.iter.value.func.attr == "stream"):
            return node
        return ast.copy_location(ast.AsyncFor(node.target, node.iter.value, node.body, node.orelse), node)

    def visit_Name(self, node):
        if node.id == "OpenIntentClient":
            node.id = "AsyncOpenIntentClient"
        return node

    def visit_ImportFrom(self, node):
        for each in node.names:
            each.name = {"OpenIntentClient": "AsyncOpenIntentClient"}.get(each.name, each.name)
        return node

    def is_of_client(self, node):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="client"))):
                return True
        return False

    def visit_Call(self, node):
        self.generic_visit(node)
        return ast.copy_location(ast.Await(node), node) if self.is_of_client(node) else node


class AwaitsOfAdapter(Awaits):
    """Transformer for the examples of adapters, whose clients have other names, and asynchronous variants."""

    TWINS = {each: f"Async{each}" for each in ("OpenIntentClient", "OpenAI", "Anthropic")}

    def visit_For(self, node):
        self.generic_visit(node)
        return ast.copy_location(ast.AsyncFor(node.target, node.iter, node.body, node.orelse), node)

    def visit_Name(self, node):
        node.id = self.TWINS.get(node.id, node.id)
        return node

    def visit_ImportFrom(self, node):
        for each in node.names:
            each.name = self.TWINS.get(each.name, each.name)
        return node

    def is_of_client(self, node):
        """`openintent.create_intent(…)`, `adapter.chat.completions.create(…)`."""
        if not isinstance(node, ast.Call):
            return False
        owner = node.func
        while isinstance(owner, ast.Attribute):
            owner = owner.value
        return owner is not node.func and isinstance(owner, ast.Name) and owner.id in {"openintent", "adapter"}


class Filled(ast.NodeTransformer):
    """Fills in what an example leaves open: `base_url="..."`, `api_key="..."`, and a JSON schema `{...}`."""

    SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}

    def __init__(self, **values):
        self.values = values

    def visit_keyword(self, node):
        if isinstance(node.value, ast.Constant) and node.value.value == "...":
            node.value = ast.copy_location(ast.Constant(self.values[node.arg]), node.value)
        return self.generic_visit(node)

    def visit_Set(self, node):
        match node.elts:
            case [ast.Constant(value=value)] if value is ...:
                return ast.copy_location(ast.parse(repr(self.SCHEMA), mode="eval").body, node)
        return self.generic_visit(node)


def parsed(code):
    """The code, with a call of `meanwhile` before its last statement."""
    tree = ast.parse(code)
    tree.body.insert(-1, ast.parse("meanwhile()").body[0])
    return tree


async def run_awaited(code, names):
    await run_tree(Awaits().visit(parsed(code)), names)


async def run_tree(tree, names):
    """Code with `await` in it."""
    tree = ast.fix_missing_locations(tree)
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    outcome = eval(compile(tree, "example", "exec", flags=flags), names)
    if inspect.isawaitable(outcome):
        await outcome


async def play_awaited(code, names):
    async with AsyncOpenIntentClient(**CONNECTION) as client:
        names["client"] = client
        await run_awaited(code, names)
        if names["client"] is not client:
            await names["client"].close()


def play_as_written(code, names):
    with OpenIntentClient(**CONNECTION) as client:
        names["client"] = client
        exec(compile(ast.fix_missing_locations(parsed(code)), "example", "exec"), names)
