"""Protocol headers: If-Match, ETag, X-Fencing-Token (protocol §1)."""

import re
from typing import Any

from rest_framework.request import Request

from core.api.responses import Response
from core.errors import Invalid, VersionRequired


def fencing_token(request: Request) -> int | None:
    """Return the X-Fencing-Token, or None if none was sent. Raise Invalid if it is no token."""
    given = request.META.get("HTTP_X_FENCING_TOKEN")
    if given is None:
        return None
    if not (match := _TOKEN.fullmatch(given.strip())):
        raise Invalid.field("X-Fencing-Token", f"{given[:60]!r} is not a token. Send the lease's fencing_token")
    return int(match[0])


_TOKEN = re.compile(r"[1-9]\d{0,17}", re.ASCII)
_VERSION = re.compile(r'([1-9]\d{0,17})|(?:W/)?"([1-9]\d{0,17})(?:(?:--?|;|:)[a-z]{1,10})?"', re.ASCII)
"""`3`, `"3"`, and the ETags of proxies that compress: `W/"3"` (nginx), `"3-gzip"` (Apache), `"3;gzip"`."""


def expected_version(request: Request) -> int:
    """Return the version of `If-Match: 3` or `If-Match: "3"`. Raise VersionRequired if it is missing, Invalid if it is no version."""
    given = request.META.get("HTTP_IF_MATCH", "").strip()
    if not given:
        raise VersionRequired("Send the version that you read as If-Match.")
    if not (match := _VERSION.fullmatch(given)):
        raise Invalid.field("If-Match", f'{given[:60]!r} is not a version. Send one, for example: If-Match: "3"')
    return int(match[1] or match[2])


def optional_version(request: Request) -> int | None:
    """Return the version of `If-Match`, or None if none was sent. Raise Invalid if it is no version."""
    if "HTTP_IF_MATCH" not in request.META:
        return None
    if not request.META["HTTP_IF_MATCH"].strip():
        raise Invalid.field("If-Match", "is empty. Send the version that the write is based on, or leave the header out")
    return expected_version(request)


def versioned_response(body: dict[str, Any], *, status: int = 200, location: str | None = None) -> Response:
    """Return a response with the version of its resource as ETag."""
    headers = {"ETag": f'"{body["version"]}"'}
    if location:
        headers["Location"] = location
    return Response(body, status=status, headers=headers)
