"""Error codes: every refusal that the server knows, with its status and its exception in the SDK."""

from importlib import import_module
from pathlib import Path
from typing import Any

from openintent.errors import error_from_problem

APPS = sorted(path.parent.name for path in Path(__file__).parents[2].glob("*/errors.py"))
"""Apps with refusals of their own."""


def catalogue() -> dict[str, Any]:
    """Return the class of each refusal by its code."""
    for app in APPS:
        import_module(f"{app}.errors")
    found: dict[str, Any] = import_module("core.errors").ProtocolError.catalogue
    return found


def page(template: str) -> str:
    rows = []
    for code, problem in sorted(catalogue().items(), key=lambda each: (each[1].status, each[0])):
        exception = type(error_from_problem(problem.status, {"code": code}, None)).__name__
        meaning = " ".join((problem.__doc__ or "").split())
        rows.append(f'| <a id="{code}"></a>`{code}` | {problem.status} | `{exception}` | {meaning} |')
    return template + "\n".join(rows) + "\n"
