"""Request bodies of attachments (protocol §3)."""

import binascii
from functools import partial
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from drf_spectacular.utils import PolymorphicProxySerializer
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.fields import empty

from attachments.blob_store import Upload
from attachments.models import MAX_CONTENT_TYPE, MAX_FILENAME, MAX_URL
from core import strict_json
from core.api.fields import JSONObjectField, StrictCharField, StrictIntegerField
from core.api.serializers import StrictSerializer
from core.errors import TooLarge

MAX_DESCRIPTION = 10_000
DEFAULT_TYPE = "application/octet-stream"

FILENAME = r"\A[^\x00-\x1f\x7f-\x9f]+\Z"
_TOKEN = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
CONTENT_TYPE = rf'\A{_TOKEN}/{_TOKEN}( ?; ?{_TOKEN}=({_TOKEN}|"[ !#-\[\]-~]*"))*\Z'
URL = r"\A(https?|s3|gs)://[A-Za-z0-9._~%:\[\]-]+([/?#][!-~]*)?\Z"
SHA256 = r"\A[0-9a-f]{64}\Z"
BASE64 = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"


class Bytes(StrictCharField):
    """Bytes of a file as base64 (RFC 4648 §4): the standard alphabet, padded, and nothing else."""

    json_schema = {"contentEncoding": "base64", "pattern": BASE64}

    def run_validation(self, data: Any = empty) -> Any:
        """Validate without the checks of a CharField, which take seconds for a large file."""
        self.validate_empty_values(data)
        return self.to_internal_value(data)

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid")
        if len(data) > -(-settings.MAX_ATTACHMENT // 3) * 4:
            raise too_large()
        try:
            content = binascii.a2b_base64(data, strict_mode=True)
        except ValueError as error:
            raise serializers.ValidationError(f"is not valid base64: {error}", "not_base64") from None
        padding = 2 if data.endswith("==") else int(data.endswith("="))
        if len(content) != len(data) / 4 * 3 - padding:  # Python 3.11 accepts additional padding.
            raise serializers.ValidationError("is not valid base64: wrong padding", "not_base64")
        return ContentFile(content)


class Metadata(JSONObjectField):
    def to_internal_value(self, data: Any) -> dict[str, Any]:
        values = super().to_internal_value(data)
        if not strict_json.fits(values, settings.MAX_EVENT_PAYLOAD):
            raise TooLarge("The metadata of an attachment is too large.", limit=settings.MAX_EVENT_PAYLOAD)
        return values


class AttachmentFields(StrictSerializer):
    """Fields of every attachment."""

    aliases = {"mime_type": "content_type"}

    content_type = StrictCharField(
        max_length=MAX_CONTENT_TYPE,
        pattern=CONTENT_TYPE,
        pattern_message="must be a media type like application/pdf",
        default=DEFAULT_TYPE,
    )
    description = StrictCharField(max_length=MAX_DESCRIPTION, required=False, allow_null=True, allow_blank=True)
    metadata = Metadata(required=False)
    sha256 = StrictCharField(
        max_length=64,
        pattern=SHA256,
        pattern_message="must be 64 hexadecimal digits, in lower case",
        required=False,
        help_text="SHA-256 of the bytes.",
    )


Filename = partial(
    StrictCharField, max_length=MAX_FILENAME, pattern=FILENAME, pattern_message="cannot contain control characters"
)
"""A filename, which is data and never a path (rule T-2)."""


Size = partial(StrictIntegerField, min_value=0, max_value=strict_json.MAX_INTEGER)
"""A size in bytes."""


class AttachReference(AttachmentFields):
    """A file that is stored elsewhere."""

    filename = Filename()
    storage_url = StrictCharField(
        max_length=MAX_URL,
        pattern=URL,
        pattern_message="must be an http, https, s3 or gs URL, in ASCII and without a user name or password",
    )
    size = Size()


class UploadFields(AttachmentFields):
    """An attachment with bytes. `size` and `sha256`, if given, are checked against them."""

    bytes_field = ""

    size = Size(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Replace the bytes, `size` and `sha256` by the Upload `content`."""
        file = attrs.pop(self.bytes_field)
        if file.size > settings.MAX_ATTACHMENT:
            raise too_large()
        content = Upload.from_file(file)
        for name, actual in (("size", content.size), ("sha256", content.sha256)):
            if attrs.pop(name, actual) != actual:
                raise serializers.ValidationError({name: [ErrorDetail(f"the received bytes have {actual}", f"{name}_differs")]})
        return {**attrs, "content": content}


class AttachBytes(UploadFields):
    """A file within the JSON."""

    bytes_field = "content_base64"
    example = {
        "filename": "quarterly_analysis.csv",
        "content_type": "text/csv",
        "content_base64": "cXVhcnRlcixhbW91bnQKUTQsMTIzNAo=",
        "description": "Q4 financial analysis report",
    }

    filename = Filename()
    content_base64 = Bytes(allow_blank=True)


class AttachFile(UploadFields):
    """A file in a form. Its name and type default to those of the part."""

    bytes_field = "file"

    file = serializers.FileField(allow_empty_file=True)
    filename = Filename(required=False)
    description = StrictCharField(max_length=MAX_DESCRIPTION, required=False, allow_blank=True)


AddAttachment = PolymorphicProxySerializer(
    component_name="AddAttachment", serializers=[AttachBytes, AttachReference], resource_type_field_name=None
)


def too_large() -> TooLarge:
    return TooLarge("The attachment is too large.", limit=settings.MAX_ATTACHMENT)
