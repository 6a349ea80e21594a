"""The MCP door of a server on stdin and stdout: `openintent mcp`."""

import typer

from .._stdio_relay import StdioRelay
from .session import get_session


def mcp(ctx: typer.Context) -> None:
    """Speak MCP on stdin and stdout, for an agent whose client starts it: each message goes to the server's /mcp.

    The server and the key come from OPENINTENT_URL, OPENINTENT_API_KEY and OPENINTENT_AGENT_ID, as for all commands.
    """
    StdioRelay(**get_session(ctx).connection).run()
