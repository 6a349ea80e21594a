"""Endpoints of intents, their graph, agents and events (RFC-0001, RFC-0002)."""

from typing import Any, TypeVar
from uuid import UUID

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from access.identity import get_actor
from core.api.filters import filter_queryset
from core.api.headers import expected_version, versioned_response
from core.api.pagination import (
    PAGINATION_PARAMETERS,
    Keyset,
    Page,
    decode_cursor,
    encode_cursor,
    parse_counter,
    requested_limit,
    trim_to_page,
)
from core.api.serializers import reject_unknown_parameters, validate_body
from core.api.views import ApiViewSet
from core.db import sql_rows
from core.errors import Invalid
from core.openapi import document_create, document_destroy, document_list, document_retrieve, document_update
from core.root_path import public_path
from governance.guards import pending_blocking
from intents import graph, positions, services
from intents.errors import IntentNotFound
from intents.filters import EventFilter, IntentEventFilter, IntentFilter
from intents.models import Assignment, Event, Intent
from intents.operations import Assignee
from intents.representation import agent_body, assignment_body, edge_body, event_body, intent_body, node_body
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
    new_event,
)
from portfolios.effective_constraints import effective_constraints

C = TypeVar("C")

BY_ID = Keyset("id")
ORDERINGS = {
    f"{sign}{field}": Keyset(f"{sign}{field}", f"{sign}id") for field in ("created_at", "updated_at") for sign in ("", "-")
}
EFFECTIVE = "Adds `effective_constraints`: those of the intent, merged over those of its active portfolios."
EVENT_ORDERS = {"asc": Keyset("sequence"), "desc": Keyset("-sequence")}
POSITION_ORDERS = {"asc": Keyset("position"), "desc": Keyset("-position")}


def intent_url(intent: Intent) -> str:
    return public_path(f"/api/v1/intents/{intent.pk}")


def choice_parameter(request: Request, name: str, choices: dict[str, C], default: str) -> C:
    """Return the value of a query parameter that has a few known words. Raise Invalid."""
    given = request.query_params.get(name, default)
    if given not in choices:
        raise Invalid.field(name, f"must be one of {', '.join(choices)}")
    return choices[given]


def boolean_parameter(request: Request, name: str) -> bool:
    return choice_parameter(request, name, {"true": True, "false": False}, "false")


def list_intents(intents: QuerySet[Intent], request: Request, keyset: Keyset = BY_ID) -> Response:
    return Response(keyset.paginate_queryset(intents, request, fetch=sql_rows.fetch_within).body("intents", intent_body))


class IntentViewSet(ApiViewSet):
    tags = ["Intents"]

    @document_create("create_intent", "Create an intent", CreateIntent, IntentOut)
    def create(self, request: Request) -> Response:
        values = validate_body(CreateIntent, request)
        actor = get_actor(request, values.pop("created_by", None))
        intent = services.create_intent(actor=actor, **values)
        return versioned_response(intent_body(intent), status=201, location=intent_url(intent))

    @document_list(
        "list_intents",
        "List intents",
        IntentOut,
        "intents",
        filterset=IntentFilter,
        choices={"ordering": list(ORDERINGS)},
        offset=True,
    )
    def list(self, request: Request) -> Response:
        intents = filter_queryset(IntentFilter, Intent.objects.all(), request, ["ordering", "offset"])
        return list_intents(intents, request, choice_parameter(request, "ordering", ORDERINGS, "-created_at"))

    @document_retrieve("get_intent", "Get an intent", EffectiveIntentOut, flags={"effective": EFFECTIVE})
    def retrieve(self, request: Request, intent_id: UUID | str) -> Response:
        reject_unknown_parameters(request, ["effective"])
        effective = boolean_parameter(request, "effective")
        intent = Intent.objects.row(intent_id)
        body = intent_body(intent)
        return versioned_response({**body, "effective_constraints": effective_constraints(intent)} if effective else body)

    @document_update("update_intent", "Change an intent's details", UpdateIntent, IntentOut)
    def partial_update(self, request: Request, intent_id: UUID | str) -> Response:
        changes = validate_body(UpdateIntent, request)
        actor = get_actor(request, changes.pop("actor", None))
        intent = services.update_intent(
            intent_id=intent_id, expected_version=expected_version(request), actor=actor, changes=changes
        )
        return versioned_response(intent_body(intent))

    @document_update("update_state", "Change an intent's state", UpdateState, IntentOut)
    def state(self, request: Request, intent_id: UUID | str) -> Response:
        values = validate_body(UpdateState, request)
        intent = services.patch_state(
            intent_id=intent_id,
            expected_version=expected_version(request),
            actor=get_actor(request, values.get("actor")),
            patches=values["patches"],
        )
        return versioned_response(intent_body(intent))

    @document_update("set_status", "Change an intent's status", SetStatus, IntentOut)
    def status(self, request: Request, intent_id: UUID | str) -> Response:
        values = validate_body(SetStatus, request)
        actor = get_actor(request, values.pop("actor", None))
        intent = services.set_status(intent_id=intent_id, expected_version=expected_version(request), actor=actor, **values)
        return versioned_response(intent_body(intent))


