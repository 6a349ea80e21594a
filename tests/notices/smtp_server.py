"""A mail server that keeps what it is given, or fails as it is told."""

import socketserver
import threading
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any


@dataclass
class Mail:
    recipients: list[str]
    content: bytes

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.content, policy=policy.default)  # type: ignore[return-value]

    @property
    def text(self) -> str:
        return self.message.get_content()


@dataclass
class Behaviour:
    """Failures of the server, instead of accepting: `replies` to a command, `cuts` the connection at one, or `drips`."""

    replies: dict[str, str] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    cuts: str = ""
    hangs: str = ""
    drips: bool = False


class MailServer:
    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.connections = 0
        self.does = Behaviour()
        self.goes_on = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Session)
        self._server.owner = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.01], daemon=True)

    def __enter__(self) -> "MailServer":
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.goes_on.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    owner: MailServer


class _Session(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        owner, recipients = self.server.owner, []
        owner.connections += 1
        try:
            if self._fails("GREETING"):
                return
            self._say("220 fake")
            while line := self.rfile.readline().decode().strip():
                verb = line.partition(" ")[0].upper()
                if self._fails(verb):
                    return
                if verb in owner.does.replies:
                    self._say(owner.does.replies[verb])
                elif verb == "RCPT":
                    address = line.partition("<")[2].partition(">")[0]
                    is_refused = address in owner.does.refused
                    recipients += [] if is_refused else [address]
                    self._say(f"550 no such user {address}" if is_refused else "250 ok")
                elif verb == "DATA":
                    if not self._receive(recipients):
                        return
                else:
                    self._say("221 bye" if verb == "QUIT" else "250 ok")
        except OSError:
            return

    def _receive(self, recipients: list[str]) -> bool:
        self._say("354 go on")
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line)
        if self._fails("CONTENT"):
            return False
        self.server.owner.mails.append(Mail([*recipients], b"".join(lines)))
        self._say("250 accepted")
        return True

    def _fails(self, verb: str) -> bool:
        owner = self.server.owner
        if owner.does.drips:
            while not owner.goes_on.wait(0.05):
                self.wfile.write(b"2")
        if owner.does.hangs == verb:
            owner.goes_on.wait(60)
        return owner.does.cuts == verb or owner.goes_on.is_set()

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())
