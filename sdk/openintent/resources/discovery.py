"""Discovery of the server's protocol version and features."""

from typing import Any

from .._call import Call
from ._transport import Transport


class DiscoveryResource(Transport):
    """/.well-known/openintent.json and /.well-known/openintent-compat.json. Neither needs a key."""

    def discover(self) -> dict[str, Any]:
        """Return the server's metadata: protocol version, endpoints, features."""
        return self.send(Call("GET", "/.well-known/openintent.json", dict))

    def discover_compatibility(self) -> dict[str, Any]:
        """Return the parts of the protocol that the server implements, with their versions."""
        return self.send(Call("GET", "/.well-known/openintent-compat.json", dict))
