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

PART = 256 * 2**10  # Bytes that are read, and sent, at once.
KEPT_FOR = timedelta(days=1)
FOLDERS = [f"{number:02x}" for number in range(256)]
FOLDERS_AT_ONCE = 16  # Listing a whole bucket every few minutes would cost money.

_DIGEST = re.compile(r"[0-9a-f]{64}")

log = logging.getLogger("openintent.attachments")


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes that came with a request, in memory or in a file, and their digest."""

    file: "File[bytes]"
    size: int
    sha256: str

    @classmethod
    def of(cls, file: Any) -> Self:
        plain: File[bytes] = File(file)  # Without an upload's wish to be moved away: it may be read again.
        digest, size = hashlib.sha256(), 0
        for chunk in plain.chunks(PART):
            digest.update(chunk)
            size += len(chunk)
        return cls(plain, size, digest.hexdigest())


class Stretch:
    """Bytes of an open file, part by part: as many as are left to send."""

    def __init__(self, file: BinaryIO, length: int) -> None:
        self.file = file
        self.left = length

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        part = self.file.read(min(PART, self.left))
        if not part:
            raise StopIteration
        self.left -= len(part)
        return part

    def close(self) -> None:
        self.file.close()


def storage() -> Any:
    return storages["attachments"]


def name_of(digest: str) -> str:
    return f"{digest[:2]}/{digest}"


def keep(content: Content) -> None:
    """Store the bytes, unless they are there."""
    if not has(content.sha256):
        content.file.seek(0)
        storage().save(name_of(content.sha256), content.file)


def has(digest: str) -> bool:
    return bool(storage().exists(name_of(digest)))


def read(digest: str, start: int, length: int) -> Stretch:
    """Raises FileNotFoundError."""
    return Stretch(storage().read_from(name_of(digest), start, length), length)


def delete(digest: str) -> None:
    storage().delete(name_of(digest))


def delete_partial(names: Iterable[str]) -> None:
    for name in names:
        storage().delete(name)


def old(folders: Iterable[str] | None = None) -> tuple[list[str], list[str]]:
    """The digests of stored files, and the names of files that were never finished, that are older than a day.

    In some of the folders, others each time; every worker asks again every few minutes.
    """
    digests, partial = [], []
    for folder in folders or random.sample(FOLDERS, FOLDERS_AT_ONCE):
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
        return storage().get_modified_time(name) < timezone.now() - KEPT_FOR
    except FileNotFoundError:  # Another worker was faster.
        return False
