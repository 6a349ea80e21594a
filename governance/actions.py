"""Actions of arbitrations: their digest, their differences, and the values that they are bound to (rules A-10, A-11). Pure."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import rfc8785

from intents.patches import path_keys

MEMBERS = ("verb", "target", "params", "effect_key")

Action = dict[str, Any]
"""A verb, its target, its parameters and the key of its effect."""


def digest(value: Any) -> str:
    """Return the SHA-256 of the value's canonical JSON (RFC 8785), in hexadecimal."""
    return hashlib.sha256(rfc8785.dumps(value)).hexdigest()


def first_difference(approved: Any, sent: Any, where: str) -> str | None:
    """Return the name of the first member, in order of names, in which two JSON values differ, or None."""
    if isinstance(approved, dict) and isinstance(sent, dict):
        for name in sorted({*approved, *sent}):
            if name not in approved or name not in sent:
                return f"{where}.{name}"
            if found := first_difference(approved[name], sent[name], f"{where}.{name}"):
                return found
        return None
    if isinstance(approved, list) and isinstance(sent, list):
        for index, pair in enumerate(zip(approved, sent, strict=False)):
            if found := first_difference(*pair, f"{where}.{index}"):
                return found
        return None if len(approved) == len(sent) else f"{where}.{min(len(approved), len(sent))}"
    return None if rfc8785.dumps(approved) == rfc8785.dumps(sent) else where


def differing_member(approved: Action, sent: Mapping[str, Any]) -> str | None:
    """Return the first member of the sent action that is not the approved one's, or None. A key that is not sent is not compared."""
    for name in MEMBERS:
        if name in sent and (found := first_difference(approved[name], sent[name], name)):
            return found
    return None


def bound_values(state: dict[str, Any], paths: Iterable[str]) -> dict[str, str | None]:
    """Return the digests of the values under JSON Pointers; None: there is no value."""
    return {path: _value_digest(state, path_keys(path)) for path in paths}


def _value_digest(value: Any, keys: Iterable[str]) -> str | None:
    for key in keys:
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isascii() and key.isdigit() and str(int(key)) == key and int(key) < len(value):
            value = value[int(key)]
        else:
            return None
    return digest(value)
