"""Endpoints of intents, their graph and agents (RFC-0001, RFC-0002)."""

from uuid import UUID

from drf_spectacular.utils import OpenApiParameter
from rest_framework.decorators import action
from rest_framework.request import Request

from access.identity import get_actor
from core.api.headers import expected_version, versioned_response
from core.api.pagination import (
    IdPagination,
    KeysetPagination,
    OffsetPagination,
    RowPagination,
    decode_cursor,
    encode_cursor,
    parse_counter,
    requested_limit,
    trim_to_page,
)
from core.api.responses import Response
from core.api.serializers import reject_unknown_parameters
from core.api.views import ApiViewSet
from core.errors import Invalid
from core.openapi import IF_MATCH, existing_or_created, operation
from core.root_path import public_path
from governance.guards import pending_blocking
from intents import graph, services
from intents.brief import write_brief
from intents.filters import BRIEF_PARAMETERS, IntentFilter, brief_parameters
from intents.models import Assignment, Intent
from intents.operations import Assignee
from intents.representation import (
    AgentAssignmentOut,
    BlockedIntentOut,
    BriefOut,
    EffectiveIntentOut,
    IntentAgentOut,
    IntentGraphOut,
    IntentOut,
)
from intents.serializers import (
    AddDependencies,
    AssignAgent,
    CreateChild,
    CreateIntent,
    SetStatus,
    UpdateIntent,
    UpdateState,
)
from portfolios.effective_constraints import effective_constraints

_EFFECTIVE = OpenApiParameter(
    "effective",
    {"type": "boolean", "default": False},
    description="Adds `effective_constraints`: those of the intent, merged over those of its active portfolios.",
)


INTENTS = IntentOut(many=True)


def respond_created(intent: Intent) -> Response:
    return versioned_response(IntentOut.render(intent), status=201, location=public_path(f"/api/v1/intents/{intent.pk}"))


class IntentViewSet(ApiViewSet):
    tags = ["Intents"]
    serializer_class = IntentOut
    filterset_class = IntentFilter
    pagination_class = OffsetPagination
    list_name = "intents"
    lookup_url_kwarg = "intent_id"
    ordering = ("-created_at", "-id")
    orderings = {
        f"{sign}{field}": (f"{sign}{field}", f"{sign}id") for field in ("created_at", "updated_at") for sign in ("", "-")
    }

    @operation("create_intent", "Create an intent", request=CreateIntent)
    def create(self, request: Request) -> Response:
        """The status is `draft`; with dependencies it is `blocked` until all of them are completed."""
        values = self.validated(CreateIntent)
        actor = get_actor(request, values.pop("created_by", None))
        return respond_created(services.create_intent(actor=actor, **values))

    @operation("list_intents", "List intents")
    def list(self, request: Request) -> Response:
        """Newest first by default (`ordering`). Filters combine; `status` accepts several values, separated by commas."""
        return self.respond_list(Intent.objects.all())

    @operation("get_intent", "Get an intent", responses=EffectiveIntentOut, parameters=[_EFFECTIVE])
    def retrieve(self, request: Request, intent_id: UUID | str) -> Response:
        """The `ETag` is the version for `If-Match`."""
        reject_unknown_parameters(request, ["effective"])
        effective = request.query_params.get("effective", "false")
        if effective not in ("true", "false"):
            raise Invalid.field("effective", "must be one of true, false")
        intent = Intent.objects.row(intent_id)
        body = IntentOut.render(intent)
        if effective == "true":
            body["effective_constraints"] = effective_constraints(intent)
        return versioned_response(body)

    @operation("update_intent", "Change an intent's details", request=UpdateIntent, **IF_MATCH)
    def partial_update(self, request: Request, intent_id: UUID | str) -> Response:
        """Send the fields to change; `null` clears a field. Increments the version."""
        changes = self.validated(UpdateIntent)
        actor = get_actor(request, changes.pop("actor", None))
        intent = services.update_intent(
            intent_id=intent_id, expected_version=expected_version(request), actor=actor, changes=changes
        )
        return versioned_response(IntentOut.render(intent))

    @operation("update_state", "Change an intent's state", request=UpdateState, **IF_MATCH)
    @action(detail=True, methods=["post"])
    def state(self, request: Request, intent_id: UUID | str) -> Response:
        """All changes apply, or none. `state` sets each of its keys; `patches` set, append and remove at JSON Pointers."""
        values = self.validated(UpdateState)
        intent = services.patch_state(
            intent_id=intent_id,
            expected_version=expected_version(request),
            actor=get_actor(request, values.get("actor")),
            patches=values["patches"],
        )
        return versioned_response(IntentOut.render(intent))

    @operation("set_status", "Change an intent's status", request=SetStatus, **IF_MATCH)
    @action(detail=True, methods=["post"])
    def status(self, request: Request, intent_id: UUID | str) -> Response:
        """Completing unblocks the intents that depend on this one. Completed and abandoned are final. Setting the current status changes nothing."""
        values = self.validated(SetStatus)
        actor = get_actor(request, values.pop("actor", None))
        intent = services.set_status(intent_id=intent_id, expected_version=expected_version(request), actor=actor, **values)
        return versioned_response(IntentOut.render(intent))

    @operation("brief", "Get a brief of an intent, to take it over", responses=BriefOut, parameters=BRIEF_PARAMETERS)
    @action(detail=True)
    def brief(self, request: Request, intent_id: UUID | str) -> Response:
        """Goal, status, state, agents, open questions, decisions, leases, failures and last events, a line each.

        It depends on the intent's log alone: the same at the same `sequence`.
        """
        max_chars, since = brief_parameters(request)
        return Response(BriefOut.render(write_brief(Intent.objects.current(intent_id), max_chars=max_chars, since=since)))


