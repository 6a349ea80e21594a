"""Enums, from openapi.yaml and the server's vocabularies of events and errors."""

import ast
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]

MODULE = '''"""Enums of the protocol.

Each member equals its value on the wire: `EventType.COMMENT == "comment"`. Every method takes the member or
the value; an unknown value in a response stays plain text.
"""

from enum import StrEnum, auto
'''

DOCSTRINGS = {
    "IntentStatus": "Status of an intent (protocol I-4, I-5). Completed and abandoned are final.",
    "KeyRole": "Role of an API key (protocol §1.1), from read-only to all permissions.",
    "LeaseStatus": "Status of a lease.",
    "ArbitrationStatus": "Status of an arbitration (protocol A-1, A-5).",
    "PermitStatus": "Status of a permit (protocol A-9, A-11, A-14).",
    "PermitOutcome": "Outcome of the act that a permit was spent on (protocol A-15).",
    "FallbackKind": "Effect of the end of a question that nobody has answered (protocol §10).",
    "Urgency": "Urgency of a question to people (protocol §10).",
    "RetryStrategy": "Growth of the delay between attempts (protocol R-1); none: the server schedules no retries.",
    "PortfolioStatus": "Status of a portfolio (protocol P-2). Completed and abandoned are final.",
    "SubscriptionStatus": (
        "Status of a subscription. One that has expired, or whose callback has failed for too long, is disabled (protocol W-2)."
    ),
    "DeliveryStatus": "Status of a delivery: to be attempted, delivered, or failed permanently (protocol W-2).",
    "ChannelKind": "Kind of a channel, by which people hear of questions (protocol §10).",
    "ChannelStatus": "Status of a channel. One that was gone, or has failed for days, is disabled (protocol H-3).",
    "NoticeKind": "Kind of a notice: what it tells (protocol §10). A test tells nothing.",
    "NoticeStatus": "Status of a notice (protocol H-3). One whose question ended before it was sent is obsolete.",
}
"""Enums of the SDK."""

OTHERS = {"DefaultFallbackKind", "EdgeType", "PatchOperation", "SubscriptionChange"}
"""Enums of openapi.yaml that the SDK has none for: their values are written as text."""

CLIENT_LOGGED = """comment tool_call_started tool_call_completed tool_call_failed llm_request_started llm_request_completed
    llm_request_failed stream_started stream_chunk stream_completed stream_cancelled"""
"""Event types that clients log (RFC-0008); the server takes any text."""


def modules() -> dict[str, str]:
    """Return the source of the module, by its path in the package."""
    return {"enums.py": "\n\n".join(_parts())}


def _parts() -> Iterator[str]:
    yield MODULE
    schemas = yaml.safe_load((ROOT / "openapi.yaml").read_text())["components"]["schemas"]
    assert {name for name, schema in schemas.items() if "enum" in schema} == {*DOCSTRINGS, *OTHERS}, (
        "Each enum needs a docstring here."
    )
    for name, docstring in DOCSTRINGS.items():
        yield _enum(name, docstring, schemas[name]["enum"])
    written, logged = _server_written(), CLIENT_LOGGED.split()
    yield _enum(
        "EventType",
        "The event types with a meaning in the protocol (§6). Clients may log others of their own.",
        [*written, *logged],
    )
    yield _enum(
        "ErrorCode", "The codes of errors (protocol §2), as in `error.code`. A newer server may have others.", sorted(catalogue())
    )
    members = ", ".join(f"EventType.{name.upper()}" for name in logged)
    yield f'CLIENT_LOGGED = frozenset({{{members}}})\n"""Types that clients write."""\n'
    yield 'SERVER_WRITTEN = frozenset(EventType) - CLIENT_LOGGED\n"""Types that only the server writes (protocol E-4)."""\n'


def _enum(name: str, docstring: str, values: Iterable[str]) -> str:
    members = "".join(f"    {value.upper()} = auto()\n" for value in values)
    return f'class {name}(StrEnum):\n    """{docstring}"""\n\n{members}'


def catalogue() -> dict[str, Any]:
    """Return the class of each refusal of the server by its code."""
    for path in sorted(ROOT.glob("*/errors.py")):
        import_module(f"{path.parent.name}.errors")
    found: dict[str, Any] = import_module("core.errors").ProtocolError.catalogue
    return found


def _server_written() -> list[str]:
    """Return the values of the server's enum, which cannot be imported without its settings."""
    tree = ast.parse((ROOT / "intents/events.py").read_text())
    [enum] = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "EventType"]
    return [ast.literal_eval(node.value) for node in enum.body if isinstance(node, ast.Assign)]
