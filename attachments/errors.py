from typing import Any

from core.errors import NotFound, ProtocolError


class AttachmentNotFound(NotFound):
    def __init__(self, attachment_id: Any) -> None:
        super().__init__(f"The intent has no attachment with the id {str(attachment_id)[:60]!r}.")


class KeptElsewhere(NotFound):
    def __init__(self, url: str) -> None:
        super().__init__(f"The attachment's bytes are not kept here, but at {url}.")


class BytesMissing(NotFound):
    def __init__(self) -> None:
        super().__init__("The attachment's bytes are not in the server's storage.")


class RangeNotSatisfiable(ProtocolError):
    """The range that was asked for begins beyond the last byte. `Content-Range` has the size: ask for less, or for the whole."""

    code, title, status = "range_not_satisfiable", "Range not satisfiable", 416

    def __init__(self, size: int) -> None:
        super().__init__(
            f"The attachment has {size} bytes; the range begins beyond them.",
            headers={"Content-Range": f"bytes */{size}"},
            size=size,
        )