class GraphViewSet(ApiViewSet):
    tags = ["Graph"]
    serializer_class = IntentOut
    pagination_class = RowPagination
    list_name = "intents"

    @operation("get_children", "List the children of an intent", responses=INTENTS)
    @action(detail=False)
    def children(self, request: Request, intent_id: UUID | str) -> Response:
        """Direct children. An intent completes only when all of them are completed or abandoned."""
        return self.respond_list(Intent.objects.filter(parent_intent_id=Intent.objects.require(intent_id)))

    @operation("create_child_intent", "Create a child of an intent", request=CreateChild, responses={201: IntentOut})
    @children.mapping.post
    def create_child(self, request: Request, intent_id: UUID | str) -> Response:
        """Same as creating an intent. The parent completes only after the child."""
        values = self.validated(CreateChild)
        actor = get_actor(request, values.pop("created_by", None))
        parent = Intent.objects.require(intent_id)
        if values.pop("parent_intent_id", None) not in (None, parent):
            raise Invalid.field("parent_intent_id", "is not the parent in the path")
        return respond_created(services.create_intent(actor=actor, parent_intent_id=parent, **values))

    @operation("get_descendants", "List the descendants of an intent", responses=INTENTS)
    @action(detail=False, pagination_class=IdPagination)
    def descendants(self, request: Request, intent_id: UUID | str) -> Response:
        """Descendants at any depth."""
        return self.respond_list(graph.descendants(Intent.objects.require(intent_id)))

    @operation("get_ancestors", "List the ancestors of an intent, the nearest first", responses=INTENTS)
    @action(detail=False)
    def ancestors(self, request: Request, intent_id: UUID | str) -> Response:
        """The parent, its parent and so on, the nearest first."""
        reject_unknown_parameters(request, RowPagination.parameters)
        intent = Intent.objects.require(intent_id)
        limit, cursor = requested_limit(request), request.query_params.get("cursor")
        beyond = decode_cursor(cursor, [parse_counter])[0] if cursor else 0
        found = trim_to_page(graph.ancestors(intent, beyond=beyond, limit=limit + 1), limit, lambda row: encode_cursor([row[0]]))
        return Response(found.body("intents", lambda row: IntentOut.render(row[1])))

    @operation("get_dependencies", "List the dependencies of an intent", responses=INTENTS)
    @action(detail=False)
    def dependencies(self, request: Request, intent_id: UUID | str) -> Response:
        """Direct dependencies. While one is not completed, the intent is `blocked`."""
        return self.respond_list(graph.dependencies(Intent.objects.require(intent_id)))

    @operation(
        "add_dependency",
        "Add dependencies to an intent",
        request=AddDependencies,
        responses={200: IntentOut, 201: IntentOut},
        **IF_MATCH,
    )
    @dependencies.mapping.post
    def add_dependencies(self, request: Request, intent_id: UUID | str) -> Response:
        """An open dependency blocks the intent until it is completed. Cycles are refused with their path."""
        values = self.validated(AddDependencies)
        intent, is_new = services.add_dependencies(
            intent_id=intent_id,
            expected_version=expected_version(request),
            actor=get_actor(request, values.get("actor")),
            depends_on=values["depends_on"],
        )
        return versioned_response(IntentOut.render(intent), status=201 if is_new else 200)

    @operation("remove_dependency", "Remove a dependency of an intent", **IF_MATCH)
    @action(detail=False, methods=["delete"], url_path="dependencies/<id:dependency_id>")
    def remove_dependency(self, request: Request, intent_id: UUID | str, dependency_id: UUID | str) -> Response:
        """Removing the last open dependency unblocks the intent. Idempotent."""
        intent = services.remove_dependency(
            intent_id=intent_id,
            dependency_id=dependency_id,
            expected_version=expected_version(request),
            actor=get_actor(request),
        )
        return Response(status=204, headers={"ETag": f'"{intent.version}"'})

    @operation("get_dependents", "List the dependents of an intent", responses=INTENTS)
    @action(detail=False)
    def dependents(self, request: Request, intent_id: UUID | str) -> Response:
        """Direct dependents. They are unblocked when all of their dependencies are completed."""
        return self.respond_list(graph.dependents(Intent.objects.require(intent_id)))

    @operation("get_ready", "List the open children that are ready", responses=INTENTS)
    @action(detail=False)
    def ready(self, request: Request, intent_id: UUID | str) -> Response:
        """Open children whose dependencies are all completed."""
        return self.respond_list(graph.open_children(Intent.objects.require(intent_id), ready=True))

    @operation("get_blocked", "List the open children that are blocked", responses=BlockedIntentOut(many=True))
    @action(detail=False, pagination_class=KeysetPagination)
    def blocked(self, request: Request, intent_id: UUID | str) -> Response:
        """The other open children, each with the ids in `waiting_for`."""
        children = graph.open_children(Intent.objects.require(intent_id), ready=False)
        page = self.paginate_queryset(self.filter_queryset(children)) or []
        ids = [intent.pk for intent in page]
        context = {"waiting_for": [graph.unmet_dependencies(ids), pending_blocking(ids)]}
        return self.get_paginated_response(BlockedIntentOut(page, many=True, context=context).data)

    @operation("get_graph", "Get the graph of an intent, as nodes and edges", responses=IntentGraphOut)
    @action(detail=False)
    def graph(self, request: Request, intent_id: UUID | str) -> Response:
        """The intents reachable through children and dependencies, in a fixed number of queries."""
        reject_unknown_parameters(request, [])
        return Response(IntentGraphOut.render(graph.reachable(Intent.objects.require(intent_id))))


