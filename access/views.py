"""Views of API keys."""

from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from access import services
from access.identity import get_actor
from access.models import ApiKey, Role
from access.serializers import CreateKey, KeyOut, NewKeyOut, key_body
from core.api.pagination import PAGINATION_PARAMETERS, Keyset
from core.api.serializers import reject_unknown_parameters, validate_body
from core.api.views import ApiViewSet
from core.openapi import document_create, document_destroy, document_list


class KeyViewSet(ApiViewSet):
    """API keys. Operators only."""

    role = Role.OPERATOR
    tags = ["Keys"]
    secret_fields = ("key",)

    @document_create("create_key", "Create a key", CreateKey, NewKeyOut)
    def create(self, request: Request) -> Response:
        values = validate_body(CreateKey, request)
        row, secret = services.create_key(created_by=get_actor(request).id, **values)
        return Response({**key_body(row), "key": secret}, status=201, headers={"Cache-Control": "no-store"})

    @document_list("list_keys", "List keys, the newest first", KeyOut, "keys")
    def list(self, request: Request) -> Response:
        reject_unknown_parameters(request, PAGINATION_PARAMETERS)
        found = Keyset("-created_at", "-id").paginate_queryset(ApiKey.objects.all(), request)
        return Response(found.body("keys", key_body))

    @document_destroy("revoke_key", "Revoke a key")
    def destroy(self, request: Request, key_id: UUID | str) -> Response:
        services.revoke_key(key_id=key_id, revoked_by=get_actor(request).id)
        return Response(status=204)
