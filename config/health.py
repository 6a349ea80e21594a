"""Whether the process lives, and whether it can work (protocol §1)."""

import logging

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse

from core.api.exception_handler import require_safe
from core.version import installed_version
from intents import triggers

log = logging.getLogger("openintent.health")


@require_safe
def live(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok", "version": installed_version()})


@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """200 where everything answers, else 503; `checks` says what does not."""
    checks = {"database": _database(), "migrations": "unknown", "log_guard": "unknown"}
    if checks["database"] == "ok":
        checks |= {"migrations": _migrations(), "log_guard": "missing" if triggers.check() else "ok"}
    fine = set(checks.values()) == {"ok"}
    status = 200 if fine else 503
    return JsonResponse({"status": "ok" if fine else "unavailable", "checks": checks}, status=status)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        log.warning("the database does not answer", exc_info=True)
        return "unreachable"
    return "ok"


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    return "pending" if executor.migration_plan(executor.loader.graph.leaf_nodes()) else "ok"
