"""Forwarding of events to a server on this machine: `openintent webhooks listen`."""

import base64
import hashlib
import hmac
import secrets
import shlex
import time
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit
from uuid import uuid4

import requests
import typer
from rich.text import Text

from .._network import NetworkSettings
from .._requests import new_session, no_response
from ..models import Event
from .durations import format_time
from .interrupts import Interrupts
from .json_output import dumps
from .options import OfIntent, OfPortfolio, at_most_one
from .output import Output
from .sanitize import escape
from .session import get_session
from .tail import Topic, Types, forwarded_log

TIMEOUT = 15
"""Seconds that a callback has, as with the server."""

PREFIX = "whsec_"


Secret = Annotated[
    str | None,
    typer.Option(
        "--secret",
        envvar="OPENINTENT_WEBHOOK_SECRET",
        metavar="whsec_…",
        help="Signing secret. Default: a new one.",
        show_default=False,
    ),
]


@dataclass(frozen=True)
class Answer:
    """The answer of the callback: a status, or the error why there is none."""

    milliseconds: int
    status: int | None = None
    error: str | None = None


class Forwarder:
    """Sends events to a URL as the server's webhooks do (W-1), once each. The key is not sent."""

    def __init__(self, url: str, secret: str) -> None:
        self.url, self.secret = url, secret
        self._subscription_id = str(uuid4())
        self._session = new_session(NetworkSettings.for_server(url, None))

    def forward(self, event: Event) -> Answer:
        body = dumps({"subscription_id": self._subscription_id, "event": event}, indent=None).encode()
        begun = time.monotonic()
        try:
            answer = self._session.post(
                self.url, data=body, headers=sign(event.id, body, self.secret), timeout=TIMEOUT, allow_redirects=False
            )
        except requests.RequestException as error:
            return Answer(_milliseconds(begun), error=no_response(error).reason)
        return Answer(_milliseconds(begun), answer.status_code)


def listen(
    ctx: typer.Context,
    forward_to: Annotated[
        str, typer.Option("--forward-to", metavar="URL", help="Address that receives the events.", show_default=False)
    ],
    intent: OfIntent = None,
    portfolio: OfPortfolio = None,
    types: Types = None,
    after: Annotated[
        int | None, typer.Option("--after", metavar="POSITION", min=0, help="Begin after this position; 0: with the first event.")
    ] = None,
    secret: Secret = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print each answer as a line of JSON.")] = False,
) -> None:
    """Follow the events, and send each to a URL, signed as the server's webhooks are, until Ctrl-C. For trying a receiver.

    No webhook is created on the server: this program calls the URL, so that it may be on this machine. The webhook-id is the
    event's id. An event is sent once, whatever is answered; --after sends those after a position again.
    """
    run = get_session(ctx)
    at_most_one(**{"--intent": intent, "--portfolio": portfolio})
    topic = Topic(intent and run.intent_id(intent), portfolio and run.portfolio_id(portfolio), None)
    forwarder = Forwarder(_valid_url(forward_to), _valid_secret(secret) if secret else _new_secret())
    position, stream = after, run.client.stream(**vars(topic), after=after, event_types=types or None)
    try:
        with Interrupts() as interrupts, forwarded_log(run.output.print_note), stream:
            run.output.print_note(f"Forwarding to {forward_to}. Signing secret: {forwarder.secret}", style="")
            for event in stream:
                with interrupts.deferred():  # Otherwise it could be sent, and not be among those that are.
                    _print(run.output, event, forwarder.forward(event), as_json)
                    position = event.position
    except KeyboardInterrupt:
        position = stream.position if position is None else position
        if position is None:
            return
        chosen = [("--intent", topic.intent_id), ("--portfolio", topic.portfolio_id), *(("--type", each) for each in types or [])]
        options = [each for option, value in chosen if value for each in (option, value)]
        command = ["openintent", "webhooks", "listen", "--forward-to", forward_to, "--after", str(position), *options]
        run.output.print_note(f"Stopped at position {position}. Resume with: {shlex.join(command)}")


def _print(output: Output, event: Event, answer: Answer, as_json: bool) -> None:
    if as_json:
        told = {"event_id": event.id, "event_type": event.event_type, "position": event.position, "status_code": answer.status,
                "error": answer.error, "duration_ms": answer.milliseconds}  # fmt: skip
        return output.write_json(told, indent=None)
    is_good = answer.status is not None and 200 <= answer.status < 300
    line = Text.assemble(
        (format_time(event.created_at), "dim"), "  ", (escape(event.event_type), "cyan"),
        (f"  {output.short_id(event.intent_id or '')}  → ", "dim"),
        (escape(answer.status or answer.error), "green" if is_good else "red"), (f"  {answer.milliseconds} ms", "dim"),
    )  # fmt: skip
    output.print(output.lines([line]))
    return None


def sign(id: str, body: bytes, secret: str) -> dict[str, str]:
    """Return the headers of Standard Webhooks, sent now."""
    timestamp = str(int(time.time()))
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signature = base64.b64encode(hmac.digest(key, b".".join([id.encode(), timestamp.encode(), body]), hashlib.sha256)).decode()
    return {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{signature}",
        "user-agent": "OpenIntent-CLI",
    }


def _milliseconds(begun: float) -> int:
    return round((time.monotonic() - begun) * 1000)


def _new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def _valid_secret(text: str) -> str:
    try:
        if base64.b64decode(text.removeprefix(PREFIX), validate=True):
            return text
    except ValueError:
        pass
    raise typer.BadParameter("It must be whsec_ followed by base64.", param_hint="--secret")


def _valid_url(text: str) -> str:
    try:
        url = urlsplit(text)
        if url.scheme in ("http", "https") and url.hostname and url.port != 0:
            return text
    except ValueError:
        pass
    raise typer.BadParameter(f"{text!r} is not an http:// or https:// address.", param_hint="--forward-to")
