"""Discovery of the server's protocol version and features."""

from typing import Any

from .._endpoint import Call, endpoint


class DiscoveryResource:
    """/.well-known/openintent.json and /.well-known/openintent-compat.json. Neither needs a key."""

    @endpoint
    def discover(self) -> Call[dict[str, Any]]:
        """Return the server's metadata: protocol version, endpoints, features."""
        return Call(method="GET", path="/.well-known/openintent.json", parse=dict)

    @endpoint
    def discover_compatibility(self) -> Call[dict[str, Any]]:
        """Return the parts of the protocol that the server implements, with their versions."""
        return Call(method="GET", path="/.well-known/openintent-compat.json", parse=dict)
