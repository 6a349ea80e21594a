from typing import Any, TypeVar
from uuid import UUID

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from access.identity import actor_of
from core.api.filters import narrow
from core.api.headers import expected_version, versioned
from core.api.pagination import PARAMETERS, Keyset, Page, counter, cut, decode_cursor, encode_cursor, limit_of, page
from core.api.serializers import check_parameters, parse
from core.api.views import ApiViewSet
from core.db import sql_rows
from core.errors import Invalid
from core.openapi import created, deleted, listed, read, updated
from core.root_path import public_path
from governance.guards import pending_blocking
from intents import graph, positions, services
from intents.errors import IntentNotFound
from intents.filters import EventFilter, IntentEventFilter, IntentFilter
from intents.models import Assignment, Event, Intent
from intents.operations import Assignee
from intents.serializers import (
    AddDependencies,
    AgentOut,
    AssignAgent,
    AssignmentOut,
    BlockedIntentOut,
    CreateChild,
    CreateIntent,
    EffectiveIntentOut,
    EventOut,
    EventsOut,
    GraphOut,
    IntentOut,
    LogEvent,
    LogEvents,
    SetStatus,
    UpdateIntent,
    UpdateState,
    agent_body,
    assignment_body,
    edge_body,
    event_body,
    intent_body,
    new_event,
    node_body,
)
from portfolios.effective_constraints import effective_constraints

C = TypeVar("C")

BY_ID = Keyset("id")
ORDERINGS = {
    f"{sign}{field}": Keyset(f"{sign}{field}", f"{sign}id") for field in ("created_at", "updated_at") for sign in ("", "-")
}
EFFECTIVE = "Adds `effective_constraints`: its own over those that its active portfolios share."
EVENT_ORDERS = {"asc": Keyset("sequence"), "desc": Keyset("-sequence")}
POSITION_ORDERS = {"asc": Keyset("position"), "desc": Keyset("-position")}


def location(intent: Intent) -> str:
    return public_path(f"/api/v1/intents/{intent.pk}")


def choose(request: Request, name: str, choices: dict[str, C], default: str) -> C:
    given = request.query_params.get(name, default)
    if given not in choices:
        raise Invalid.field(name, f"must be one of {', '.join(choices)}")
    return choices[given]


def flag(request: Request, name: str) -> bool:
    return choose(request, name, {"true": True, "false": False}, "false")


def answer_intents(intents: QuerySet[Intent], request: Request, keyset: Keyset = BY_ID) -> Response:
    return Response(page(intents, request, keyset, fetch=sql_rows.fetch_within).body("intents", intent_body))


class IntentViewSet(ApiViewSet):
    tags = ["Intents"]

    @created("create_intent", "Create an intent", CreateIntent, IntentOut)
    def create(self, request: Request) -> Response:
        values = parse(CreateIntent, request)
        actor = actor_of(request, values.pop("created_by", None))
        intent = services.create_intent(actor=actor, **values)
        return versioned(intent_body(intent), status=201, location=location(intent))

    @listed(
        "list_intents",
        "List intents",
        IntentOut,
        "intents",
        filterset=IntentFilter,
        choices={"ordering": list(ORDERINGS)},
        offset=True,
    )
    def list(self, request: Request) -> Response:
        intents = narrow(IntentFilter, Intent.objects.all(), request, ["ordering", "offset"])
        return answer_intents(intents, request, choose(request, "ordering", ORDERINGS, "-created_at"))

    @read("get_intent", "Get an intent", EffectiveIntentOut, flags={"effective": EFFECTIVE})
    def retrieve(self, request: Request, intent_id: UUID | str) -> Response:
        check_parameters(request, ["effective"])
        effective = flag(request, "effective")
        intent = Intent.objects.row(intent_id)
        body = intent_body(intent)
        return versioned({**body, "effective_constraints": effective_constraints(intent)} if effective else body)

    @updated("update_intent", "Change an intent's details", UpdateIntent, IntentOut)
    def partial_update(self, request: Request, intent_id: UUID | str) -> Response:
        changes = parse(UpdateIntent, request)
        actor = actor_of(request, changes.pop("actor", None))
        intent = services.update_intent(
            intent_id=intent_id, expected_version=expected_version(request), actor=actor, changes=changes
        )
        return versioned(intent_body(intent))

    @updated("update_state", "Change an intent's state", UpdateState, IntentOut)
    def state(self, request: Request, intent_id: UUID | str) -> Response:
        values = parse(UpdateState, request)
        intent = services.patch_state(
            intent_id=intent_id,
            expected_version=expected_version(request),
            actor=actor_of(request, values.get("actor")),
            patches=values["patches"],
        )
        return versioned(intent_body(intent))

    @updated("set_status", "Change an intent's status", SetStatus, IntentOut)
    def status(self, request: Request, intent_id: UUID | str) -> Response:
        values = parse(SetStatus, request)
        actor = actor_of(request, values.pop("actor", None))
        intent = services.set_status(intent_id=intent_id, expected_version=expected_version(request), actor=actor, **values)
        return versioned(intent_body(intent))


