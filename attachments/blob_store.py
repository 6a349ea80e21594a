"""The bytes of attachments in their storage (rules T-1 to T-3). What is stored is named by its digest, never by a user.

Bytes are stored before there is a row that points to them, and go after the last such row has gone. A crash in between
leaves a file that nobody knows, which housekeeping finds (`unknown`), never a row without its bytes.
"""

import hashlib
import logging
import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, BinaryIO, Self

from django.core.files.base import File
from django.core.files.storage import storages
from django.utils import timezone

from attachments.storage import PARTIAL

CHUNK_BYTES = 256 * 2**10  # Bytes that are read, and sent, at once.
GRACE_PERIOD = timedelta(days=1)
FOLDERS = [f"{number:02x}" for number in range(256)]
FOLDERS_PER_RUN = 16  # Listing a whole bucket every few minutes would cost money.

_DIGEST = re.compile(r"[0-9a-f]{64}")

log = logging.getLogger("openintent.attachments")


@dataclass(frozen=True, slots=True)
class Upload:
    """Bytes that came with a request, in memory or in a file, and their digest."""

    file: "File[bytes]"
    size: int
    sha256: str

    @classmethod
    def of(cls, file: Any) -> Self:
        plain: File[bytes] = File(file)  # Without an upload's wish to be moved away: it may be read again.
        digest, size = hashlib.sha256(), 0
        for chunk in plain.chunks(CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
        return cls(plain, size, digest.hexdigest())


class LimitedReader:
    """Bytes of an open file, part by part: as many as are left to send."""

    def __init__(self, file: BinaryIO, length: int) -> None:
        self.file = file
        self.left = length

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        part = self.file.read(min(CHUNK_BYTES, self.left))
        if not part:
            raise StopIteration
        self.left -= len(part)
        return part

    def close(self) -> None:
        self.file.close()


def storage() -> Any:
    return storages["attachments"]


def blob_name(digest: str) -> str:
    return f"{digest[:2]}/{digest}"


def store(content: Upload) -> None:
    """Store the bytes, unless they are there."""
    if not exists(content.sha256):
        content.file.seek(0)
        storage().save(blob_name(content.sha256), content.file)


def exists(digest: str) -> bool:
    return bool(storage().exists(blob_name(digest)))


def open_range(digest: str, start: int, length: int) -> LimitedReader:
    """Raises FileNotFoundError."""
    return LimitedReader(storage().read_from(blob_name(digest), start, length), length)


def delete(digest: str) -> None:
    storage().delete(blob_name(digest))


def delete_partial(names: Iterable[str]) -> None:
    for name in names:
        storage().delete(name)


def list_old(folders: Iterable[str] | None = None) -> tuple[list[str], list[str]]:
    """The digests of stored files, and the names of files that were never finished, that are older than a day.

    In some of the folders, others each time; every worker asks again every few minutes.
    """
    digests, partial = [], []
    for folder in folders or random.sample(FOLDERS, FOLDERS_PER_RUN):
        for file in _files_in(folder):
            name = f"{folder}/{file}"
            if _DIGEST.fullmatch(file) and _is_old(name):
                digests.append(file)
            elif file.endswith(PARTIAL) and _is_old(name):
                partial.append(name)
    return digests, partial


def _files_in(folder: str) -> list[str]:
    try:
        return storage().listdir(folder)[1]
    except FileNotFoundError:
        return []


def _is_old(name: str) -> bool:
    try:
        return storage().get_modified_time(name) < timezone.now() - GRACE_PERIOD
    except FileNotFoundError:  # Another worker was faster.
        return False
