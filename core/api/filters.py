"""Strict filters of lists (django-filter)."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, cast

import django_filters as filters
from django import forms
from django.db.models import Q, QuerySet
from django_filters.fields import BaseCSVField
from drf_spectacular.plumbing import build_parameter_type
from rest_framework.exceptions import ValidationError
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request

from core.api.fields import VISIBLE, StrictDateTimeField
from core.api.serializers import reject_unknown_parameters
from core.db import database_now
from core.db.full_text import MAX_SEARCH, FullTextIndex
from core.errors import Invalid
from core.ids import parse_id

MAX_COUNTER = 2**63 - 1
MAX_WORDS = 100
"""Limit of comma-separated values in one filter."""
WORD = r"[^\s,\x00-\x1f\x7f-\x9f]+"


class _IdField(forms.CharField):
    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if text and parse_id(text) is None:
            raise forms.ValidationError("must be an id (a UUID)")
        return text


class IdFilter(filters.Filter):
    json_schema = {"type": "string", "format": "uuid"}
    field_class = _IdField


class CounterFilter(filters.Filter):
    json_schema = {"type": "integer", "minimum": 0, "maximum": MAX_COUNTER}
    field_class = forms.IntegerField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        wrong = dict.fromkeys(("invalid", "min_value", "max_value"), f"must be a whole number from 0 to {MAX_COUNTER}")
        super().__init__(*args, min_value=0, max_value=MAX_COUNTER, error_messages=wrong, **kwargs)


class _DateTimeField(forms.CharField):
    """Form field with the rules of StrictDateTimeField."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        try:
            return StrictDateTimeField().run_validation(text) if text else None
        except ValidationError as error:
            raise forms.ValidationError(list(error.detail)) from None


class SinceFilter(filters.Filter):
    json_schema = {"type": "string", "format": "date-time"}
    field_class = _DateTimeField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, lookup_expr="gte", **kwargs)


class SearchFilter(filters.CharFilter):
    """Match words of a full-text index, and beginnings of ids."""

    json_schema = {"type": "string", "minLength": 1, "maxLength": MAX_SEARCH, "pattern": VISIBLE}

    def __init__(self, index: FullTextIndex, **kwargs: Any) -> None:
        self.index = index
        super().__init__(max_length=MAX_SEARCH, error_messages={"max_length": f"has more than {MAX_SEARCH} characters"}, **kwargs)

    def filter(self, qs: QuerySet[Any], value: str | None) -> QuerySet[Any]:
        return self.index.search(qs, value) if value else qs


class _ValueField(forms.CharField):
    def to_python(self, value: Any) -> Any:
        word = value.strip(" ")
        if not re.fullmatch(WORD, word):
            raise forms.ValidationError("must be one or more values, separated by commas")
        return word


class _BoundedCSVField(BaseCSVField):
    def clean(self, value: Any) -> Any:
        if value is not None:
            _require_within_limit(value)
        return super().clean(value)


def _require_within_limit(words: list[str]) -> list[str]:
    if len(words) > MAX_WORDS:
        raise forms.ValidationError(f"has more than {MAX_WORDS} entries")
    return words


class CommaSeparatedFilter(filters.BaseInFilter, filters.CharFilter):
    """Match any of several comma-separated values."""

    base_field_class = _BoundedCSVField
    json_schema = {"type": "array", "minItems": 1, "maxItems": MAX_WORDS, "items": {"type": "string", "pattern": f"^ *{WORD} *$"}}
    field_class = _ValueField

    @classmethod
    def split(cls, text: str) -> list[str]:
        """Return the values of a parameter that filters no queryset. Raise django.forms.ValidationError if one is invalid."""
        return [_ValueField().to_python(word) for word in _require_within_limit(text.split(","))]


class CommaSeparatedChoiceFilter(filters.BaseInFilter, filters.ChoiceFilter):
    """Match any of several comma-separated known values."""

    base_field_class = _BoundedCSVField

    def __init__(self, words: Sequence[str], *args: Any, **kwargs: Any) -> None:
        self.json_schema = {
            "type": "array",
            "minItems": 1,
            "maxItems": MAX_WORDS,
            "items": {"type": "string", "enum": list(words)},
        }
        wrong = {"invalid_choice": f"must be one or more of {', '.join(words)}, separated by commas"}
        kwargs.setdefault("lookup_expr", "in")
        super().__init__(*args, choices=[(word, word) for word in words], error_messages=wrong, **kwargs)


class StatusFilter(CommaSeparatedChoiceFilter):
    """Match statuses as of now: rows past their end count as expired. `as_of` returns the condition of a status."""

    def __init__(self, words: Sequence[str], as_of: Callable[[str, datetime], Q]) -> None:
        self.as_of = as_of
        super().__init__(words, help_text="As of now: rows past their end are expired.")

    def filter(self, qs: QuerySet[Any], value: list[str] | None) -> QuerySet[Any]:
        if not value:
            return qs
        now, wanted = database_now(), Q(pk__in=[])
        for status in value:
            wanted |= self.as_of(status, now)
        return qs.filter(wanted)


class StrictFilterBackend(BaseFilterBackend):
    """Filter backend of a view's `filterset_class` that refuses unknown parameters: a misspelt one must not return everything."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        """Return the queryset filtered by the query parameters. Raise Invalid if one is invalid or unknown."""
        known = self._filters(view)
        reject_unknown_parameters(request, [*known, *view.paginator.parameter_schemas(view)])
        given = request.query_params.keys() & known.keys()
        if not given:  # Building the form takes longer than the query.
            return queryset
        for name in given:
            if not re.search(VISIBLE, request.query_params[name]):  # An empty variable in a script would return everything.
                raise Invalid.field(name, "cannot be empty; leave it out instead")
            if "\0" in request.query_params[name]:
                raise Invalid.field(name, "cannot contain the NUL character", "nul_character")
        found = view.filterset_class(request.query_params, queryset=queryset, request=request)
        if not found.is_valid():
            raise Invalid.all(
                {"field": name, "message": str(message), "code": "invalid"}
                for name, messages in found.errors.items()
                for message in messages
            )
        return cast("QuerySet[Any]", found.qs)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [self._describe(name, each) for name, each in self._filters(view).items()]

    def _filters(self, view: Any) -> dict[str, filters.Filter]:
        return view.filterset_class.base_filters if view.filterset_class else {}

    def _describe(self, name: str, each: filters.Filter) -> dict[str, Any]:
        """Return the parameter of a filter. Several values are separated by commas, so arrays are not exploded."""
        schema = getattr(each, "json_schema", {"type": "string", "minLength": 1, "pattern": VISIBLE})
        explode = False if schema.get("type") == "array" else None
        return build_parameter_type(name, schema, "query", description=str(each.extra.get("help_text", "")), explode=explode)
