"""What the console shows of a file beside its name: raster images, and the beginning of texts. Nothing else of it, and nothing is run."""

import logging
from codecs import getincrementaldecoder
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache

from django.db.models import Q

from attachments import blob_store
from attachments.models import Attachment

IMAGES = {"image/png", "image/jpeg", "image/gif", "image/webp"}
TEXTS = {"application/json", "application/yaml", "application/x-yaml", "application/x-ndjson", "application/toml"}
EXCLUDED_TEXTS = {"text/html", "text/xml"}  # Nothing of it would be rendered. But a reader may take what he sees for the page.
SHORT, LONG = 2_000, 32 * 2**10  # Bytes of a text, beside others and on a page of its own.
MAX_EXTENSION = 4  # Characters of a name's ending.

log = logging.getLogger("openintent.attachments")


@dataclass(frozen=True, slots=True)
class Preview:
    """An attachment: `kind` is image, text or nothing that is shown; `text` the beginning of one."""

    attachment: Attachment
    kind: str
    text: str = ""
    is_cut: bool = False

    @property
    def sign(self) -> str:
        """The ending of its name, which says more than a picture of a sheet would; empty for a long one, or none."""
        _, point, ending = self.attachment.filename.rpartition(".")
        return ending if point and len(ending) <= MAX_EXTENSION and ending.isalnum() else ""

    @property
    def is_on_the_web(self) -> bool:
        return (self.attachment.storage_url or "").startswith(("https://", "http://"))


def make_preview(attachment: Attachment, *, most: int = 0) -> Preview:
    """With up to `most` bytes of a text. Without them it is not looked at, and nothing of a text is shown."""
    kind = preview_kind(attachment)
    if kind != "text":
        return Preview(attachment, kind)
    try:
        text = _beginning(str(attachment.sha256), most) if most else ""
    except OSError:  # Gone, or out of reach: the page of the file tells which.
        text = ""
    return Preview(attachment, kind if text else "", text, is_cut=attachment.size > most)


def preview_kind(attachment: Attachment) -> str:
    """By what it says it is. Browsers are told not to guess, and what is no image then stays undrawn."""
    media_type = attachment.content_type.partition(";")[0].strip().lower()
    if attachment.storage_url:
        return ""
    if media_type in IMAGES:
        return "image"
    is_text = media_type in TEXTS or (media_type.startswith("text/") and media_type not in EXCLUDED_TEXTS)
    return "text" if is_text else ""


def storage_state(attachment: Attachment) -> str:
    """Of its bytes: `elsewhere`; or `here`, `gone` from our storage, or `away`, where that does not answer."""
    if attachment.blob_id is None:
        return "elsewhere"
    try:
        return "here" if blob_store.exists(attachment.blob_id) else "gone"
    except OSError as error:
        log.warning("no bytes can be looked at: %s", error)
        return "away"


def filter_by_kind(kind: str) -> Q:
    """The attachments that say they are images or texts, are of other types, or are kept elsewhere."""
    images = Q(content_type__istartswith="image/")
    texts = Q(content_type__istartswith="text/")
    for media_type in sorted(TEXTS):
        texts |= Q(content_type__istartswith=media_type)
    return {"image": images, "text": texts, "other": ~images & ~texts, "elsewhere": Q(storage_url__isnull=False)}[kind]


@lru_cache(maxsize=128)
def _beginning(digest: str, most: int) -> str:
    """Of the bytes with this digest, which never change. Storage may be far away, and a live page asks again and again.

    A character that is cut in two is left out. Raises OSError, FileNotFoundError if they are gone.
    """
    with closing(blob_store.open_range(digest, 0, most)) as stretch:
        data = b"".join(stretch)
    text = getincrementaldecoder("utf-8")("replace").decode(data, final=len(data) < most)
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")