class GraphViewSet(ApiViewSet):
    tags = ["Graph"]

    @created("create_child_intent", "Create a child of an intent", CreateChild, IntentOut)
    def create_child(self, request: Request, intent_id: UUID | str) -> Response:
        values = parse(CreateChild, request)
        actor = actor_of(request, values.pop("created_by", None))
        parent = Intent.objects.require(intent_id)
        intent = services.create_intent(actor=actor, parent_intent_id=parent, **values)
        return versioned(intent_body(intent), status=201, location=location(intent))

    @listed("get_children", "List the children of an intent", IntentOut, "intents")
    def children(self, request: Request, intent_id: UUID | str) -> Response:
        parent = self._known(request, intent_id)
        return answer_intents(Intent.objects.filter(parent_intent_id=parent), request)

    @listed("get_descendants", "List all that lies below an intent", IntentOut, "intents")
    def descendants(self, request: Request, intent_id: UUID | str) -> Response:
        return answer_intents(graph.descendants(self._known(request, intent_id)), request)

    @listed("get_ancestors", "List what an intent is part of, the nearest first", IntentOut, "intents")
    def ancestors(self, request: Request, intent_id: UUID | str) -> Response:
        intent = self._known(request, intent_id)
        limit, cursor = limit_of(request), request.query_params.get("cursor")
        beyond = decode_cursor(cursor, [counter])[0] if cursor else 0
        found = cut(graph.ancestors(intent, beyond=beyond, limit=limit + 1), limit, lambda row: encode_cursor([row[0]]))
        return Response(found.body("intents", lambda row: intent_body(row[1])))

    @listed("get_dependencies", "List what an intent depends on", IntentOut, "intents")
    def dependencies(self, request: Request, intent_id: UUID | str) -> Response:
        return answer_intents(graph.dependencies(self._known(request, intent_id)), request)

    @listed("get_dependents", "List what depends on an intent", IntentOut, "intents")
    def dependents(self, request: Request, intent_id: UUID | str) -> Response:
        return answer_intents(graph.dependents(self._known(request, intent_id)), request)

    @listed("get_ready", "List the open children that wait for nothing", IntentOut, "intents")
    def ready(self, request: Request, intent_id: UUID | str) -> Response:
        return answer_intents(graph.open_children(self._known(request, intent_id), ready=True), request)

    @listed("get_blocked", "List the open children that wait for others", BlockedIntentOut, "intents")
    def blocked(self, request: Request, intent_id: UUID | str) -> Response:
        found = page(graph.open_children(self._known(request, intent_id), ready=False), request, BY_ID)
        ids = [intent.pk for intent in found.rows]
        unmet, undecided = graph.unmet_dependencies(ids), pending_blocking(ids)

        def body(intent: Intent) -> dict[str, Any]:
            waiting_for = [*unmet.get(intent.pk, []), *undecided.get(intent.pk, [])]
            return {**intent_body(intent), "waiting_for": [str(pk) for pk in waiting_for]}

        return Response(found.body("intents", body))

    @read("get_graph", "Get all that an intent waits for, as nodes and edges", GraphOut)
    def graph(self, request: Request, intent_id: UUID | str) -> Response:
        check_parameters(request, [])
        root = Intent.objects.require(intent_id)
        nodes, edges = graph.reachable(root)
        return Response(
            {
                "root": str(root),
                "nodes": [node_body(node) for node in nodes],
                "edges": [edge_body(edge) for edge in edges],
                "aggregate_status": graph.aggregate_status(nodes, edges),
            }
        )

    @updated("add_dependency", "Let an intent wait for others", AddDependencies, IntentOut, creates=True)
    def add_dependencies(self, request: Request, intent_id: UUID | str) -> Response:
        values = parse(AddDependencies, request)
        intent, is_new = services.add_dependencies(
            intent_id=intent_id,
            expected_version=expected_version(request),
            actor=actor_of(request, values.get("actor")),
            depends_on=values["depends_on"],
        )
        return versioned(intent_body(intent), status=201 if is_new else 200)

    @deleted("remove_dependency", "Let an intent wait for one less", versioned=True)
    def remove_dependency(self, request: Request, intent_id: UUID | str, dependency_id: UUID | str) -> Response:
        intent = services.remove_dependency(
            intent_id=intent_id,
            dependency_id=dependency_id,
            expected_version=expected_version(request),
            actor=actor_of(request),
        )
        return Response(status=204, headers={"ETag": f'"{intent.version}"'})

    @staticmethod
    def _known(request: Request, intent_id: UUID | str) -> UUID:
        check_parameters(request, PARAMETERS)
        return Intent.objects.require(intent_id)


