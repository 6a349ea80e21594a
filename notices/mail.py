"""E-mail through Django's settings, within a bounded time (rule H-7)."""

import smtplib
import socket
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from email.utils import format_datetime
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends import smtp

from notices.messages import Message
from notices.payloads import OPEN
from subscriptions.webhooks.client import TOO_LONG, TOTAL_TIMEOUT, CallResult, Deadline

ACCEPTED = 250
"""What a mail server answers that has taken a message over."""


class EmailBackend(smtp.EmailBackend):
    """Django's SMTP backend with a deadline: a server that sends a byte now and then never lets a read time out."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.deadline = Deadline(TOTAL_TIMEOUT)

    @property
    def connection_class(self) -> Any:
        return type("Connection", (_WatchedConnection, super().connection_class), {"deadline": self.deadline})

    def open(self) -> bool | None:
        if not self.connection:
            self.deadline = Deadline(TOTAL_TIMEOUT)
            self.deadline.start()
        return super().open()

    def close(self) -> None:
        try:
            super().close()
        finally:
            self.deadline.close()


class _WatchedConnection:
    """Mixin for smtplib's connection that ends at a deadline, and keeps the addresses that were refused."""

    deadline: Deadline
    refused: dict[str, Any] = {}

    def _get_socket(self, *args: Any) -> socket.socket:
        found: socket.socket = super()._get_socket(*args)  # type: ignore[misc]
        self.deadline.watch(found)
        return found

    def sendmail(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        self.refused = super().sendmail(*args, **kwargs)  # type: ignore[misc]
        return self.refused


def send_mail(addresses: Sequence[str], message: Message, at: datetime) -> CallResult:
    """Send the message once. Return a failed result instead of raising; its error names no address."""
    started = monotonic()
    connection: Any = None
    try:
        connection = get_connection()
        connection.open()
        connection.send_messages([_mail(addresses, message, at)])
        refused = getattr(getattr(connection, "connection", None), "refused", {})
    except Exception as error:
        deadline = getattr(connection, "deadline", None)
        text = TOO_LONG if deadline and deadline.has_passed else _describe(error)
        return CallResult(_since(started), error=text)
    finally:
        with suppress(Exception):  # The message has been taken over, or the error is known.
            if connection:
                connection.close()
    note = f"{len(refused)} of {len(addresses)} addresses were refused" if refused else None
    return CallResult(_since(started), status=ACCEPTED, error=note)


def _mail(addresses: Sequence[str], message: Message, at: datetime) -> EmailMessage:
    domain = urlsplit(settings.PUBLIC_URL).hostname or "openintent.invalid"
    headers = {
        "Message-ID": f"<{message.id}@{domain}>",
        "Date": format_datetime(at),
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }
    if message.thread:
        headers["References"] = f"<{message.thread}@{domain}>"
    parts = [f"{part.plain(quote='> ')}\n{_link(part.link)}" for part in message.parts]
    body = "\n\n".join([message.summary, *parts]) + "\n"
    return EmailMessage(f"[OpenIntent] {message.subject}", body, settings.DEFAULT_FROM_EMAIL, [*addresses], headers=headers)


def _link(link: str | None) -> str:
    return f"{OPEN}: {link}" if link else "Open the console to answer it."


def _describe(error: Exception) -> str:
    """Return a description without addresses, which answers of mail servers repeat."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = sorted({code for code, _ in error.recipients.values()})
        return f"the mail server refused the addresses ({', '.join(map(str, codes))})"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the mail server answered {error.smtp_code}"
    if isinstance(error, TimeoutError):
        return "the mail server did not answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "the connection was refused"
    return f"the mail server could not be used ({type(error).__name__})"


def _since(started: float) -> int:
    return round((monotonic() - started) * 1000)
