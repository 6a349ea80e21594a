"""Blob store: the bytes of attachments in their storage (rules T-1 to T-3), named by digest and never by a user.

Bytes are stored before a row refers to them, and deleted after the last such row. A crash in between leaves an orphaned
file, which housekeeping deletes (`list_old`), never a row without its bytes.
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

CHUNK_BYTES = 256 * 2**10  # Read and sent at once.
GRACE_PERIOD = timedelta(days=1)
FOLDERS = [f"{number:02x}" for number in range(256)]
FOLDERS_PER_RUN = 16  # Listing a whole bucket every few minutes would cost money.

_DIGEST = re.compile(r"[0-9a-f]{64}")

log = logging.getLogger("openintent.attachments")


@dataclass(frozen=True, slots=True)
class Upload:
    """Bytes of a request, in memory or in a file, and their digest."""

    file: "File[bytes]"
    size: int
    sha256: str

    @classmethod
    def from_file(cls, file: Any) -> Self:
        plain: File[bytes] = File(file)  # Not moved into the storage, as Django does with its uploads: it may be read again.
        digest, size = hashlib.sha256(), 0
        for chunk in plain.chunks(CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
        return cls(plain, size, digest.hexdigest())


@dataclass(slots=True)
class LimitedReader:
    """An iterator over the next `remaining` bytes of an open file, in chunks."""

    file: BinaryIO
    remaining: int

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        chunk = self.file.read(min(CHUNK_BYTES, self.remaining))
        if not chunk:
            raise StopIteration
        self.remaining -= len(chunk)
        return chunk

    def close(self) -> None:
        self.file.close()


def storage() -> Any:
    return storages["attachments"]


def blob_name(digest: str) -> str:
    return f"{digest[:2]}/{digest}"


def store(upload: Upload) -> None:
    """Store the bytes unless they exist."""
    if not exists(upload.sha256):
        upload.file.seek(0)
        storage().save(blob_name(upload.sha256), upload.file)


def exists(digest: str) -> bool:
    return bool(storage().exists(blob_name(digest)))


def open_range(digest: str, start: int, length: int) -> LimitedReader:
    """Return a reader of a range of the bytes. Raise FileNotFoundError."""
    return LimitedReader(storage().read_from(blob_name(digest), start, length), length)


def delete(digest: str) -> None:
    storage().delete(blob_name(digest))


def list_old(folders: Iterable[str] | None = None) -> tuple[list[str], list[str]]:
    """Return the digests of stored files, and the names of partial files, that are older than a day.

    Looks into some of the folders, others each time; every worker calls this every few minutes.
    """
    digests, partial = [], []
    for folder in folders or random.sample(FOLDERS, FOLDERS_PER_RUN):
        try:
            files = storage().listdir(folder)[1]
        except FileNotFoundError:
            continue
        for file in files:
            name = f"{folder}/{file}"
            if _DIGEST.fullmatch(file) and _is_old(name):
                digests.append(file)
            elif file.endswith(PARTIAL) and _is_old(name):
                partial.append(name)
    return digests, partial


def _is_old(name: str) -> bool:
    try:
        # The clock of the storage, not the database's: the file's time is an instant of no event.
        return storage().get_modified_time(name) < timezone.now() - GRACE_PERIOD
    except FileNotFoundError:  # Another worker has deleted it.
        return False