class AgentViewSet(ApiViewSet):
    tags = ["Agents"]

    @created("assign_agent", "Assign an agent to an intent", AssignAgent, AssignmentOut, may_exist=True)
    def assign(self, request: Request, intent_id: UUID | str) -> Response:
        values = parse(AssignAgent, request)
        assignment, is_new = services.assign_agent(
            intent_id=intent_id,
            assignee=Assignee(values["agent_id"], values["role"]),
            actor=actor_of(request, values.get("actor")),
        )
        return Response(assignment_body(assignment), status=201 if is_new else 200)

    @listed("get_agents", "List the agents of an intent", AgentOut, "agents")
    def agents(self, request: Request, intent_id: UUID | str) -> Response:
        check_parameters(request, PARAMETERS)
        assignments = Assignment.objects.filter(intent_id=Intent.objects.require(intent_id))
        return Response(page(assignments, request, BY_ID).body("agents", agent_body))

    @deleted("unassign_agent", "Take an agent off an intent")
    def unassign(self, request: Request, intent_id: UUID | str, agent_id: str) -> Response:
        services.unassign_agent(intent_id=intent_id, agent_id=agent_id, actor=actor_of(request))
        return Response(status=204)

    @listed("get_agent_intents", "List the intents that an agent is assigned to", IntentOut, "intents")
    def intents(self, request: Request, agent_id: str) -> Response:
        check_parameters(request, PARAMETERS)
        return answer_intents(Intent.objects.filter(assignments__agent_id=agent_id), request, ORDERINGS["-created_at"])


class EventViewSet(ApiViewSet):
    tags = ["Events"]

    @created("log_event", "Log an event", LogEvent, EventOut)
    def create(self, request: Request, intent_id: UUID | str) -> Response:
        values = parse(LogEvent, request)
        [event] = services.log_events(
            intent_id=intent_id, events=[new_event(values)], actor=actor_of(request, values.get("actor"))
        )
        return Response(event_body(event), status=201)

    @created("log_events", "Log several events, all or none", LogEvents, EventsOut)
    def create_batch(self, request: Request, intent_id: UUID | str) -> Response:
        values = parse(LogEvents, request)
        events = services.log_events(
            intent_id=intent_id,
            events=[new_event(each) for each in values["events"]],
            actor=actor_of(request, values.get("actor")),
        )
        return Response({"events": [event_body(event) for event in events]}, status=201)

    @listed(
        "get_events",
        "List the events of an intent",
        EventOut,
        "events",
        filterset=IntentEventFilter,
        choices={"order": list(EVENT_ORDERS)},
    )
    def list(self, request: Request, intent_id: UUID | str) -> Response:
        if not isinstance(intent_id, UUID):
            raise IntentNotFound(intent_id)
        events = narrow(IntentEventFilter, Event.objects.filter(intent_id=intent_id), request, ["order"])
        keyset = choose(request, "order", EVENT_ORDERS, "asc")
        found = page(events, request, keyset, fetch=sql_rows.fetch_within)
        if not found.rows:  # Whoever has events exists.
            Intent.objects.require(intent_id)
        if any(event.position is None for event in found.rows):  # Committed an instant ago: number them, and look again.
            positions.assign_pending_positions()
            found = page(events.filter(position__isnull=False), request, keyset, fetch=sql_rows.fetch_within)
        return self._answer(found)

    @listed(
        "list_events",
        "List the events of all intents, by position",
        EventOut,
        "events",
        filterset=EventFilter,
        choices={"order": [*POSITION_ORDERS]},
    )
    def list_all(self, request: Request) -> Response:
        events = narrow(EventFilter, Event.objects.filter(position__isnull=False), request, ["order"])
        keyset = choose(request, "order", POSITION_ORDERS, "asc")
        positions.assign_pending_positions()
        return self._answer(page(events, request, keyset, fetch=sql_rows.fetch_within))

    @staticmethod
    def _answer(found: Page) -> Response:
        return Response(found.body("events", event_body))
