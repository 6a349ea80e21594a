"""The graph of an intent as an indented tree: `openintent tree`."""

from collections import defaultdict
from collections.abc import Iterator

import typer
from rich.text import Text

from ..models import GraphNode, IntentGraph
from . import formatting
from .options import IntentId, Json
from .output import Output
from .sanitize import escape
from .session import get_session


def tree(ctx: typer.Context, intent: IntentId, as_json: Json = False) -> None:
    """Show an intent with its descendants as a tree, each with its status and the intents that it waits for."""
    run = get_session(ctx)
    graph = run.client.get_graph(run.intent_id(intent))
    if as_json:
        return run.output.write_json(graph)
    run.output.print(run.output.lines(list(_lines(run.output, graph))))
    progress = graph.aggregate_status
    counts = ", ".join(f"{count} {status}" for status, count in progress.by_status.items() if count)
    run.output.print_note(f"{progress.total} intent{'' if progress.total == 1 else 's'}: {counts}")


def _lines(output: Output, graph: IntentGraph) -> Iterator[Text]:
    """Yield a line for each intent below the root, and for each that they depend on without being one of them."""
    nodes = {each.id: each for each in graph.nodes}
    children: dict[str, list[GraphNode]] = defaultdict(list)
    dependencies: dict[str, list[GraphNode]] = defaultdict(list)
    for edge in graph.edges:
        if edge.source in nodes and edge.target in nodes:
            (children if edge.type == "parent" else dependencies)[edge.source].append(nodes[edge.target])
    below = {graph.root}
    pending: list[tuple[GraphNode, str, str]] = [(nodes[graph.root], "", "")]
    while pending:  # Not recursive: a graph may be deeper than Python's stack.
        node, lead, indent = pending.pop()
        yield Text.assemble((lead, "dim"), _line(output, node, dependencies[node.id]))
        inner = children[node.id]
        for place in reversed(range(len(inner))):
            is_last = place == len(inner) - 1
            pending.append((inner[place], indent + ("└─ " if is_last else "├─ "), indent + ("   " if is_last else "│  ")))
            below.add(inner[place].id)
    others = {each.id: each for each in graph.nodes if each.id not in below}
    if others:
        yield Text("")
        yield Text("Outside of the tree", style="bold underline")
        for node in others.values():
            yield _line(output, node, dependencies[node.id])


def _line(output: Output, node: GraphNode, dependencies: list[GraphNode]) -> Text:
    line = Text.assemble((output.short_id(node.id), "dim"), "  ", formatting.status(node.status), "  ", escape(node.title))
    if node.agents:
        line.append(escape(f"  {formatting.agents(node.agents)}"), style="dim")
    if dependencies:
        line.append(f"  after {', '.join(output.short_id(each.id) for each in dependencies)}", style="dim")
    return line
