"""Error codes: every refusal that the server knows, with its status and its exception in the SDK."""

from openintent.errors import error_from_problem

from scripts.sdk.enums import catalogue


def page(template: str) -> str:
    rows = []
    for code, problem in sorted(catalogue().items(), key=lambda each: (each[1].status, each[0])):
        exception = type(error_from_problem(problem.status, {"code": code}, None)).__name__
        meaning = " ".join((problem.__doc__ or "").split())
        rows.append(f'| <a id="{code}"></a>`{code}` | {problem.status} | `{exception}` | {meaning} |')
    return template + "\n".join(rows) + "\n"
