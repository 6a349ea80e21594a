"""Any operation of the API: `openintent api`."""

import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import uuid4

import requests
import typer
from requests.structures import CaseInsensitiveDict

from .._request_flow import Response
from .._requests import new_session, no_response
from .._version import __version__
from ..errors import ConnectionFailedError, OpenIntentError, error_from_problem
from .api_paths import complete_path
from .output import Output
from .sanitize import escape, escape_lines
from .session import Session, get_session
from .streams import write_bytes

TIMEOUT = (5, 100)
"""Seconds until there is a connection, and between two bytes: an operation that waits is answered within a minute."""

EVENT_STREAM = "text/event-stream"
_KEY = re.compile(r"[^\[\]]+|\[[^\[\]]*\]")

Fields = Annotated[
    list[str] | None, typer.Option("--raw-field", "-f", metavar="NAME=TEXT", help="Field as text; may be repeated.")
]
TypedFields = Annotated[
    list[str] | None,
    typer.Option(
        "--field",
        "-F",
        metavar="NAME=VALUE",
        help="Field as JSON if it parses, else text; @FILE for a file's content, @- for stdin. May be repeated.",
    ),
]


def api(
    ctx: typer.Context,
    path: Annotated[
        str,
        typer.Argument(
            metavar="PATH",
            help="Path: intents is /api/v1/intents, /readyz is as it is.",
            show_default=False,
            autocompletion=complete_path,
        ),
    ],
    method: Annotated[
        str | None,
        typer.Option("--method", "-X", metavar="METHOD", help="HTTP method. Default: GET, or POST with fields or --input."),
    ] = None,
    raw_fields: Fields = None,
    fields: TypedFields = None,
    input: Annotated[
        str | None, typer.Option("--input", metavar="FILE", help="File with the body, - for stdin. Fields are the query then.")
    ] = None,
    headers: Annotated[
        list[str] | None, typer.Option("--header", "-H", metavar="NAME:VALUE", help="Header; may be repeated.")
    ] = None,
    include: Annotated[bool, typer.Option("--include", "-i", help="Print the status and the headers too.")] = False,
    paginate: Annotated[bool, typer.Option("--paginate", help="Follow a list to its end, and print it as one.")] = False,
) -> None:
    """Send a request to any operation of the API, with the key of the session, and print the answer.

    Fields are the body, as JSON, or the query of a GET; a[b]=1 and a[]=1 are members of objects and lists. A POST gets an
    Idempotency-Key. An intent's version is sent with -H "If-Match: 3". Nothing is retried.
    """
    run = get_session(ctx)
    values = parse_fields(raw_fields or [], fields or [])
    verb = (method or ("POST" if values or input is not None else "GET")).upper()
    if paginate and verb != "GET":
        raise typer.BadParameter("--paginate is for lists, which a GET returns.")
    body, query = None, values
    if input is not None:
        body = _read(input)
    elif values and verb not in ("GET", "HEAD"):
        body, query = json.dumps(values).encode(), {}
    sender = Sender(run, verb, path, parse_headers(headers or []), body)
    answer, document = sender.fetch_all(query) if paginate else sender.fetch(query)
    if include:
        lines = [
            f"HTTP/1.1 {answer.status_code} {answer.reason}",
            *(f"{name}: {value}" for name, value in answer.headers.items()),
        ]
        run.output.print("\n".join(map(escape, lines)) + "\n")
    print_body(run.output, answer, document)
    if answer.status_code >= 300:
        raise as_error(answer)


@dataclass(frozen=True)
class Sender:
    """Sends one request of the session, or those of the pages of a list."""

    run: Session
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes | None

    def fetch(self, query: Mapping[str, Any]) -> tuple[requests.Response, Any]:
        """Return the answer, whatever its status, and its JSON, or None. A stream is still open. Raise ConnectionFailedError."""
        root = self.run.client.base_url
        url = self.path if self.path.startswith(f"{root}/") else f"{root}{self._absolute_path()}"
        session = new_session(self.run.client._network)
        try:
            answer = session.request(
                self.method,
                url,
                params={name: _as_parameter(value) for name, value in query.items()},
                data=self.body,
                headers=self._all_headers(),
                timeout=TIMEOUT,
                allow_redirects=False,
                stream=True,
            )
            return answer, None if _is_stream(answer) else _parse(answer)
        except requests.exceptions.InvalidHeader as error:
            raise typer.BadParameter(str(error), param_hint="--header") from None
        except requests.RequestException as error:
            failed = no_response(error)
            host = urlsplit(root).netloc
            raise ConnectionFailedError(
                f"{self.method} {self.path}: no response from {host} ({failed.reason}).", sent=failed.sent
            ) from None

    def fetch_all(self, query: Mapping[str, Any]) -> tuple[requests.Response, Any]:
        """Return the first answer, and its JSON with the items of all pages; the first error instead, if there is one."""
        answer, document = self.fetch(query)
        page, items = document, _items(answer, document)
        while items is not None and page.get("next") is not None:
            answer, page = self.fetch({**query, "cursor": page["next"]})
            if (more := _items(answer, page)) is None:
                return answer, page
            items += more
        return answer, document if items is None else {**document, "next": None}

    def _absolute_path(self) -> str:
        if "://" in self.path:
            raise typer.BadParameter(f"{self.path!r} is not on {self.run.client.base_url}: the key is for that server.")
        return self.path if self.path.startswith("/") else f"/api/v1/{self.path}"

    def _all_headers(self) -> CaseInsensitiveDict[str]:
        connection = self.run.connection
        found = CaseInsensitiveDict({"Accept": f"application/json, {EVENT_STREAM};q=0.9, */*;q=0.8"})
        found["User-Agent"] = f"openintent-cli/{__version__}"
        for name, value in (("X-API-Key", connection["api_key"]), ("X-Agent-ID", connection["agent_id"])):
            if value is not None:
                found[name] = value
        if self.body is not None:
            found["Content-Type"] = "application/json"
        if self.method == "POST":
            found["Idempotency-Key"] = str(uuid4())
        found.update(self.headers)
        return found


