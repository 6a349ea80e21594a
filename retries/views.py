"""Endpoints of retry policies and failures (RFC-0010)."""

from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from access.identity import get_actor
from core.api.pagination import PAGINATION_PARAMETERS, Keyset
from core.api.serializers import reject_unknown_parameters, validate_body
from core.api.views import ApiViewSet
from core.openapi import document_action, document_create, document_list, document_retrieve
from intents.models import Intent
from retries import services
from retries.errors import RetryPolicyNotFound
from retries.models import Failure, RetryPolicy
from retries.representation import failure_body, policy_body
from retries.serializers import FailureOut, RecordFailure, RetryPolicyOut, SetRetryPolicy

OLDEST_FIRST = Keyset("sequence")


class RetryPolicyViewSet(ApiViewSet):
    tags = ["Retries"]

    @document_action("set_retry_policy", "Set an intent's retry policy", SetRetryPolicy, RetryPolicyOut)
    def replace(self, request: Request, intent_id: UUID | str) -> Response:
        values = validate_body(SetRetryPolicy, request)
        actor = get_actor(request, values.pop("actor", None))
        policy = services.set_retry_policy(intent_id=intent_id, actor=actor, policy=values)
        return Response(policy_body(policy))

    @document_retrieve("get_retry_policy", "Get an intent's retry policy", RetryPolicyOut)
    def retrieve(self, request: Request, intent_id: UUID | str) -> Response:
        reject_unknown_parameters(request, [])
        policy = RetryPolicy.objects.filter(pk=Intent.objects.require(intent_id)).first()
        if policy is None:
            raise RetryPolicyNotFound(intent_id)
        return Response(policy_body(policy))


class FailureViewSet(ApiViewSet):
    tags = ["Retries"]

    @document_create("record_failure", "Record a failed attempt", RecordFailure, FailureOut)
    def record(self, request: Request, intent_id: UUID | str) -> Response:
        values = validate_body(RecordFailure, request)
        actor = get_actor(request, values.pop("agent_id", None))
        failure = services.record_failure(intent_id=intent_id, actor=actor, **values)
        return Response(failure_body(failure), status=201)

    @document_list("get_failures", "List the failures on an intent, the oldest first", FailureOut, "failures")
    def list(self, request: Request, intent_id: UUID | str) -> Response:
        reject_unknown_parameters(request, PAGINATION_PARAMETERS)
        failures = Failure.objects.filter(intent_id=Intent.objects.require(intent_id))
        return Response(OLDEST_FIRST.paginate_queryset(failures, request).body("failures", failure_body))
