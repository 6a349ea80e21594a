"""Multipart uploads: a form with a file as the values of the equivalent JSON body."""

from contextlib import suppress
from typing import Any

from core import strict_json
from core.errors import Invalid


def form_values(form: Any) -> dict[str, Any]:
    """Return the fields of the form. Raise Invalid for a repeated field, or metadata that is not JSON."""
    values = {}
    for name, given in form.lists():
        if len(given) > 1:
            raise Invalid.field(name, "is given more than once")
        value = given[0]
        if name == "size":
            with suppress(ValueError):
                value = int(value)
        elif name == "metadata" and isinstance(value, str):
            try:
                value = strict_json.loads(value.encode())
            except strict_json.StrictJSONError as error:
                raise Invalid.field(name, str(error).replace("The body", "The text"), error.code) from None
        values[name] = value
    file = values.get("file")
    if file is not None and not isinstance(file, str):
        values.setdefault("filename", file.name)
        if file.content_type and "mime_type" not in values:
            values.setdefault("content_type", file.content_type)
    return values