def parse_headers(given: Sequence[str]) -> dict[str, str]:
    """Return the headers. Raise BadParameter."""
    found = {}
    for text in given:
        name, colon, value = text.partition(":")
        if not (name.strip() and colon):
            raise typer.BadParameter(f"{text!r} is not NAME:VALUE.", param_hint="--header")
        found[name.strip()] = value.strip()
    return found


def parse_fields(raw: Sequence[str], typed: Sequence[str]) -> dict[str, Any]:
    """Return the fields as an object: `a[b]=1` is a member of an object, `a[]=1` an item of a list. Raise BadParameter."""
    found: dict[str, Any] = {}
    parsers: list[tuple[Sequence[str], Callable[[str], Any]]] = [(raw, str), (typed, _typed_value)]
    for text, parse in ((each, parse) for given, parse in parsers for each in given):
        name, sign, value = text.partition("=")
        keys = _KEY.findall(name)
        if not sign or "".join(keys) != name or not keys or keys[0].startswith("["):
            raise typer.BadParameter(f"{text!r} is not NAME=VALUE.")
        try:
            _put(found, [keys[0], *(each[1:-1] for each in keys[1:])], parse(value))
        except (AttributeError, TypeError):
            raise typer.BadParameter(f"{name} is two different things.") from None
    return found


def _put(target: Any, keys: list[str], value: Any) -> None:
    """Set the value at the place in nested objects and lists, which are created. An empty key appends to a list."""
    for key, following in pairwise(keys):
        new: Any = {} if following else []
        if key == "":
            target.append(new)
            target = new
        else:
            target = target.setdefault(key, new)
    if keys[-1] == "":
        target.append(value)
    elif isinstance(target, dict):
        target[keys[-1]] = value
    else:
        raise TypeError(target)


def _typed_value(text: str) -> Any:
    if text.startswith("@"):
        return _read(text[1:]).decode(errors="replace")
    try:
        return json.loads(text)
    except ValueError:
        return text


def _read(name: str) -> bytes:
    """Return the bytes of a file, of stdin for `-`. Raise BadParameter."""
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{name}: {error.strerror}") from None


def _as_parameter(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(_as_parameter, value))
    return value if isinstance(value, str) else json.dumps(value)


def _items(answer: requests.Response, document: Any) -> list[Any] | None:
    """Return the list of a page; None if the answer is anything else."""
    is_page = answer.status_code < 300 and isinstance(document, dict) and "next" in document
    return next((each for each in document.values() if isinstance(each, list)), None) if is_page else None


def _parse(answer: requests.Response) -> Any:
    """Return the document with all digits of its numbers; None if it is no JSON."""
    try:
        return json.loads(answer.content, parse_float=Decimal) if "json" in answer.headers.get("Content-Type", "") else None
    except ValueError:
        return None


def _is_stream(answer: requests.Response) -> bool:
    return answer.headers.get("Content-Type", "").startswith(EVENT_STREAM)


def print_body(output: Output, answer: requests.Response, document: Any) -> None:
    """Print JSON indented, and anything else as it is; on a terminal text is escaped, and other bytes are not printed."""
    if document is not None:
        return output.write_json(document)
    chunks = (line + b"\n" for line in answer.iter_lines(chunk_size=1)) if _is_stream(answer) else filter(None, [answer.content])
    for chunk in chunks:
        if not output.is_terminal:
            write_bytes(chunk)
        elif answer.headers.get("Content-Type", "").startswith("text/"):
            output.print(escape_lines(chunk.decode(errors="replace")))
        else:
            output.print_note(f"{len(chunk)} bytes, which a terminal cannot show. Redirect them to a file: > FILE")
    return None


def as_error(answer: requests.Response) -> OpenIntentError:
    """Return the exception for an answer that is no success."""
    response = Response(answer.status_code, answer.headers, answer.content)
    if answer.status_code < 400:
        return OpenIntentError(
            f"redirected to {answer.headers.get('Location')}, which is not followed", status_code=answer.status_code
        )
    return error_from_problem(answer.status_code, response.problem, response.retry_after)
