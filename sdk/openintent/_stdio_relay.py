"""Relay between an MCP client on stdin and stdout and the /mcp of a server (protocol §11).

The server does the work: what a client gets here it would get there. A message of the wire 2026-07-28 carries its version; of an older
one, the relay remembers what `initialize` has agreed.
"""

import base64
import json
import re
import sys
import threading
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from ._version import __version__
from .errors import InputValidationError

TIMEOUT = (10, 60)
"""Seconds to connect, and until the response: a call takes 50 at most (M-4)."""
AT_ONCE = 32
FINISH = 2.0
"""Seconds that running calls have when the client closes stdin."""

PARSE_ERROR, INVALID_REQUEST, INTERNAL_ERROR = -32700, -32600, -32603
VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
NAMES = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
"""Parameters that are also a header, by method."""
_PLAIN = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")

Message = dict[str, Any]


class StdioRelay:
    """Sends each message on stdin to the server, and writes the answers to stdout."""

    def __init__(
        self,
        base_url: str,
        api_key: str | None,
        agent_id: str | None,
        *,
        source: BinaryIO | None = None,
        target: BinaryIO | None = None,
    ) -> None:
        """Raise InputValidationError for an address that is none."""
        if urlsplit(base_url).scheme not in ("http", "https"):
            raise InputValidationError("base_url must be an http or https address", field="base_url")
        self.url = f"{base_url.rstrip('/')}/mcp"
        self._source, self._target = source or sys.stdin.buffer, target or sys.stdout.buffer
        self._version: str | None = None
        self._writing = threading.Lock()
        self._slots = threading.Semaphore(AT_ONCE)
        self._http = requests.Session()
        retry = Retry(connect=3, read=False, status=0, redirect=0, other=0, backoff_factor=0.2, allowed_methods=None)
        for prefix in ("http://", "https://"):
            self._http.mount(prefix, HTTPAdapter(max_retries=retry, pool_maxsize=AT_ONCE))
        self._http.headers["User-Agent"] = f"openintent-mcp/{__version__}"
        if api_key:
            self._http.headers["X-API-Key"] = api_key
        if agent_id:
            self._http.headers["X-Agent-ID"] = agent_id.encode().decode("latin-1")

    def run(self) -> None:
        """Relay until stdin ends."""
        running: list[threading.Thread] = []
        for line in self._source:
            if line.strip():
                self._slots.acquire()
                running = [each for each in running if each.is_alive()]
                running.append(threading.Thread(target=self._relay_line, args=[line], daemon=True))
                running[-1].start()
        for each in running:
            each.join(FINISH)

    def _relay_line(self, line: bytes) -> None:
        try:
            try:
                message = json.loads(line)
            except ValueError:
                return self._write(_error(None, PARSE_ERROR, "Parse error"))
            if not isinstance(message, dict):
                return self._write(_error(None, INVALID_REQUEST, "Not a single JSON-RPC message"))
            for answer in self._send(message):
                self._write(answer)
        finally:
            self._slots.release()

    def _send(self, message: Message) -> list[Message]:
        """Return the answers to the message. A failure is the answer to a request, and nothing to a notification."""
        try:
            response = self._http.post(
                self.url,
                data=json.dumps(message).encode(),
                headers=self._headers(message),
                timeout=TIMEOUT,
                allow_redirects=False,
            )
            answers = _answers(response)
        except (requests.RequestException, ValueError) as error:
            answers = [
                _error(message.get("id"), INTERNAL_ERROR, f"The server at {self.url} does not answer: {type(error).__name__}.")
            ]
        if message.get("method") == "initialize":
            for each in answers:
                self._version = (each.get("result") or {}).get("protocolVersion")
        if "id" not in message:
            return []
        return [{**each, "id": message["id"]} if "method" not in each else each for each in answers]

    def _headers(self, message: Message) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        params = message.get("params")
        params = params if isinstance(params, dict) else {}
        meta = params.get("_meta")
        own = meta.get(VERSION_KEY) if isinstance(meta, dict) else None
        version, method = own or self._version, message.get("method")
        if isinstance(version, str) and method != "initialize":
            headers["MCP-Protocol-Version"] = _header(version)
        if own and isinstance(method, str):
            headers["Mcp-Method"] = _header(method)
            name = params.get(NAMES.get(method, ""))
            if isinstance(name, str):
                headers["Mcp-Name"] = _header(name)
        return headers

    def _write(self, message: Message) -> None:
        with self._writing:
            self._target.write(json.dumps(message).encode() + b"\n")
            self._target.flush()


def _answers(response: requests.Response) -> list[Message]:
    """Return the JSON-RPC messages of a response; of a problem document, an error. Raise ValueError if it has neither."""
    kind = response.headers.get("Content-Type", "").partition(";")[0]
    if response.status_code == 202 or (not response.content and response.ok):
        return []
    if kind == "text/event-stream":
        return [
            json.loads(line.removeprefix("data:")) for line in response.content.decode().splitlines() if line.startswith("data:")
        ]
    found = json.loads(response.content) if kind in ("application/json", "application/problem+json") else None
    if isinstance(found, dict) and found.get("jsonrpc") == "2.0":
        return [found]
    if isinstance(found, dict) and "detail" in found:
        return [_error(None, INTERNAL_ERROR, str(found["detail"]), found)]
    return [_error(None, INTERNAL_ERROR, f"The server has no MCP: {response.url} answers {response.status_code}.")]


def _header(value: str) -> str:
    """Return the value as it passes through HTTP: other than plain ASCII in base64, as the wire says."""
    return value if _PLAIN.fullmatch(value) else f"=?base64?{base64.b64encode(value.encode()).decode()}?="


def _error(id: Any, code: int, message: str, data: Any = None) -> Message:
    return {"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message, **({"data": data} if data else {})}}
