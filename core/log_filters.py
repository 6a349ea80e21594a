"""Log filter for terminals."""

import logging
from typing import Any

from django.conf import settings

ROUTINE = ("/static/", "/healthz", "/readyz", "/favicon.ico")


class RoutineRequests(logging.Filter):
    """Leaves out what browsers and monitors ask for by themselves: static files, health, and updates of open pages. Failures stay."""

    def filter(self, record: logging.LogRecord) -> bool:
        fields: dict[str, Any] = getattr(record, "fields", {})
        if fields.get("method") != "GET" or fields["status"] >= 400:
            return True
        path: str = fields["path"].removeprefix(settings.ROOT_PATH)
        is_of_page = getattr(record, "destination", None) not in (None, "document") and not path.startswith("/api/")
        return not (is_of_page or path.startswith(ROUTINE))
