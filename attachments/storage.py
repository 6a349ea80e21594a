"""Storage backends of attachments: Django's, with atomic writes and reads from any offset."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from django.core.files.storage import FileSystemStorage

if TYPE_CHECKING:
    S3Storage: Any
else:
    try:
        from storages.backends.s3 import S3Storage
    except ImportError:  # Only installed with the extra `s3`.
        S3Storage = object

PARTIAL = ".part"


class FolderStorage(FileSystemStorage):
    def read_from(self, name: str, start: int, length: int) -> BinaryIO:
        """Open the file at an offset. Raise FileNotFoundError."""
        file = open(self.path(name), "rb")  # noqa: SIM115  The caller closes it.
        file.seek(start)
        return file

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """Return the name itself: of concurrent uploads of the same bytes, one replaces the other."""
        return name

    def _save(self, name: str, content: Any) -> str:
        """Save atomically: a crash or a power failure leaves no partial file under the name."""
        path = Path(self.path(name))
        if not path.parent.is_dir():
            for folder in reversed([path.parent, *path.parent.parents]):
                folder.mkdir(mode=0o700, exist_ok=True)  # For the server's user alone.
        partial = path.with_name(f"{path.name}.{token_hex(8)}{PARTIAL}")
        try:
            with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.writelines(content.chunks())
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        for folder in (path.parent, path.parent.parent) if os.name != "nt" else ():  # Windows cannot open folders.
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)  # So that new names survive a power failure.
            finally:
                os.close(descriptor)
        return name


class BucketStorage(S3Storage):
    def __init__(self, **options: Any) -> None:
        if S3Storage is object:
            raise ImportError("Attachments in S3 need django-storages: pip install 'django-storages[s3]>=1.14.6,<2'")
        super().__init__(**options)

    def exists(self, name: str) -> bool:
        """Raise OSError if the store cannot tell."""
        with _translate_errors(name):
            return bool(super().exists(name))

    def read_from(self, name: str, start: int, length: int) -> BinaryIO:
        """Open a range of the object. Raise FileNotFoundError or OSError."""
        options = {"Range": f"bytes={start}-{start + length - 1}"} if length else {}
        with _translate_errors(name):
            response = self.bucket.Object(self._normalize_name(name)).get(**options)
        return cast(BinaryIO, response["Body"])


@contextmanager
def _translate_errors(name: str) -> Iterator[None]:
    """Raise the errors of the store and the network as those of a local folder."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  Optional, as above.

    try:
        yield
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            raise FileNotFoundError(name) from error
        raise OSError(f"the attachment store refused: {error}") from error
    except BotoCoreError as error:
        raise OSError(f"the attachment store does not respond: {error}") from error
