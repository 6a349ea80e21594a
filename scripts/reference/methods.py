"""Method table: every method of the clients, with its RFC, its request and the first sentence of its docstring."""

import inspect
import re
from importlib import import_module

NO_RFC = "–"  # It sorts behind the others.


def table() -> str:
    """Return the table as Markdown, ordered by RFC."""
    from openintent import OpenIntentClient  # noqa: PLC0415
    from openintent._operations import OPERATIONS  # noqa: PLC0415

    rows = []
    for name, method in inspect.getmembers(OpenIntentClient, callable):
        if name.startswith("_") or name == "send":
            continue
        module = import_module(method.__module__)
        named = re.search(r"RFC-\d+", module.__doc__ or "") if ".resources." in module.__name__ else None
        text = " ".join(re.split(r",[^,]*\n\n?-|\n\n", inspect.getdoc(method) or "")[0].split())
        sentence = re.split(r"(?<=[.;:]) |\. Raises ", text)[0].rstrip(".;:").replace("|", "\\|")
        request = "`{} {}`".format(*OPERATIONS[name]) if name in OPERATIONS else "–"
        rows.append((named[0] if named else NO_RFC, name, request, sentence))
    lines = [f"| `{name}()` | {rfc} | {request} | {sentence} |" for rfc, name, request, sentence in sorted(rows)]
    return "\n".join(["| Method | RFC | Request | Effect |", "|---|---|---|---|", *lines])
