"""Errors of attachments."""

from core.errors import NotFound, ObjectNotFound, ProtocolError


class AttachmentNotFound(ObjectNotFound):
    message = "The intent has no attachment with the id"


class StoredElsewhere(NotFound):
    def __init__(self, url: str) -> None:
        super().__init__(f"The attachment is not stored on this server, but at {url}.")


class BytesMissing(NotFound):
    def __init__(self) -> None:
        super().__init__("The bytes of the attachment are missing in the storage of the server.")


class RangeNotSatisfiable(ProtocolError):
    """The requested range begins after the last byte. `Content-Range` has the size: request a smaller range, or none."""

    code, title, status = "range_not_satisfiable", "Range not satisfiable", 416

    def __init__(self, size: int) -> None:
        super().__init__(
            f"The range begins after the end of the attachment, which has {size} bytes.",
            headers={"Content-Range": f"bytes */{size}"},
            size=size,
        )
