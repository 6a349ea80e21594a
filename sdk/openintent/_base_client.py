"""The base of both clients: server address, identity, timeouts and retries."""

import os
from abc import ABC, abstractmethod
from time import monotonic
from urllib.parse import urlsplit

from ._environment import connection_arguments
from ._network import NetworkSettings
from ._request_flow import Request, RetrySettings, ServerContext
from ._version import __version__
from .errors import InputValidationError
from .validation import validate_agent_id, validate_header, validate_whole_number


class ClientBase(ABC):
    """A client's server address, identity and timeouts."""

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        agent_id: str | None = None,
        timeout: float = 30.0,
        *,
        connect_timeout: float = 5.0,
        max_tries: int = 3,
        ca_file: str | os.PathLike[str] | None = None,
    ) -> None:
        """Create a client. No request is sent yet.

        base_url         the server, as `https://intents.example.com`, with its path prefix if it has one; `/api/v1` at its end is allowed.
                         Without it, $OPENINTENT_URL or http://localhost:8000, with $OPENINTENT_API_KEY and $OPENINTENT_AGENT_ID
        api_key          sent as X-API-Key; only `discover()` works without one
        agent_id         the acting agent, sent as X-Agent-ID: printable ASCII; not needed if the key is bound to an agent
        timeout          seconds without a byte from the server after which an attempt fails
        connect_timeout  seconds to wait for a connection, if that is less
        max_tries        attempts in total for each request, 1 for no retries (protocol K-2)
        ca_file          a file of certificates to trust instead of the usual ones; otherwise $REQUESTS_CA_BUNDLE or $SSL_CERT_FILE

        A server elsewhere is reached through the proxy that $HTTP_PROXY, $HTTPS_PROXY or $ALL_PROXY names, unless $NO_PROXY excepts it.

        Raises InputValidationError.
        """
        if base_url is None:
            found = connection_arguments(None, api_key, agent_id)
            base_url, api_key, agent_id = found["base_url"], found["api_key"], found["agent_id"]
        validate_whole_number(max_tries, "max_tries")
        if not (timeout > 0 and connect_timeout > 0):
            raise InputValidationError("timeouts must be positive", field="timeout")
        self.agent_id = agent_id
        self._timeout = timeout
        self._connect_timeout = min(connect_timeout, timeout)
        headers = {"Accept": "application/json", "User-Agent": f"openintent-python/{__version__}"}
        for value, field, header in ((api_key, "api_key", "X-API-Key"), (agent_id, "agent_id", "X-Agent-ID")):
            if value is not None:
                validate_header(value, field)
                headers[header] = value
        if agent_id is not None:
            validate_agent_id(agent_id)
        url = urlsplit(base_url)
        if url.scheme not in {"http", "https"} or not url.hostname:
            raise InputValidationError("base_url must start with http:// or https://", field="base_url")
        if url.query or url.fragment or "@" in url.netloc:
            raise InputValidationError("base_url cannot have credentials, a query or a fragment", field="base_url")
        root = base_url.rstrip("/").removesuffix("/api/v1")
        self._network = NetworkSettings.for_server(root, ca_file)
        self._server = ServerContext(root, headers, RetrySettings(max_tries=max_tries), hint=self._network.hint)
        self._open_transport()

    @abstractmethod
    def _open_transport(self) -> None:
        """Create the HTTP client."""

    def _timeouts(self, request: Request) -> tuple[float, float]:
        """Return the seconds to wait for a connection and for a byte."""
        read = self._timeout + request.call.extra_timeout
        left = max(0.1, request.deadline - monotonic()) if request.deadline else read
        return min(self._connect_timeout, left), min(read, left)

    @property
    def base_url(self) -> str:
        """The server's address, without `/api/v1`."""
        return self._server.root

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_url!r}, agent_id={self.agent_id!r})"
