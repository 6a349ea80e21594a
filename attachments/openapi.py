"""OpenAPI schemas of uploads and downloads."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from attachments.serializers import AddAttachment, AttachFile

FILE: Any = {"application/json": AddAttachment, "multipart/form-data": AttachFile}

_HEADERS = [
    OpenApiParameter(
        "Range", str, OpenApiParameter.HEADER, description="One range of bytes, as `bytes=0-99`, `bytes=100-` or `bytes=-5`."
    ),
    OpenApiParameter("If-Range", str, OpenApiParameter.HEADER, description="An ETag: without a match the range is ignored."),
    OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER, description="ETags: 304 if one of them matches."),
]


DOWNLOAD: dict[str, Any] = {
    "parameters": _HEADERS,
    "responses": {
        (200, "application/octet-stream"): OpenApiTypes.BINARY,  # For client generators that do not support */*.
        (200, "*/*"): OpenApiTypes.BINARY,
        (206, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY, "The requested range."),
        (206, "*/*"): OpenApiResponse(OpenApiTypes.BINARY, "The requested range."),
        304: OpenApiResponse(None, "The content has not changed."),
    },
}
