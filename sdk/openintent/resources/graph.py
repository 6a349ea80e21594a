"""Parents, children and dependencies (RFC-0002)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from .._endpoint import Call, endpoint
from ..models import BlockedIntent, Intent, IntentGraph
from ._helpers import Id, Ids, as_ids, list_call, no_content, path
from .intents import IntentResource


class GraphResource:
    """/intents/{id}/children, …/dependencies and their lists (RFC-0002)."""

    @endpoint
    def create_child_intent(
        self,
        parent_id: Id,
        title: str,
        description: str | None = None,
        *,
        state: Mapping[str, Any] | None = None,
        constraints: Mapping[str, Any] | Sequence[Any] | None = None,
        confidence: int | None = None,
        depends_on: Ids | None = None,
        assign: str | Sequence[str] | None = None,
        created_by: str | None = None,
        initial_state: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> Call[Intent]:
        """Create a child of `parent_id`: the parent can be completed only after it (G-4).

        The other arguments are those of `create_intent`.

        Raises InputValidationError, NotFoundError (the parent or a dependency), ValidationError
        `dependency_cycle`.
        """
        call = IntentResource.create_intent(
            None,
            title,
            description,
            state=state,
            initial_state=initial_state,
            constraints=constraints,
            confidence=confidence,
            depends_on=depends_on,
            assign=assign,
            created_by=created_by,
            idempotency_key=idempotency_key,
        )
        return replace(call, path=path("intents", parent_id, "children"))

    @endpoint
    def get_children(self, intent_id: Id, *, limit: int | None = None) -> Call[list[Intent]]:
        """Return the intent's children. Raises NotFoundError."""
        return _list_related(intent_id, "children", limit)

    @endpoint
    def get_descendants(self, intent_id: Id, *, limit: int | None = None) -> Call[list[Intent]]:
        """Return the intent's descendants, at any depth. Raises NotFoundError."""
        return _list_related(intent_id, "descendants", limit)

    @endpoint
    def get_ancestors(self, intent_id: Id, *, limit: int | None = None) -> Call[list[Intent]]:
        """Return the intent's parent, the parent's parent and so on, the nearest first. Raises NotFoundError."""
        return _list_related(intent_id, "ancestors", limit)

    @endpoint
    def get_dependencies(self, intent_id: Id, *, limit: int | None = None) -> Call[list[Intent]]:
        """Return the intents that it directly depends on. Raises NotFoundError."""
        return _list_related(intent_id, "dependencies", limit)

    @endpoint
    def get_dependents(self, intent_id: Id, *, limit: int | None = None) -> Call[list[Intent]]:
        """Return the intents that directly depend on it. Raises NotFoundError."""
        return _list_related(intent_id, "dependents", limit)

    @endpoint
    def get_ready(self, intent_id: Id, *, limit: int | None = None) -> Call[list[Intent]]:
        """Return the open children that are ready to be worked on (G-6). Raises NotFoundError."""
        return _list_related(intent_id, "ready", limit)

    @endpoint
    def get_blocked(self, intent_id: Id, *, limit: int | None = None) -> Call[list[BlockedIntent]]:
        """Return the open children that are not ready, each with `waiting_for` (G-6). Raises NotFoundError."""
        return list_call(path("intents", intent_id, "blocked"), "intents", BlockedIntent, limit=limit)

    @endpoint
    def get_graph(self, intent_id: Id) -> Call[IntentGraph]:
        """Return the graph of children and dependencies that is reachable from the intent, with its progress. Raises NotFoundError."""
        return Call(method="GET", path=path("intents", intent_id, "graph"), parse=IntentGraph.from_json)

    @endpoint
    def add_dependency(self, intent_id: Id, version: int, depends_on: Ids) -> Call[Intent]:
        """Make the intent at `version` depend on one other or several. Existing dependencies are left unchanged.

        An open dependency blocks it (G-3).

        Raises ConflictError `version_conflict`, ValidationError `dependency_cycle` (`response["cycle"]`), NotFoundError.
        """
        return Call(
            method="POST",
            path=path("intents", intent_id, "dependencies"),
            json={"depends_on": as_ids(depends_on)},
            version=version,
            parse=Intent.from_json,
        )

    @endpoint
    def remove_dependency(self, intent_id: Id, version: int, dependency_id: Id) -> Call[None]:
        """Remove a dependency of the intent at `version`; without open dependencies it is unblocked (G-3).

        Idempotent. Raises ConflictError `version_conflict`, NotFoundError.
        """
        return Call(
            method="DELETE",
            path=path("intents", intent_id, "dependencies", dependency_id),
            version=version,
            parse=no_content,
        )


def _list_related(intent_id: Id, relation: str, limit: int | None) -> Call[list[Intent]]:
    return list_call(path("intents", intent_id, relation), "intents", Intent, limit=limit)
