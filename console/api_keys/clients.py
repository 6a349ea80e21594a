"""Settings with which clients of agents connect to this server, ready to be copied."""

import json
import shlex
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest

from core.root_path import public_path

NAME = "openintent"


@dataclass(frozen=True, slots=True)
class Connection:
    """A client, where its setting goes, and the text of it."""

    id: str
    client: str
    place: str
    text: str


def server_address(request: HttpRequest) -> str:
    """Return the address under which people see the server."""
    return settings.PUBLIC_URL or f"{request.scheme}://{request.get_host()}{public_path('')}"


def connections(address: str, key: str) -> list[Connection]:
    """Return the settings of the common clients with the key, the first of MCP."""
    url, header = f"{address}/mcp", {"X-API-Key": key}
    server = {"mcpServers": {NAME: {"type": "http", "url": url, "headers": header}}}
    environment = {"OPENINTENT_URL": address, "OPENINTENT_API_KEY": key}
    program = {"mcpServers": {NAME: {"command": "openintent", "args": ["mcp"], "env": environment}}}
    claude = ["claude", "mcp", "add", "--transport", "http", NAME, url, "--header", f"X-API-Key: {key}"]
    codex = f'[mcp_servers.{NAME}]\nurl = {json.dumps(url)}\nhttp_headers = {{ "X-API-Key" = {json.dumps(key)} }}'
    return [
        Connection("claude", "Claude Code", "Run in the project's folder:", shlex.join(claude)),
        Connection("codex", "Codex", "Add to ~/.codex/config.toml:", codex),
        Connection(
            "cursor", "Cursor and others", "Add to .cursor/mcp.json, or to the client's own file:", json.dumps(server, indent=2)
        ),
        Connection(
            "program",
            "Clients that start a program",
            "Add to the client's file; openintent[cli] has to be installed:",
            json.dumps(program, indent=2),
        ),
        Connection(
            "environment",
            "Python and the command line",
            "Set in the environment of OpenIntentClient, agents, openintent and its hooks:",
            "\n".join(f"export {name}={shlex.quote(value)}" for name, value in environment.items()),
        ),
    ]
