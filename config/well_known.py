"""Well-known discovery documents (protocol §1)."""

from typing import Any

from django.conf import settings
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from core import strict_json
from core.api import pagination
from core.api.responses import Response
from core.openapi import operation
from core.registration import protocol_apps
from core.root_path import public_path
from core.version import installed_version

LINKS = {"openapi": "/openapi.json", "docs": "/docs", "compatibility": "/.well-known/openintent-compat.json"}


class _Public(APIView):
    http_method_names = ["get", "head"]
    authentication_classes = ()
    permission_classes = ()
    tags = ("Discovery",)


class ProtocolOut(serializers.Serializer[Any]):
    protocol = serializers.CharField()
    version = serializers.CharField(help_text="Protocol version.")
    server = serializers.DictField(child=serializers.CharField())
    api_base = serializers.CharField()
    rfcs = serializers.DictField(child=serializers.CharField())
    links = serializers.DictField(child=serializers.CharField())
    authentication = serializers.ListField(child=serializers.CharField())
    limits = serializers.DictField(child=serializers.IntegerField())


class ProtocolView(_Public):
    @operation("discover", "Discover protocol, RFCs and limits of the server", responses=ProtocolOut)
    def get(self, request: Request) -> Response:
        """The first request of a client that knows nothing but the address. It needs no key."""
        return Response(
            {
                "protocol": "openintent",
                "version": "1",
                "server": {"name": "openintent", "version": installed_version()},
                "api_base": public_path("/api/v1"),
                "rfcs": dict(sorted(rfc for config in protocol_apps() for rfc in config.rfcs.items())),
                "links": {name: public_path(path) for name, path in LINKS.items()},
                "authentication": ["X-API-Key", "Authorization: Bearer"],
                "limits": limits(),
            }
        )


class CompatibilityOut(serializers.Serializer[Any]):
    protocol_versions = serializers.ListField(child=serializers.CharField())
    api_versions = serializers.ListField(child=serializers.CharField())
    features = serializers.DictField(child=serializers.BooleanField())


class CompatibilityView(_Public):
    @operation("discover_compatibility", "Discover compatible versions and features", responses=CompatibilityOut)
    def get(self, request: Request) -> Response:
        """Versions of the protocol and of the API, and the features of this server. It needs no key."""
        features = (feature for config in protocol_apps() for feature in config.features)
        return Response({"protocol_versions": ["1"], "api_versions": ["v1"], "features": dict.fromkeys(features, True)})


def limits() -> dict[str, int]:
    """Return the server's limits: bytes, depth and counts (protocol §1)."""
    return {
        "body_bytes": settings.MAX_BODY,
        "state_bytes": settings.MAX_STATE,
        "event_payload_bytes": settings.MAX_EVENT_PAYLOAD,
        "attachment_bytes": settings.MAX_ATTACHMENT,
        "events_per_batch": settings.MAX_BATCH_EVENTS,
        "json_depth": strict_json.MAX_DEPTH,
        "page": pagination.MAX_LIMIT,
    }
