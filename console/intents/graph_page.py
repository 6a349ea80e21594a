"""Graph page of an intent: as a tree, what blocks it, its critical path, and the drawing. Each has a URL."""

from dataclasses import dataclass
from typing import Any
from zlib import crc32

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from access.models import Role
from access.roles import has_role
from console.event_log.pages import parse_counter
from console.intents import blockers, neighborhood
from console.intents.tree import MAX_OPEN, MAX_ROWS, IntentTree, TreeRow, load_tree
from console.live_admin import reject_unknown_parameters, render_live
from core.db import database_now
from core.ids import parse_id
from intents import graph
from intents.models import Intent

VIEWS = {"tree": "Tree", "blocking": "What blocks", "critical": "Critical path", "drawing": "Drawing"}
PARAMETERS = ("view", "q", "open", "of", "after", "rows")
EVENT_TYPES = (
    "intent_created intent_updated status_changed dependency_added dependency_removed agent_assigned agent_unassigned "
    "arbitration_requested arbitration_withdrawn arbitration_expired decision_recorded"
)


@dataclass(frozen=True, slots=True)
class GraphQuery:
    """Parameters of the page: the view (empty: by size), the words of a search, the branch `of` an intent, its children `after` a number."""

    view: str
    words: str
    of: str
    after: int
    is_open: bool
    rows_only: bool

    @classmethod
    def from_request(cls, request: HttpRequest) -> "GraphQuery":
        asked = request.GET
        words = asked.get("q", "").replace("\0", "").strip()
        view = "tree" if words else asked.get("view", "")
        return cls(
            view if view in VIEWS or not view else "tree",
            words,
            asked.get("of", ""),
            parse_counter(asked.get("after", "")) or 0,
            asked.get("open") == "all",
            "rows" in asked,
        )


def show(request: HttpRequest, intent: Intent, opts: Any) -> HttpResponse:
    """Render the page; with the parameter `rows`, a branch of the tree alone."""
    if not has_role(request, Role.OBSERVER):
        raise PermissionDenied("You don't have a role in the console.")
    reject_unknown_parameters(request, PARAMETERS)
    asked = GraphQuery.from_request(request)
    tree = load_tree(intent.pk)
    if asked.rows_only:
        context = {"intent": intent, "branch": _branch(tree, asked)}
        return TemplateResponse(request, "console/intents/tree_rows.html", context, headers={"Cache-Control": "no-store"})
    view, drawn = asked.view, None
    if not view:
        drawn = neighborhood.load_related(intent, neighborhood.SMALL)
        view = "tree" if drawn.is_cut else "drawing"
    elif view == "drawing":
        drawn = neighborhood.load_related(intent)
    shown = _view(view, tree, asked)
    context = {
        "title": f"Graph of {intent.title}",
        "opts": opts,
        "original": intent,
        "intent": intent,
        "path": [each for _, each in graph.ancestors(intent.pk, beyond=0, limit=neighborhood.MAX_PATH)][::-1],
        "asked": asked,
        "view": view,
        "views": VIEWS.items(),
        "size": len(tree),
        "counts": tree.count(),
        "max_open": MAX_OPEN,
        "now": database_now(),
        "key": crc32(repr((view, tree.count(), shown)).encode()),
        **shown,
        **(_drawing(intent, drawn) if view == "drawing" and drawn else {}),
    }
    return render_live(request, "console/intents/graph_page.html", context, event_types=EVENT_TYPES, min_seconds=tree.pace)


def _view(view: str, tree: IntentTree, asked: GraphQuery) -> dict[str, Any]:
    if view == "blocking":
        rows, count = blockers.list_blockers(tree)
        return {"blockers": rows, "count": count}
    if view == "critical":
        return {"chain": blockers.find_critical_path(tree)}
    if view == "tree" and asked.words:
        found, count = tree.search(asked.words)
        return {"found": found, "count": count}
    return {"branch": _branch(tree, asked)} if view == "tree" else {}


def _drawing(intent: Intent, drawn: neighborhood.RelatedIntents) -> dict[str, Any]:
    return {"neighbours": drawn, "related": neighborhood.count_reachable(intent) if drawn.is_cut else len(drawn.nodes)}


def _branch(tree: IntentTree, asked: GraphQuery) -> TreeRow:
    """Return the branch that is asked for; that of the root if there is no such intent in the tree any more."""
    number = tree.number_of(parse_id(asked.of)) or 0
    most = MAX_OPEN if asked.is_open else MAX_ROWS
    return tree.branch(number, after=asked.after, most=most, is_partial=asked.is_open)
