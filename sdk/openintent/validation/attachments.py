"""Attachments."""

import re
from collections.abc import Mapping
from typing import Any

from ..errors import InputValidationError
from ._values import DESCRIPTION_LENGTH, URL_LENGTH, require_mapping, require_text, validate_whole_number

FILENAME_LENGTH = 255
CONTENT_TYPE_LENGTH = 255

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_CONTENT_TYPE = re.compile(r"[^\s/;]+/[^\s/;]+( ?;[ -~]*)?")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_STORAGE_URL = re.compile(r"(https?|s3|gs)://[^\s/?#@]+([/?#]\S*)?")


def validate_attachment(
    filename: str,
    content_type: str | None = None,
    *,
    storage_url: str | None = None,
    size: int | None = None,
    description: str | None = None,
    sha256: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> None:
    """Check an attachment: its name, its type such as `text/csv`, and the URL and size of one that is stored elsewhere."""
    require_text(filename, "filename", FILENAME_LENGTH)
    if _CONTROL.search(filename):
        raise InputValidationError("filename cannot contain control characters", field="filename")
    if content_type is not None:
        require_text(content_type, "content_type", CONTENT_TYPE_LENGTH)
        if not _CONTENT_TYPE.fullmatch(content_type):
            raise InputValidationError(f"content_type must be like text/csv, not {content_type!r}", field="content_type")
    if storage_url is not None:
        require_text(storage_url, "storage_url", URL_LENGTH)
        if not storage_url.isascii() or not _STORAGE_URL.fullmatch(storage_url):  # It may contain a password: not in the message.
            raise InputValidationError(
                "storage_url must be an http, https, s3 or gs URL, in ASCII and without a user name or password",
                field="storage_url",
            )
        if size is None:
            raise InputValidationError("size is required with storage_url", field="size")
    if size is not None:
        validate_whole_number(size, "size", 0)
    if description is not None:
        require_text(description, "description", DESCRIPTION_LENGTH, empty=True)
    if sha256 is not None and not (isinstance(sha256, str) and _SHA256.fullmatch(sha256)):
        raise InputValidationError("sha256 must be 64 hexadecimal digits", field="sha256")
    if metadata is not None:
        require_mapping(metadata, "metadata")
