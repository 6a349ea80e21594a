"""What OpenAPI says of bytes."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

from attachments.serializers import AddAttachment, AttachFile

FILE: Any = {"application/json": AddAttachment, "multipart/form-data": AttachFile}

_HEADERS = [
    OpenApiParameter(
        "Range", str, OpenApiParameter.HEADER, description="One range of bytes, as `bytes=0-99`, `bytes=100-` or `bytes=-5`."
    ),
    OpenApiParameter(
        "If-Range", str, OpenApiParameter.HEADER, description="An ETag: the range counts only if it is still that one."
    ),
    OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER, description="ETags: 304 if it is one of them."),
]


def download_schema(operation_id: str, summary: str) -> Any:
    return extend_schema(
        operation_id=operation_id,
        summary=summary,
        parameters=_HEADERS,
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,  # For generators of clients, which know no */*.
            (200, "*/*"): OpenApiTypes.BINARY,
            (206, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY, "The range that was asked for."),
            (206, "*/*"): OpenApiResponse(OpenApiTypes.BINARY, "The range that was asked for."),
            304: OpenApiResponse(None, "The caller has it already."),
        },
    )
