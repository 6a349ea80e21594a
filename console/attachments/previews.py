"""Previews of attachments in the console: raster images, and the beginning of texts. Nothing is executed."""

import logging
from codecs import getincrementaldecoder
from collections.abc import Container, Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from functools import lru_cache
from uuid import UUID

from django.db.models import Q

from attachments import blob_store
from attachments.models import Attachment

IMAGES = {"image/png", "image/jpeg", "image/gif", "image/webp"}
TEXTS = {"application/json", "application/yaml", "application/x-yaml", "application/x-ndjson", "application/toml"}
EXCLUDED_TEXTS = {"text/html", "text/xml"}  # They would not be rendered, but readers could take their source for the page.
SHORT, LONG = 2_000, 32 * 2**10  # Bytes of a text, in a list and on the page of the file.
MAX_EXTENSION = 4  # Characters.

log = logging.getLogger("openintent.attachments")


@dataclass(frozen=True, slots=True)
class Preview:
    """An attachment with its preview: `kind` is `image`, `text` or empty; `text` is the beginning of a text."""

    attachment: Attachment
    kind: str
    text: str = ""
    is_cut: bool = False
    is_mentioned: bool = False

    @property
    def sign(self) -> str:
        """The extension of the filename; empty for a long one, or none."""
        _, dot, extension = self.attachment.filename.rpartition(".")
        return extension if dot and len(extension) <= MAX_EXTENSION and extension.isalnum() else ""

    @property
    def is_on_the_web(self) -> bool:
        return (self.attachment.storage_url or "").startswith(("https://", "http://"))


def make_preview(attachment: Attachment, *, most: int = 0) -> Preview:
    """Return the preview, with up to `most` bytes of a text; 0 leaves texts out."""
    kind = preview_kind(attachment)
    if kind != "text":
        return Preview(attachment, kind)
    try:
        text = _read_beginning(str(attachment.sha256), most) if most else ""
    except OSError:  # Missing or unreachable: the page of the file says which.
        text = ""
    return Preview(attachment, kind if text else "", text, is_cut=attachment.size > most)


def make_previews(found: Iterable[Attachment], *, texts: int, mentioned: Container[UUID] = ()) -> list[Preview]:
    """Return the previews in a list: the first `texts` texts with their beginning. What is `mentioned` comes first."""
    previews = []
    for each in sorted(found, key=lambda one: one.pk not in mentioned):
        has_text = preview_kind(each) == "text" and texts > 0
        texts -= has_text
        previews.append(replace(make_preview(each, most=SHORT if has_text else 0), is_mentioned=each.pk in mentioned))
    return previews


def preview_kind(attachment: Attachment) -> str:
    """Return the kind by the declared content type. Browsers do not guess another one (nosniff)."""
    media_type = attachment.content_type.partition(";")[0].strip().lower()
    if attachment.storage_url:
        return ""
    if media_type in IMAGES:
        return "image"
    is_text = media_type in TEXTS or (media_type.startswith("text/") and media_type not in EXCLUDED_TEXTS)
    return "text" if is_text else ""


def storage_state(attachment: Attachment) -> str:
    """Return `elsewhere` for bytes at a URL; else `here`, `gone` if missing, or `away` if the storage is unreachable."""
    if attachment.blob_id is None:
        return "elsewhere"
    try:
        return "here" if blob_store.exists(attachment.blob_id) else "gone"
    except OSError as error:
        log.warning("the attachment storage is unreachable: %s", error)
        return "away"


def filter_by_kind(kind: str) -> Q:
    """Return the condition for attachments of a kind: `image`, `text`, `other` or `elsewhere`."""
    images = Q(content_type__istartswith="image/")
    texts = Q(content_type__istartswith="text/")
    for media_type in sorted(TEXTS):
        texts |= Q(content_type__istartswith=media_type)
    return {"image": images, "text": texts, "other": ~images & ~texts, "elsewhere": Q(storage_url__isnull=False)}[kind]


@lru_cache(maxsize=128)
def _read_beginning(digest: str, most: int) -> str:
    """Return the first bytes as text. Cached: they never change, storage may be slow, and live pages reload often.

    A character that is cut in two is left out. Raises OSError; FileNotFoundError if the bytes are missing.
    """
    with closing(blob_store.open_range(digest, 0, most)) as reader:
        data = b"".join(reader)
    text = getincrementaldecoder("utf-8")("replace").decode(data, final=len(data) < most)
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")
