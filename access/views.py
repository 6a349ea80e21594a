"""Views of API keys."""

from uuid import UUID

from rest_framework.request import Request

from access import services
from access.identity import get_actor
from access.models import ApiKey, Role
from access.representation import ApiKeyOut, NewApiKeyOut
from access.serializers import CreateKey
from core.api.responses import Response
from core.api.views import ApiViewSet
from core.openapi import operation


class KeyViewSet(ApiViewSet):
    """API keys. Operators only."""

    role = Role.OPERATOR
    tags = ["Keys"]
    secret_fields = ("key",)
    serializer_class = ApiKeyOut
    list_name = "keys"
    ordering = ("-created_at", "-id")
    lookup_url_kwarg = "key_id"

    @operation("create_key", "Create a key", request=CreateKey, responses=NewApiKeyOut)
    def create(self, request: Request) -> Response:
        """The answer shows the key itself, this once."""
        row, secret = services.create_key(created_by=get_actor(request).id, **self.validated(CreateKey))
        body = NewApiKeyOut(row, context={"key": secret})
        return Response(body.data, status=201, headers={"Cache-Control": "no-store"})

    @operation("list_keys", "List keys, the newest first")
    def list(self, request: Request) -> Response:
        """The newest first, those that have ended as well; never with their secrets."""
        return self.respond_list(ApiKey.objects.all())

    @operation("revoke_key", "Revoke a key")
    def destroy(self, request: Request, key_id: UUID | str) -> Response:
        """Ends it for good: at once in this process, within seconds in others."""
        services.revoke_key(key_id=key_id, revoked_by=get_actor(request).id)
        return Response(status=204)