class AgentViewSet(ApiViewSet):
    tags = ["Agents"]
    serializer_class = IntentAgentOut
    list_name = "agents"
    lookup_url_kwarg = "agent_id"
    lookup_value_converter = "agent"

    @operation(
        "assign_agent", "Assign an agent to an intent", request=AssignAgent, responses=existing_or_created(AgentAssignmentOut)
    )
    def create(self, request: Request, intent_id: UUID | str) -> Response:
        """Changes the role of an agent that is already assigned: 200 instead of 201."""
        values = self.validated(AssignAgent)
        assignment, is_new = services.assign_agent(
            intent_id=intent_id,
            assignee=Assignee(values["agent_id"], values["role"]),
            actor=get_actor(request, values.get("actor")),
        )
        return Response(AgentAssignmentOut.render(assignment), status=201 if is_new else 200)

    @operation("get_agents", "List the agents of an intent")
    def list(self, request: Request, intent_id: UUID | str) -> Response:
        """With their roles, in the order of their assignment."""
        return self.respond_list(Assignment.objects.filter(intent_id=Intent.objects.require(intent_id)))

    @operation("unassign_agent", "Unassign an agent from an intent")
    def destroy(self, request: Request, intent_id: UUID | str, agent_id: str) -> Response:
        """Idempotent."""
        services.unassign_agent(intent_id=intent_id, agent_id=agent_id, actor=get_actor(request))
        return Response(status=204)


class AgentIntentViewSet(ApiViewSet):
    tags = ["Agents"]
    serializer_class = IntentOut
    pagination_class = IdPagination
    list_name = "intents"
    ordering = ("-created_at", "-id")

    @operation("get_agent_intents", "List the intents of an agent")
    def list(self, request: Request, agent_id: str) -> Response:
        """Empty for an unknown agent."""
        return self.respond_list(Intent.objects.filter(assignments__agent_id=agent_id))
