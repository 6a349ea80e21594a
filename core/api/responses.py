"""Response of the API."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse

from core import strict_json


class Response(HttpResponse):
    """JSON response with `data`, in place of DRF's.

    DRF's waits for a renderer that is chosen by Accept; the API has one. Rendered at once, it is half as dear.
    """

    def __init__(
        self,
        data: Any = None,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> None:
        self.data = data
        body = b"" if data is None else strict_json.dumps(data)
        super().__init__(body, status=status, headers=headers, content_type=content_type)
