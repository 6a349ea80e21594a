"""Health checks: liveness and readiness (protocol §1)."""

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
    """Return 200 if all checks pass, else 503; `checks` has the result of each."""
    checks = {"database": "ok", "migrations": "unknown", "log_guard": "unknown"}
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        log.warning("the database is unavailable", exc_info=True)
        checks["database"] = "unreachable"
    else:
        executor = MigrationExecutor(connection)
        is_pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
        checks |= {"migrations": "pending" if is_pending else "ok", "log_guard": "missing" if triggers.check() else "ok"}
    is_ready = set(checks.values()) == {"ok"}
    status = 200 if is_ready else 503
    return JsonResponse({"status": "ok" if is_ready else "unavailable", "checks": checks}, status=status)
