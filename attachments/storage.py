"""Where the bytes are kept: Django's storages, in which a file appears whole or not at all, and is read from any place in it."""

import os
from collections.abc import Iterable, Iterator
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
    except ImportError:  # Only who keeps files in S3 has the extra `s3`.
        S3Storage = object

PARTIAL = ".part"


class FolderStorage(FileSystemStorage):
    def read_from(self, name: str, start: int, length: int) -> BinaryIO:
        """Raises FileNotFoundError."""
        file = open(self.path(name), "rb")  # noqa: SIM115  The reader closes it.
        file.seek(start)
        return file

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """The name itself: where equal bytes came at the same moment, one replaces the other."""
        return name

    def _save(self, name: str, content: Any) -> str:
        """A server that is killed, or loses its power, leaves no half file under the name."""
        path = Path(self.path(name))
        _make_private_folder(path.parent)
        partial = path.with_name(f"{path.name}.{token_hex(8)}{PARTIAL}")
        try:
            _write(partial, content.chunks())
            os.replace(partial, path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        for folder in (path.parent, path.parent.parent):
            _flush_folder(folder)
        return name


class BucketStorage(S3Storage):
    def __init__(self, **options: Any) -> None:
        if S3Storage is object:
            raise ImportError("Attachments in S3 need django-storages: pip install 'django-storages[s3]>=1.14.6,<2'")
        super().__init__(**options)

    def exists(self, name: str) -> bool:
        """Raises OSError where the store cannot say."""
        with _as_of_a_disk(name):
            return bool(super().exists(name))

    def read_from(self, name: str, start: int, length: int) -> BinaryIO:
        """Only that part of the object comes over the network. Raises FileNotFoundError, OSError."""
        wanted = {"Range": f"bytes={start}-{start + length - 1}"} if length else {}
        with _as_of_a_disk(name):
            answer = self.bucket.Object(self._normalize_name(name)).get(**wanted)
        return cast(BinaryIO, answer["Body"])


@contextmanager
def _as_of_a_disk(name: str) -> Iterator[None]:
    """What the store refuses, or a network that is down, as the errors that a folder has."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  As above: not everybody has it.

    try:
        yield
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            raise FileNotFoundError(name) from error
        raise OSError(f"the store of attachments refused: {error}") from error
    except BotoCoreError as error:
        raise OSError(f"the store of attachments does not answer: {error}") from error


def _make_private_folder(path: Path) -> None:
    """Make a folder, and those above it that are missing, for the server's user alone."""
    if not path.is_dir():
        for folder in reversed([path, *path.parents]):
            folder.mkdir(mode=0o700, exist_ok=True)


def _write(path: Path, chunks: Iterable[bytes]) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.writelines(chunks)
        file.flush()
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    """Else a new name in it may be forgotten when the power fails."""
    if os.name == "nt":  # Windows opens no folders.
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
