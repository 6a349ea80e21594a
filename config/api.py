"""The edge of the API: bodies in, answers out (protocol §1)."""

import re
from difflib import get_close_matches
from functools import cache
from itertools import islice
from typing import Any, ClassVar

from rest_framework import serializers, viewsets
from rest_framework.exceptions import ErrorDetail
from rest_framework.fields import SkipField, empty
from rest_framework.request import Request
from rest_framework.response import Response

from access.callers import Actor, caller_of
from config import idempotency
from config.errors import MAX_FIELD, Invalid, ProtocolError
from config.formats import JSONRenderer

_RENDERER = JSONRenderer()
WRITES = ("POST", "PUT", "PATCH", "DELETE")
MAX_UNKNOWN = 20
"""How many unknown fields or parameters of a request are named."""


class VersionRequired(ProtocolError):
    """This write needs the version that it is based on, so that nobody's change is lost. Send it as `If-Match`, as the `ETag` of your last read had it."""

    code, title, status = "version_required", "Version required", 428


class ApiViewSet(viewsets.ViewSet):
    """A view that answers an Idempotency-Key; `role` is the least that a caller needs (default: by method)."""

    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    role: ClassVar[Any] = None
    tags: ClassVar[list[str]] = []
    secret_fields: ClassVar[tuple[str, ...]] = ()
    """Members of an answer that are not kept for whoever repeats an Idempotency-Key."""

    @property
    def default_response_headers(self) -> dict[str, str]:
        return {}  # DRF would list the methods on every answer; a 405 lists them (config.problems).

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        request.accepted_renderer, request.accepted_media_type = _RENDERER, _RENDERER.media_type
        self.perform_authentication(request)
        self.check_permissions(request)
        if "HTTP_X_AGENT_ID" in request.META:
            actor_of(request)  # Whatever is asked, a key that is bound to an agent cannot pass for another.
        if request.method in WRITES and hasattr(self, request.method.lower()):
            check_parameters(request, [])
        if request.method == "POST" and "HTTP_IDEMPOTENCY_KEY" in request.META:
            self.post: idempotency.Handler = idempotency.once(self.post, secret_fields=self.secret_fields)


class Body(serializers.Serializer[Any]):
    """A request's body: unknown fields are refused, `aliases` are other names of fields."""

    aliases: ClassVar[dict[str, str]] = {}
    json_schema: ClassVar[dict[str, Any]] = {}
    """What OpenAPI should say of the fields together (config.schema)."""
    shorthand: ClassVar[dict[str, Any] | None] = None
    """The schema of what may stand for the object, if something may."""

    default_error_messages = {"null": "must be an object", "not_an_object": "must be an object"}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.fail("not_an_object")
        errors: dict[str, Any] = {}
        if any(name in data for name in self.aliases):
            data = self._without_aliases(data, errors)
        values = {}
        for name, field, validate in self._plan:
            try:
                value = field.run_validation(data.get(name, empty))
                values[name] = validate(value) if validate else value
            except SkipField:
                continue
            except serializers.ValidationError as error:
                errors[name] = error.detail
        errors.update(self._unknown(data))
        if errors:
            raise serializers.ValidationError(errors)
        return values

    @property
    def _plan(self) -> list[tuple[str, serializers.Field[Any, Any, Any, Any], Any]]:
        plan = self.__dict__.get("_made_plan")
        if plan is None:  # DRF walks its fields anew for every body; ours never change.
            plan = [(name, field, getattr(self, f"validate_{name}", None)) for name, field in self.fields.items()]
            self.__dict__["_made_plan"] = plan
        return plan

    def _without_aliases(self, data: dict[str, Any], errors: dict[str, Any]) -> dict[str, Any]:
        plain = {name: value for name, value in data.items() if name not in self.aliases}
        for alias, name in self.aliases.items():
            if alias in data and plain.setdefault(name, data[alias]) != data[alias]:
                errors[alias] = [ErrorDetail(f"is another name of {name}, and says something else", "alias_differs")]
        return plain

    def _unknown(self, data: dict[str, Any]) -> dict[str, Any]:
        fields = self.fields
        count = len(data) - sum(name in data for name, *_ in self._plan)
        if not count:
            return {}
        known, unknown = [*fields, *self.aliases], (name for name in data if name not in fields)
        errors: dict[str, Any] = {name: [_unknown_message(name, known)] for name in islice(unknown, MAX_UNKNOWN)}
        if count > MAX_UNKNOWN:
            errors["non_field_errors"] = [ErrorDetail(f"has {count - MAX_UNKNOWN} more unknown fields", "unknown_field")]
        return errors