class GraphViewSet(ApiViewSet):
    tags = ["Graph"]

    @document_create("create_child_intent", "Create a child of an intent", CreateChild, IntentOut)
    def create_child(self, request: Request, intent_id: UUID | str) -> Response:
        values = validate_body(CreateChild, request)
        actor = get_actor(request, values.pop("created_by", None))
        parent = Intent.objects.require(intent_id)
        intent = services.create_intent(actor=actor, parent_intent_id=parent, **values)
        return versioned_response(intent_body(intent), status=201, location=intent_url(intent))

    @document_list("get_children", "List the children of an intent", IntentOut, "intents")
    def children(self, request: Request, intent_id: UUID | str) -> Response:
        parent = self._require_intent(request, intent_id)
        return list_intents(Intent.objects.filter(parent_intent_id=parent), request)

    @document_list("get_descendants", "List the descendants of an intent", IntentOut, "intents")
    def descendants(self, request: Request, intent_id: UUID | str) -> Response:
        return list_intents(graph.descendants(self._require_intent(request, intent_id)), request)

    @document_list("get_ancestors", "List the ancestors of an intent, the nearest first", IntentOut, "intents")
    def ancestors(self, request: Request, intent_id: UUID | str) -> Response:
        intent = self._require_intent(request, intent_id)
        limit, cursor = requested_limit(request), request.query_params.get("cursor")
        beyond = decode_cursor(cursor, [parse_counter])[0] if cursor else 0
        found = trim_to_page(graph.ancestors(intent, beyond=beyond, limit=limit + 1), limit, lambda row: encode_cursor([row[0]]))
        return Response(found.body("intents", lambda row: intent_body(row[1])))

    @document_list("get_dependencies", "List the dependencies of an intent", IntentOut, "intents")
    def dependencies(self, request: Request, intent_id: UUID | str) -> Response:
        return list_intents(graph.dependencies(self._require_intent(request, intent_id)), request)

    @document_list("get_dependents", "List the dependents of an intent", IntentOut, "intents")
    def dependents(self, request: Request, intent_id: UUID | str) -> Response:
        return list_intents(graph.dependents(self._require_intent(request, intent_id)), request)

    @document_list("get_ready", "List the open children that are ready", IntentOut, "intents")
    def ready(self, request: Request, intent_id: UUID | str) -> Response:
        return list_intents(graph.open_children(self._require_intent(request, intent_id), ready=True), request)

    @document_list("get_blocked", "List the open children that are blocked", BlockedIntentOut, "intents")
    def blocked(self, request: Request, intent_id: UUID | str) -> Response:
        found = BY_ID.paginate_queryset(graph.open_children(self._require_intent(request, intent_id), ready=False), request)
        ids = [intent.pk for intent in found.rows]
        unmet, undecided = graph.unmet_dependencies(ids), pending_blocking(ids)

        def body(intent: Intent) -> dict[str, Any]:
            waiting_for = [*unmet.get(intent.pk, []), *undecided.get(intent.pk, [])]
            return {**intent_body(intent), "waiting_for": [str(pk) for pk in waiting_for]}

        return Response(found.body("intents", body))

    @document_retrieve("get_graph", "Get the graph of an intent, as nodes and edges", GraphOut)
    def graph(self, request: Request, intent_id: UUID | str) -> Response:
        reject_unknown_parameters(request, [])
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

    @document_update("add_dependency", "Add dependencies to an intent", AddDependencies, IntentOut, creates=True)
    def add_dependencies(self, request: Request, intent_id: UUID | str) -> Response:
        values = validate_body(AddDependencies, request)
        intent, is_new = services.add_dependencies(
            intent_id=intent_id,
            expected_version=expected_version(request),
            actor=get_actor(request, values.get("actor")),
            depends_on=values["depends_on"],
        )
        return versioned_response(intent_body(intent), status=201 if is_new else 200)

    @document_destroy("remove_dependency", "Remove a dependency of an intent", versioned=True)
    def remove_dependency(self, request: Request, intent_id: UUID | str, dependency_id: UUID | str) -> Response:
        intent = services.remove_dependency(
            intent_id=intent_id,
            dependency_id=dependency_id,
            expected_version=expected_version(request),
            actor=get_actor(request),
        )
        return Response(status=204, headers={"ETag": f'"{intent.version}"'})

    @staticmethod
    def _require_intent(request: Request, intent_id: UUID | str) -> UUID:
        reject_unknown_parameters(request, PAGINATION_PARAMETERS)
        return Intent.objects.require(intent_id)


