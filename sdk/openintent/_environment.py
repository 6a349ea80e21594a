"""Where a program that is started, and not called, finds its server: agents and the command line."""

import os
from typing import TypedDict
from urllib.parse import urlsplit

DEFAULT_URL = "http://localhost:8000"
DEV_KEY = "dev-user-key"
"""What a server in dev mode takes. It is sent to this machine only."""

LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class Connection(TypedDict):
    """Arguments of both clients."""

    base_url: str
    api_key: str | None
    agent_id: str | None


def connection(base_url: str | None = None, api_key: str | None = None, agent_id: str | None = None) -> Connection:
    """What is given, else what OPENINTENT_URL, OPENINTENT_API_KEY and OPENINTENT_AGENT_ID say, else a local server in dev mode."""
    url = base_url or os.environ.get("OPENINTENT_URL") or DEFAULT_URL
    return Connection(
        base_url=url,
        api_key=api_key or os.environ.get("OPENINTENT_API_KEY") or _dev_key(url),
        agent_id=agent_id or os.environ.get("OPENINTENT_AGENT_ID") or None,
    )


def _dev_key(url: str) -> str | None:
    return DEV_KEY if urlsplit(url).hostname in LOOPBACK else None
