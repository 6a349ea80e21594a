"""What the server says about itself."""

from typing import Any

from .._call import Call, endpoint


class DiscoveryCalls:
    """/.well-known/openintent.json."""

    @endpoint
    def discover(self) -> Call[dict[str, Any]]:
        """The protocol's metadata: its version, where things are, what the server can do. Needs no key."""
        return Call(method="GET", path="/.well-known/openintent.json", parse=dict)
