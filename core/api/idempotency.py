"""Idempotency keys (protocol §1 "Idempotency"): the response is stored in the transaction of the write itself."""

import hashlib
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

import orjson
from django.db import transaction
from django.utils import timezone
from rest_framework.request import Request

from core import strict_json
from core.api.responses import Response
from core.db import acquire_advisory_lock
from core.errors import Invalid, KeyReused, RequestInProgress
from core.models import IdempotentResponse

KEPT_FOR = timedelta(hours=24)
_STORED_HEADERS = ("ETag", "Location")
_KEY = re.compile(r"[ -~]{1,255}")

Handler = Callable[..., Response]


def idempotent(handler: Handler, *, secret_fields: tuple[str, ...] = ()) -> Handler:
    """Decorator of a handler: run it once per caller and Idempotency-Key; repetitions get the stored response.

    Only success is stored: an error wrote nothing, and the same request may succeed later.
    Raise KeyReused if the body differs, RequestInProgress while the first request runs.
    """

    def handle(request: Request, *args: Any, **kwargs: Any) -> Response:
        key: str = request.META["HTTP_IDEMPOTENCY_KEY"]
        if not _KEY.fullmatch(key):
            raise Invalid.field("Idempotency-Key", "must have 1 to 255 printable ASCII characters")
        caller = f"{cast(Any, request.user).key_id}/{request.META.get('HTTP_X_AGENT_ID', '')}"[:300]
        fingerprint = _fingerprint(request)
        with transaction.atomic():
            if not acquire_advisory_lock(f"{caller}/{key}", wait=False):
                raise RequestInProgress("A request with this Idempotency-Key is still running.")
            if stored := IdempotentResponse.objects.filter(key=key, caller=caller).first():
                if stored.created_at >= timezone.now() - KEPT_FOR:
                    return _replay(stored, fingerprint)
                stored.delete()
            response = handler(request, *args, **kwargs)
            _store(key, caller, fingerprint, response, secret_fields)
        return response

    return handle


def delete_expired_responses() -> int:
    """Delete stored responses older than a day. Return their number."""
    return IdempotentResponse.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()[0]


def _fingerprint(request: Request) -> str:
    """Return a digest of the request: method, URL, If-Match and body.

    A form is digested file by file, in chunks: its text has another boundary each time that it is sent.
    """
    meta = request.META
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()} {meta.get('HTTP_IF_MATCH', '')}\n".encode())
    if not request.content_type.startswith("multipart/"):
        digest.update(request._request.body)
        return digest.hexdigest()
    for name, values in sorted(cast(Any, request.data).lists()):
        for value in values:
            is_file = hasattr(value, "chunks")
            digest.update(strict_json.dumps([name, value.name, value.content_type, value.size] if is_file else [name, value]))
            for chunk in value.chunks() if is_file else ():
                digest.update(chunk)
    return digest.hexdigest()


def _replay(stored: IdempotentResponse, fingerprint: str) -> Response:
    if stored.fingerprint != fingerprint:
        raise KeyReused("This Idempotency-Key was used for another request.")
    headers = {**orjson.loads(stored.headers), "Idempotency-Replayed": "true"}
    return Response(orjson.Fragment(stored.body) if stored.body else None, status=stored.status, headers=headers)


def _store(key: str, caller: str, fingerprint: str, response: Response, secret_fields: tuple[str, ...]) -> None:
    data = response.data
    if secret_fields:
        data = {**data, **dict.fromkeys(data.keys() & secret_fields)}
    IdempotentResponse.objects.create(
        key=key,
        caller=caller,
        fingerprint=fingerprint,
        status=response.status_code,
        headers=strict_json.text({name: response[name] for name in _STORED_HEADERS if name in response}),
        body="" if data is None else strict_json.text(data),
        created_at=timezone.now(),
    )