class AgentViewSet(ApiViewSet):
    tags = ["Agents"]

    @document_create("assign_agent", "Assign an agent to an intent", AssignAgent, AssignmentOut, may_exist=True)
    def assign(self, request: Request, intent_id: UUID | str) -> Response:
        values = validate_body(AssignAgent, request)
        assignment, is_new = services.assign_agent(
            intent_id=intent_id,
            assignee=Assignee(values["agent_id"], values["role"]),
            actor=get_actor(request, values.get("actor")),
        )
        return Response(assignment_body(assignment), status=201 if is_new else 200)

    @document_list("get_agents", "List the agents of an intent", AgentOut, "agents")
    def agents(self, request: Request, intent_id: UUID | str) -> Response:
        reject_unknown_parameters(request, PAGINATION_PARAMETERS)
        assignments = Assignment.objects.filter(intent_id=Intent.objects.require(intent_id))
        return Response(BY_ID.paginate_queryset(assignments, request).body("agents", agent_body))

    @document_destroy("unassign_agent", "Unassign an agent from an intent")
    def unassign(self, request: Request, intent_id: UUID | str, agent_id: str) -> Response:
        services.unassign_agent(intent_id=intent_id, agent_id=agent_id, actor=get_actor(request))
        return Response(status=204)

    @document_list("get_agent_intents", "List the intents of an agent", IntentOut, "intents")
    def intents(self, request: Request, agent_id: str) -> Response:
        reject_unknown_parameters(request, PAGINATION_PARAMETERS)
        return list_intents(Intent.objects.filter(assignments__agent_id=agent_id), request, ORDERINGS["-created_at"])


class EventViewSet(ApiViewSet):
    tags = ["Events"]

    @document_create("log_event", "Log an event", LogEvent, EventOut)
    def create(self, request: Request, intent_id: UUID | str) -> Response:
        values = validate_body(LogEvent, request)
        [event] = services.log_events(
            intent_id=intent_id, events=[new_event(values)], actor=get_actor(request, values.get("actor"))
        )
        return Response(event_body(event), status=201)

    @document_create("log_events", "Log several events, all or none", LogEvents, EventsOut)
    def create_batch(self, request: Request, intent_id: UUID | str) -> Response:
        values = validate_body(LogEvents, request)
        events = services.log_events(
            intent_id=intent_id,
            events=[new_event(each) for each in values["events"]],
            actor=get_actor(request, values.get("actor")),
        )
        return Response({"events": [event_body(event) for event in events]}, status=201)

    @document_list(
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
        events = filter_queryset(IntentEventFilter, Event.objects.filter(intent_id=intent_id), request, ["order"])
        keyset = choice_parameter(request, "order", EVENT_ORDERS, "asc")
        found = keyset.paginate_queryset(events, request, fetch=sql_rows.fetch_within)
        if not found.rows:  # An intent that has events exists.
            Intent.objects.require(intent_id)
        if any(event.position is None for event in found.rows):  # Just committed: assign positions, and read again.
            positions.assign_pending_positions()
            found = keyset.paginate_queryset(events.filter(position__isnull=False), request, fetch=sql_rows.fetch_within)
        return self._respond(found)

    @document_list(
        "list_events",
        "List the events of all intents, by position",
        EventOut,
        "events",
        filterset=EventFilter,
        choices={"order": [*POSITION_ORDERS]},
    )
    def list_all(self, request: Request) -> Response:
        events = filter_queryset(EventFilter, Event.objects.filter(position__isnull=False), request, ["order"])
        keyset = choice_parameter(request, "order", POSITION_ORDERS, "asc")
        positions.assign_pending_positions()
        return self._respond(keyset.paginate_queryset(events, request, fetch=sql_rows.fetch_within))

    @staticmethod
    def _respond(found: Page) -> Response:
        return Response(found.body("events", event_body))
