"""Method table: every method of the clients, with its RFC and the first sentence of its docstring."""

import inspect
import re
from importlib import import_module

NO_RFC = "–"  # It sorts behind the others.
RFCS = {"lease": "RFC-0003", "stream": "RFC-0006", "wait_for_decision": "RFC-0004"}
"""RFCs of methods that are not operations of the API."""


def table() -> str:
    """Return the table as Markdown, ordered by RFC."""
    from openintent import OpenIntentClient  # noqa: PLC0415

    methods = {name: method for name, method in inspect.getmembers(OpenIntentClient, callable) if not name.startswith("_")}
    rows = sorted((_rfc(name, method), name, _first_sentence(method)) for name, method in methods.items() if name != "send")
    return "\n".join(
        ["| Method | RFC | Effect |", "|---|---|---|", *(f"| `{name}()` | {rfc} | {text} |" for rfc, name, text in rows)]
    )


def _rfc(name: str, method: object) -> str:
    module = import_module(inspect.unwrap(method).__module__)  # type: ignore[arg-type]
    named = re.search(r"RFC-\d+", module.__doc__ or "") if ".resources." in module.__name__ else None
    return RFCS.get(name) or (named[0] if named else NO_RFC)


def _first_sentence(method: object) -> str:
    text = " ".join(re.split(r",[^,]*\n\n?-|\n\n", inspect.getdoc(method) or "")[0].split())
    return re.split(r"(?<=[.;:]) |\. Raises ", text)[0].rstrip(".;:").replace("|", "\\|")
