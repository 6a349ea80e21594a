"""Check of the server: `openintent ping`."""

import time
from typing import Any

import typer
from rich.text import Text

from .._call import Call
from ..errors import AuthenticationError, ServerError
from .errors import REFUSED, UNREACHABLE
from .options import Json
from .session import Session, get_session

READY = Call(method="GET", path="/readyz", parse=dict)


def ping(ctx: typer.Context, as_json: Json = False) -> None:
    """Check whether the server is reachable and ready, and accepts the key.

    Exit code 0 if so, 1 if the key is not valid, 3 if the server is unreachable or not ready.
    """
    run = get_session(ctx)
    found = _check_server(run)
    is_accepted = found["key"] == "accepted"
    if as_json:
        run.output.write_json(found)
    else:
        failing = ", ".join(f"{name}: {state}" for name, state in found["checks"].items() if state != "ok")
        good, bad = "green", "bold red"
        ready = Text("yes", style=good) if found["ready"] else Text(f"no: {failing or 'unknown reason'}", style=bad)
        run.output.print(
            run.output.fields_table(
                [
                    ("server", f"{found['url']} ({found['server'].get('name')} {found['server'].get('version')})"),
                    ("protocol", str(found["protocol"])),
                    ("ready", ready),
                    ("key", Text(found["key"], style=good if is_accepted else bad)),
                    ("round trip", f"{found['round_trip_ms']} ms"),
                ]
            )
        )
        if not is_accepted:
            run.output.print_note("Set OPENINTENT_API_KEY to a key of this server.")
    if not found["ready"]:
        raise typer.Exit(UNREACHABLE)
    if not is_accepted:
        raise typer.Exit(REFUSED)


def _check_server(run: Session) -> dict[str, Any]:
    about = run.client.discover()
    begun = time.monotonic()
    run.client.discover()
    took = time.monotonic() - begun
    try:
        ready = run.client.send(READY)
    except ServerError as error:
        ready = error.response
    try:
        run.client.list_intents(limit=1)
        key = "accepted"
    except AuthenticationError:
        key = "refused"
    return {
        "url": run.client.base_url,
        "server": about["server"],
        "protocol": about["version"],
        "ready": ready.get("status") == "ok",
        "checks": ready.get("checks", {}),
        "key": key,
        "round_trip_ms": round(took * 1000, 1),
    }
