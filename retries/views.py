"""Endpoints of retry policies and failures (RFC-0010)."""

from uuid import UUID

from rest_framework.decorators import action
from rest_framework.request import Request

from access.identity import get_actor
from core.api.responses import Response
from core.api.serializers import reject_unknown_parameters
from core.api.views import ApiViewSet
from core.openapi import operation
from intents.models import Intent
from retries import services
from retries.errors import RetryPolicyNotFound
from retries.models import Failure, RetryPolicy
from retries.representation import FailureOut, RetryPolicyOut
from retries.serializers import RecordFailure, SetRetryPolicy


class RetryPolicyViewSet(ApiViewSet):
    tags = ["Retries"]
    serializer_class = RetryPolicyOut

    @operation("get_retry_policy", "Get an intent's retry policy")
    @action(detail=False, url_path="retry-policy")
    def policy(self, request: Request, intent_id: UUID | str) -> Response:
        """404 if none is set."""
        reject_unknown_parameters(request, [])
        policy = RetryPolicy.objects.filter(pk=Intent.objects.require(intent_id)).first()
        if policy is None:
            raise RetryPolicyNotFound(intent_id)
        return self.respond(policy)

    @operation("set_retry_policy", "Set an intent's retry policy", request=SetRetryPolicy)
    @policy.mapping.put
    def set_policy(self, request: Request, intent_id: UUID | str) -> Response:
        """Replaces the whole policy: omitted settings take their defaults. Pending retries keep their time."""
        values = self.validated(SetRetryPolicy)
        actor = get_actor(request, values.pop("actor", None))
        return self.respond(services.set_retry_policy(intent_id=intent_id, actor=actor, policy=values))


class FailureViewSet(ApiViewSet):
    tags = ["Retries"]
    serializer_class = FailureOut
    list_name = "failures"
    ordering = ("sequence",)

    @operation("record_failure", "Record a failed attempt", request=RecordFailure)
    def create(self, request: Request, intent_id: UUID | str) -> Response:
        """The policy determines the retry: at `retry_at` the server writes `retry_due`. After the last attempt, or for an error that is not retryable, it writes `retries_exhausted`, and the fallback agent takes over. `attempt` defaults to one more than the agent's last."""
        values = self.validated(RecordFailure)
        actor = get_actor(request, values.pop("agent_id", None))
        return self.respond(services.record_failure(intent_id=intent_id, actor=actor, **values), status=201)

    @operation("get_failures", "List the failures on an intent, the oldest first")
    def list(self, request: Request, intent_id: UUID | str) -> Response:
        """Oldest first."""
        return self.respond_list(Failure.objects.filter(intent_id=Intent.objects.require(intent_id)))
