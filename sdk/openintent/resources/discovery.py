"""What the server says about itself."""

from typing import Any

from .._endpoint import Call, endpoint


class DiscoveryResource:
    """/.well-known/openintent.json and its sibling. Neither needs a key."""

    @endpoint
    def discover(self) -> Call[dict[str, Any]]:
        """The protocol's metadata: its version, where things are, what the server can do."""
        return Call(method="GET", path="/.well-known/openintent.json", parse=dict)

    @endpoint
    def discover_compatibility(self) -> Call[dict[str, Any]]:
        """Which parts of the protocol the server speaks, and in which versions."""
        return Call(method="GET", path="/.well-known/openintent-compat.json", parse=dict)