def _unknown_message(name: str, known: list[str]) -> ErrorDetail:
    near = get_close_matches(name[:MAX_FIELD], known, n=1, cutoff=0.65)
    hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(known)) or 'none'}"
    return ErrorDetail(f"unknown field; {hint}", "unknown_field")


@cache
def _shared(body: type[Body]) -> Body:
    return body()


def parse(body: type[Body], request: Request) -> dict[str, Any]:
    """The validated body. Raises ValidationError with every field that is wrong."""
    return parse_values(body, request.data)


def parse_values(body: type[Body], data: Any) -> dict[str, Any]:
    """The same of what is, or was made, a body. Raises ValidationError."""
    # A serializer keeps nothing of what it validates: one serves all requests.
    return _shared(body).run_validation(data)


def check_parameters(request: Request, known: list[str]) -> None:
    """Refuse a query parameter that nobody reads: a misspelt filter must not answer everything. Raises Invalid."""
    unknown = request.query_params.keys() - set(known)
    if not unknown:
        return
    errors = [
        {"field": name, "message": str(_unknown_message(name, known)).replace("field", "parameter"), "code": "unknown_parameter"}
        for name in islice(unknown, MAX_UNKNOWN)
    ]
    if len(unknown) > MAX_UNKNOWN:
        message = f"{len(unknown) - MAX_UNKNOWN} more parameters are unknown"
        errors.append({"field": "", "message": message, "code": "unknown_parameter"})
    raise Invalid.all(errors)


def actor_of(request: Request, named: str | None = None) -> Actor:
    """Who does this (protocol §1.1); `named` is whom the body names."""
    header = request.META.get("HTTP_X_AGENT_ID", "").encode("latin-1")  # WSGI's way to hand over bytes.
    try:
        agent = header.decode().strip(" \t") or None
    except UnicodeDecodeError:
        raise Invalid.field("X-Agent-ID", "must be ASCII or UTF-8") from None
    return caller_of(request).actor(header=agent, named=named, fencing_token=_fencing_token(request))


def _fencing_token(request: Request) -> int | None:
    given = request.META.get("HTTP_X_FENCING_TOKEN")
    if given is None:
        return None
    if not (match := _TOKEN.fullmatch(given.strip())):
        raise Invalid.field("X-Fencing-Token", f"{given[:60]!r} is not a token. Send the lease's fencing_token")
    return int(match[0])


_TOKEN = re.compile(r"[1-9]\d{0,17}", re.ASCII)
_VERSION = re.compile(r'([1-9]\d{0,17})|(?:W/)?"([1-9]\d{0,17})(?:(?:--?|;|:)[a-z]{1,10})?"', re.ASCII)
"""`3`, `"3"`, and what proxies that compress make of the ETag on its way: `W/"3"` (nginx), `"3-gzip"` (Apache), `"3;gzip"`."""


def expected_version(request: Request) -> int:
    """The version of `If-Match: 3` or `If-Match: "3"`. Raises VersionRequired, Invalid."""
    given = request.META.get("HTTP_IF_MATCH", "").strip()
    if not given:
        raise VersionRequired("Send the version that you read, as If-Match.")
    if not (match := _VERSION.fullmatch(given)):
        raise Invalid.field("If-Match", f'{given[:60]!r} is not a version. Send one, for example: If-Match: "3"')
    return int(match[1] or match[2])


def optional_version(request: Request) -> int | None:
    """Return the version of `If-Match` where one is sent. Raises Invalid."""
    if "HTTP_IF_MATCH" not in request.META:
        return None
    if not request.META["HTTP_IF_MATCH"].strip():
        raise Invalid.field("If-Match", "is empty. Send the version that the write builds on, or leave the header out")
    return expected_version(request)


def versioned(body: dict[str, Any], *, status: int = 200, location: str | None = None) -> Response:
    """An answer that carries the version of its resource."""
    headers = {"ETag": f'"{body["version"]}"'}
    if location:
        headers["Location"] = location
    return Response(body, status=status, headers=headers)
