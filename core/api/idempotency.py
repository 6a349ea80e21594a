"""POSTs that may be sent again (protocol §1 "Idempotency"): the answer is kept in the transaction of the write itself."""

import hashlib
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

import orjson
from django.db import IntegrityError, transaction
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from core import strict_json
from core.db import acquire_advisory_lock
from core.errors import Invalid, KeyReused, RequestInProgress
from core.models import IdempotentResponse

KEPT_FOR = timedelta(hours=24)
_KEPT_HEADERS = ("ETag", "Location")
_KEY = re.compile(r"[ -~]{1,255}")

Handler = Callable[..., Response]


def idempotent(handler: Handler, *, secret_fields: tuple[str, ...] = ()) -> Handler:
    """The handler, run at most once for an Idempotency-Key of a caller; later calls get the first answer.

    Only success is kept: a refusal wrote nothing, and the same request may well succeed later.
    Raises KeyReused for another body, RequestInProgress while the first call runs.
    """

    def handle(request: Request, *args: Any, **kwargs: Any) -> Response:
        key = _key(request)
        caller = f"{cast(Any, request.user).key_id}/{request.META.get('HTTP_X_AGENT_ID', '')}"[:300]
        fingerprint = _fingerprint(request)
        with transaction.atomic():
            if not acquire_advisory_lock(f"{caller}/{key}", wait=False):
                raise RequestInProgress("A request with this Idempotency-Key is still running.")
            if kept := _find(key, caller):
                return _replay(kept, fingerprint)
            response = handler(request, *args, **kwargs)
            _keep(key, caller, fingerprint, response, secret_fields)
        return response

    return handle


def delete_expired_responses() -> int:
    """Delete the answers that are older than a day. Answers how many."""
    return IdempotentResponse.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()[0]


def _key(request: Request) -> str:
    key: str = request.META["HTTP_IDEMPOTENCY_KEY"]
    if not _KEY.fullmatch(key):
        raise Invalid.field("Idempotency-Key", "must have 1 to 255 printable ASCII characters")
    return key


def _fingerprint(request: Request) -> str:
    """A digest of what was asked: method, address, the version it builds on, and body."""
    meta = request.META
    asked = f"{request.method} {request.get_full_path()} {meta.get('HTTP_IF_MATCH', '')}\n".encode()
    if request.content_type.startswith("multipart/"):
        return _form_fingerprint(asked, request.data)
    return hashlib.sha256(asked + request._request.body).hexdigest()


def _form_fingerprint(asked: bytes, form: Any) -> str:
    """Of what the form says, file by file and in chunks: its text has another boundary each time that it is sent."""
    digest = hashlib.sha256(asked)
    for name, values in sorted(form.lists()):
        for value in values:
            is_file = hasattr(value, "chunks")
            about = [name, value.name, value.content_type, value.size] if is_file else [name, value]
            digest.update(strict_json.dumps(about))
            for chunk in value.chunks() if is_file else ():
                digest.update(chunk)
    return digest.hexdigest()


def _find(key: str, caller: str) -> IdempotentResponse | None:
    kept = IdempotentResponse.objects.filter(key=key, caller=caller).first()
    if kept and kept.created_at < timezone.now() - KEPT_FOR:
        kept.delete()
        return None
    return kept


def _replay(kept: IdempotentResponse, fingerprint: str) -> Response:
    if kept.fingerprint != fingerprint:
        raise KeyReused("This Idempotency-Key was used for another request.")
    headers = {**orjson.loads(kept.headers), "Idempotency-Replayed": "true"}
    return Response(orjson.Fragment(kept.body) if kept.body else None, status=kept.status, headers=headers)


def _keep(key: str, caller: str, fingerprint: str, response: Response, secret_fields: tuple[str, ...]) -> None:
    data = response.data
    if secret_fields:
        data = {**data, **dict.fromkeys(secret_fields)}
    try:
        IdempotentResponse.objects.create(
            key=key,
            caller=caller,
            fingerprint=fingerprint,
            status=response.status_code,
            headers=strict_json.text({name: response[name] for name in _KEPT_HEADERS if name in response}),
            body="" if data is None else strict_json.text(data),
            created_at=timezone.now(),
        )
    except IntegrityError:  # Its like has committed between our look and now: a lock on a name that collided, at worst.
        raise RequestInProgress("A request with this Idempotency-Key was running at the same moment.") from None
