"""Connection settings of programs, from the environment: for agents and the command line."""

import os
from typing import TypedDict
from urllib.parse import urlsplit

DEFAULT_URL = "http://localhost:8000"
DEV_KEY = "dev-user-key"
"""The key that a server in dev mode accepts. It is sent to loopback addresses only."""

LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class ConnectionArguments(TypedDict):
    """Arguments of both clients."""

    base_url: str
    api_key: str | None
    agent_id: str | None


def connection_arguments(
    base_url: str | None = None, api_key: str | None = None, agent_id: str | None = None
) -> ConnectionArguments:
    """Return the arguments, completed from OPENINTENT_URL, OPENINTENT_API_KEY and OPENINTENT_AGENT_ID.

    Without either, the server is a local one in dev mode.
    """
    url = base_url or os.environ.get("OPENINTENT_URL") or DEFAULT_URL
    dev_key = DEV_KEY if urlsplit(url).hostname in LOOPBACK else None
    return ConnectionArguments(
        base_url=url,
        api_key=api_key or os.environ.get("OPENINTENT_API_KEY") or dev_key,
        agent_id=agent_id or os.environ.get("OPENINTENT_AGENT_ID") or None,
    )
