"""Fields of forms that write: JSON, instants, one value on each line, and intents and portfolios as people name them."""

import re
from typing import Any

import orjson
from django import forms
from django.db.models import QuerySet
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from console.actions import INPUT
from core import strict_json
from core.db.full_text import id_range
from core.ids import parse_id
from intents.models import Intent
from portfolios.models import Portfolio, Status

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_TEXT = {**INPUT, "autocomplete": "off"}
MAX_LINES = 1_000
MAX_TITLES = 20  # Lines that are looked up by title, which has no index.
PROPOSED = 50  # Newest objects, whose names a field proposes.
MAX_NAME = 2_000  # Characters of a line that names an object.


class JSONText(forms.CharField):
    """A JSON object. None if it is empty."""

    def __init__(self, *, example: str, rows: int = 4, **options: Any) -> None:
        widget = forms.Textarea(attrs={**INPUT, "rows": rows, "spellcheck": "false", "class": "oi-input oi-json"})
        super().__init__(**{"required": False, "widget": widget, "help_text": f"JSON, such as {example}.", **options})
        self.example = example

    @staticmethod
    def dump(value: Any) -> str:
        """Return the value as the field shows it."""
        return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()

    def clean(self, value: Any) -> Any:
        given = super().clean(value)
        if not given:
            return None
        try:
            found = strict_json.loads(given.encode())
        except ValueError as error:
            reason = str(error).removeprefix("The body is not JSON: ")
            raise forms.ValidationError(f"Enter JSON, such as {self.example}. {capfirst(reason)}") from None
        if not isinstance(found, dict):
            raise forms.ValidationError(f"Enter a JSON object, such as {self.example}.")
        return found


class InstantField(forms.DateTimeField):
    """An instant in the reader's time zone, as the text that the API takes. None if it is empty."""

    def __init__(self, **options: Any) -> None:
        widget = forms.DateTimeInput(attrs={**INPUT, "type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        super().__init__(**{"required": False, "widget": widget, **options})

    def clean(self, value: Any) -> Any:
        found = super().clean(value)
        return found.isoformat() if found else None


class LinesField(forms.CharField):
    """A list of texts, one on each line."""

    def __init__(self, *, rows: int = 3, **options: Any) -> None:
        super().__init__(**{"required": False, "widget": forms.Textarea(attrs={**INPUT, "rows": rows}), **options})

    def clean(self, value: Any) -> Any:
        lines = [line.strip() for line in super().clean(value).splitlines() if line.strip()]
        if len(lines) > MAX_LINES:
            raise forms.ValidationError(f"Enter at most {MAX_LINES} lines.")
        return lines


class _Named:
    """Objects as people name them: by the ID or its beginning, by the address of the page, or by the exact title."""

    def __init__(self, noun: str, objects: QuerySet[Any], title: str, proposed: QuerySet[Any] | None = None) -> None:
        """`proposed` are the objects whose names fields propose, if not all."""
        self.noun, self._objects, self._title = noun, objects, title
        self._proposed = objects if proposed is None else proposed

    def find(self, given: str) -> str:
        """Return the id as text. Raise ValidationError unless exactly one object is named so."""
        if len(given) > MAX_NAME:
            raise forms.ValidationError(f"Enter the ID or the exact title of one {self.noun}.")
        ids = _UUID.findall(given)
        if ids and parse_id(ids[-1]):
            return ids[-1].lower()  # Whether it exists is for the verb to say.
        every = self._objects.order_by().values_list("pk", flat=True)
        beginning = id_range(given)
        found = [*every.filter(pk__range=beginning)[:2]] if beginning else []
        found = found or [*every.filter(**{self._title: given})[:2]]
        if not found:
            raise forms.ValidationError(f"No {self.noun} has the ID or the title “{given[:60]}”.")
        if len(found) > 1:
            raise forms.ValidationError(f"More than one {self.noun} is named “{given[:60]}”. Enter its ID.")
        return str(found[0])

    def newest(self) -> list[str]:
        """Return the titles that a field proposes."""
        return [*dict.fromkeys(self._proposed.order_by("-pk").values_list(self._title, flat=True)[:PROPOSED])]


INTENT = _Named("intent", Intent.objects.all(), "title")
PORTFOLIO = _Named("portfolio", Portfolio.objects.all(), "name")
ACTIVE_PORTFOLIO = _Named("portfolio", Portfolio.objects.all(), "name", Portfolio.objects.filter(status=Status.ACTIVE))
HOW = "Its ID, the address of its page, or its exact title."


class NamedInput(forms.TextInput):
    """A text field that proposes the names of the newest objects."""

    def __init__(self, named: _Named) -> None:
        super().__init__(attrs=_TEXT)
        self.named = named

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        proposed = f"oi-{name}-proposed"
        field = super().render(name, value, {**(attrs or {}), "list": proposed}, renderer)
        options = format_html_join("", '<option value="{}"></option>', ((each,) for each in self.named.newest()))
        return format_html('{}<datalist id="{}">{}</datalist>', field, proposed, options)


class NamedField(forms.CharField):
    """One intent or portfolio: its id as text. None if it is empty."""

    def __init__(self, named: _Named = INTENT, **options: Any) -> None:
        super().__init__(**{"required": False, "widget": NamedInput(named), "help_text": HOW, **options})
        self.named = named

    def clean(self, value: Any) -> Any:
        given = super().clean(value)
        return self.named.find(given) if given else None


class NamedLinesField(LinesField):
    """Several intents or portfolios, one on each line: their ids as text."""

    def __init__(self, named: _Named = INTENT, **options: Any) -> None:
        help_text = f"One on each line: its ID, the address of its page, or its exact {named._title}."
        super().__init__(**{"help_text": help_text, **options})
        self.named = named

    def clean(self, value: Any) -> Any:
        lines = super().clean(value)
        if sum(not _UUID.search(line) for line in lines) > MAX_TITLES:
            raise forms.ValidationError(f"Enter IDs: at most {MAX_TITLES} lines can be titles.")
        return [*dict.fromkeys(map(self.named.find, lines))]
