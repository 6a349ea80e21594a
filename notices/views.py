"""Views of channels and notices (protocol §10)."""

import re
from typing import Any
from uuid import UUID

from rest_framework.decorators import action
from rest_framework.request import Request

from access.identity import get_actor
from access.models import Role
from core.api.responses import Response
from core.api.serializers import StrictSerializer
from core.api.views import ApiViewSet
from core.openapi import operation
from core.root_path import public_path
from governance.errors import ArbitrationNotFound
from governance.models import Arbitration
from notices import services
from notices.errors import TargetNotAllowed
from notices.filters import ArbitrationNoticeFilter, ChannelFilter, NoticeFilter
from notices.models import Channel, ChannelKind, Notice
from notices.representation import ChannelOut, NoticeOut
from notices.serializers import CreateChannel, UpdateChannel
from notices.targets import MAX_TARGET
from subscriptions.webhooks import address_policy

_URL = re.compile(address_policy.URL)


class ChannelViewSet(ApiViewSet):
    tags = ["Notices"]
    role = Role.OPERATOR
    secret_fields = ("secret",)
    serializer_class = ChannelOut
    filterset_class = ChannelFilter
    list_name = "channels"
    lookup_url_kwarg = "channel_id"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Resolve the target's name before any transaction begins."""
        super().initial(request, *args, **kwargs)
        self.target_problem: str | None = None
        if request.method in ("POST", "PATCH"):
            _ = request._request.body  # Read here for the Idempotency-Key, which compares the raw body.
            target = request.data.get("target") if isinstance(request.data, dict) else None
            url = target[0] if isinstance(target, list) and target else target
            if isinstance(url, str) and len(url) <= MAX_TARGET and _URL.fullmatch(url):
                self.target_problem = address_policy.callback_problem(url)

    def validated(self, body: type[StrictSerializer]) -> dict[str, Any]:
        """Return the validated body. Raise ValidationError, or TargetNotAllowed if the target's address is blocked."""
        values = super().validated(body)
        if self.target_problem:
            raise TargetNotAllowed(self.target_problem)
        return values

    @operation("create_channel", "Create a channel", request=CreateChannel)
    def create(self, request: Request) -> Response:
        """For operators. Questions are told by it from now on. The target is never shown; the answer shows the `secret` of a generic webhook, this once."""
        channel = services.create_channel(actor=get_actor(request), **self.validated(CreateChannel))
        secret = channel.secret if channel.kind == ChannelKind.WEBHOOK else None
        headers = {"Location": public_path(f"/api/v1/channels/{channel.pk}"), "Cache-Control": "no-store"}
        return Response(ChannelOut(channel, context={"secret": secret}).data, status=201, headers=headers)

    @operation("list_channels", "List channels")
    def list(self, request: Request) -> Response:
        """For operators. Shared ones, people's own, and the one for the addresses of accounts, without their targets."""
        return self.respond_list(Channel.objects.not_removed())

    @operation("update_channel", "Update a channel", request=UpdateChannel)
    def partial_update(self, request: Request, channel_id: UUID | str) -> Response:
        """For operators. Give what changes. A disabled one can be made active; what is dead by then can be sent again."""
        changes = self.validated(UpdateChannel)
        return self.respond(services.update_channel(channel_id=channel_id, actor=get_actor(request), changes=changes))

    @operation("delete_channel", "Remove a channel")
    def destroy(self, request: Request, channel_id: UUID | str) -> Response:
        """For operators. Pending notices are not sent any more; those that were sent are kept. Idempotent."""
        services.remove_channel(channel_id=channel_id, actor=get_actor(request))
        return Response(status=204)

    @operation("test_channel", "Send a test by a channel", request=None, responses={201: NoticeOut})
    @action(detail=True, methods=["post"])
    def test(self, request: Request, channel_id: UUID | str) -> Response:
        """For operators. Sends a notice of the kind `test`, which waits for nothing; `list_notices` says what became of it."""
        return Response(NoticeOut.render(services.create_test_notice(channel_id=channel_id)), status=201)


class NoticeViewSet(ApiViewSet):
    tags = ["Notices"]
    serializer_class = NoticeOut
    filterset_class = NoticeFilter
    list_name = "notices"
    ordering = ("-id",)
    lookup_url_kwarg = "notice_id"

    @operation("list_notices", "List notices, newest first")
    def list(self, request: Request) -> Response:
        """Each says who was told of which question, by which channel, and whether it arrived."""
        return self.respond_list(Notice.objects.all())

    @operation("resend_notice", "Send a notice again now", request=None)
    @action(detail=True, methods=["post"], role=Role.ARBITER)
    def resend(self, request: Request, notice_id: UUID | str) -> Response:
        """For arbiters and operators. Under the same id, whether it has arrived or is dead. It begins a new round of attempts."""
        return self.respond(services.resend_notice(notice_id=notice_id))


class ArbitrationNoticeViewSet(ApiViewSet):
    tags = ["Notices"]
    serializer_class = NoticeOut
    filterset_class = ArbitrationNoticeFilter
    list_name = "notices"

    @operation("get_arbitration_notices", "List the notices of an arbitration")
    def list(self, request: Request, arbitration_id: UUID | str) -> Response:
        """Oldest first. Empty, if nobody has a channel."""
        if not (isinstance(arbitration_id, UUID) and Arbitration.objects.filter(pk=arbitration_id).exists()):
            raise ArbitrationNotFound(arbitration_id)
        return self.respond_list(Notice.objects.filter(arbitration_id=arbitration_id))
