from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from access import services
from access.identity import actor_of
from access.models import ApiKey, Role
from access.serializers import CreateKey, KeyOut, NewKeyOut, key_body
from core.api.pagination import PARAMETERS, Keyset, page
from core.api.serializers import check_parameters, parse
from core.api.views import ApiViewSet
from core.openapi import created, deleted, listed


class KeyViewSet(ApiViewSet):
    """Keys of the API. Only operators see and change them."""

    role = Role.OPERATOR
    tags = ["Keys"]
    secret_fields = ("key",)

    @created("create_key", "Make a key", CreateKey, NewKeyOut)
    def create(self, request: Request) -> Response:
        values = parse(CreateKey, request)
        row, secret = services.create_key(created_by=actor_of(request).id, **values)
        return Response({**key_body(row), "key": secret}, status=201, headers={"Cache-Control": "no-store"})

    @listed("list_keys", "List keys, the newest first", KeyOut, "keys")
    def list(self, request: Request) -> Response:
        check_parameters(request, PARAMETERS)
        found = page(ApiKey.objects.all(), request, Keyset("-created_at", "-id"))
        return Response(found.body("keys", key_body))

    @deleted("revoke_key", "Revoke a key")
    def destroy(self, request: Request, key_id: UUID | str) -> Response:
        services.revoke_key(key_id=key_id, revoked_by=actor_of(request).id)
        return Response(status=204)
