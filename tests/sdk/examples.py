"""The README's Python blocks, and how they are run: as they stand, or with an `await` before every call of the client."""

import ast
import inspect
import re
from pathlib import Path

from openintent import AsyncOpenIntentClient, OpenIntentClient

README = Path(__file__).parents[2] / "README.md"
CONNECTION = {
    "base_url": "https://api.openintent.ai",
    "api_key": "your-api-key",
    "agent_id": "my-agent",
}


def example(heading):
    """The Python block under a heading."""
    found = re.search(rf"^#+ {re.escape(heading)}$.*?^```python\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)
    assert found, f"README.md has no example under {heading!r}"
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

    @staticmethod
    def is_of_client(node):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="client"))):
                return True
        return False

    def visit_Call(self, node):
        self.generic_visit(node)
        return ast.copy_location(ast.Await(node), node) if self.is_of_client(node) else node


def parsed(code):
    """The code, with a call of `meanwhile` before its last statement."""
    tree = ast.parse(code)
    tree.body.insert(-1, ast.parse("meanwhile()").body[0])
    return tree


async def run_awaited(code, names):
    tree = ast.fix_missing_locations(Awaits().visit(parsed(code)))
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    outcome = eval(compile(tree, "README.md", "exec", flags=flags), names)
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
        exec(compile(ast.fix_missing_locations(parsed(code)), "README.md", "exec"), names)
