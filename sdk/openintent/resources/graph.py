"""Parents, children and dependencies (RFC-0002)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from .._call import Call, call_builder, list_call, no_content
from .._parameters import Id, Ids, as_ids, path
from ..models import BlockedIntent, Intent, IntentGraph
from ._transport import Transport
from .intents import IntentResource


class GraphResource(Transport):
    """/intents/{id}/children, …/dependencies and their lists (RFC-0002)."""

    def create_child_intent(
        self,
        parent_id: Id,
        title: str,
        description: str | None = None,
        constraints: Mapping[str, Any] | Sequence[Any] | None = None,
        initial_state: Mapping[str, Any] | None = None,
        depends_on: Ids | None = None,
        *,
        state: Mapping[str, Any] | None = None,
        confidence: int | None = None,
        assign: str | Sequence[str] | None = None,
        created_by: str | None = None,
        idempotency_key: str | None = None,
    ) -> Intent:
        """Create a child of `parent_id`: the parent can be completed only after it (G-4).

        The other arguments are those of `create_intent`.

        Raises InputValidationError, NotFoundError (the parent or a dependency), ValidationError
        `dependency_cycle`.
        """
        call = call_builder(IntentResource.create_intent)(
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
        return self.send(replace(call, path=path("intents", parent_id, "children")))

    def get_children(self, intent_id: Id, *, limit: int | None = None) -> list[Intent]:
        """Return the intent's children. Raises NotFoundError."""
        return self.send(list_related(intent_id, "children", limit))

    def get_descendants(self, intent_id: Id, *, limit: int | None = None) -> list[Intent]:
        """Return the intent's descendants, at any depth. Raises NotFoundError."""
        return self.send(list_related(intent_id, "descendants", limit))

    def get_ancestors(self, intent_id: Id, *, limit: int | None = None) -> list[Intent]:
        """Return the intent's parent, the parent's parent and so on, the nearest first. Raises NotFoundError."""
        return self.send(list_related(intent_id, "ancestors", limit))

    def get_dependencies(self, intent_id: Id, *, limit: int | None = None) -> list[Intent]:
        """Return the intents that it directly depends on. Raises NotFoundError."""
        return self.send(list_related(intent_id, "dependencies", limit))

    def get_dependents(self, intent_id: Id, *, limit: int | None = None) -> list[Intent]:
        """Return the intents that directly depend on it. Raises NotFoundError."""
        return self.send(list_related(intent_id, "dependents", limit))

    def get_ready(self, intent_id: Id, *, limit: int | None = None) -> list[Intent]:
        """Return the open children that are ready to be worked on (G-6). Raises NotFoundError."""
        return self.send(list_related(intent_id, "ready", limit))

    def get_blocked(self, intent_id: Id, *, limit: int | None = None) -> list[BlockedIntent]:
        """Return the open children that are not ready, each with `waiting_for` (G-6). Raises NotFoundError."""
        return self.send(list_call(path("intents", intent_id, "blocked"), "intents", BlockedIntent, limit=limit))

    def get_graph(self, intent_id: Id) -> IntentGraph:
        """Return the graph of children and dependencies that is reachable from the intent, with its progress. Raises NotFoundError."""
        return self.send(Call("GET", path("intents", intent_id, "graph"), IntentGraph.from_json))

    def add_dependency(self, intent_id: Id, version: int, depends_on: Ids) -> Intent:
        """Make the intent at `version` depend on one other or several. Existing dependencies are left unchanged.

        An open dependency blocks it (G-3).

        Raises ConflictError `version_conflict`, ValidationError `dependency_cycle` (`response["cycle"]`), NotFoundError.
        """
        return self.send(
            Call(
                "POST",
                path("intents", intent_id, "dependencies"),
                Intent.from_json,
                json={"depends_on": as_ids(depends_on)},
                version=version,
            )
        )

    def remove_dependency(self, intent_id: Id, version: int, dependency_id: Id) -> None:
        """Remove a dependency of the intent at `version`; without open dependencies it is unblocked (G-3).

        Idempotent. Raises ConflictError `version_conflict`, NotFoundError.
        """
        return self.send(Call("DELETE", path("intents", intent_id, "dependencies", dependency_id), no_content, version=version))


def list_related(intent_id: Id, relation: str, limit: int | None) -> Call[list[Intent]]:
    return list_call(path("intents", intent_id, relation), "intents", Intent, limit=limit)
