"""Forms whose values the API's own serializer checks, so that a page accepts what a request does, and no more."""

from typing import Any, ClassVar

from rest_framework.exceptions import ValidationError

from console.actions import ActionForm
from core.api.serializers import StrictSerializer, validate_data
from core.errors import ProtocolError


class ApiForm(ActionForm):
    """A form of the request body `serializer`. Its values are those of the validated body, as a verb takes them."""

    serializer: ClassVar[type[StrictSerializer]]
    fields_of: ClassVar[dict[str, str]] = {}
    """Fields of the form by members of the body, where they have other names."""

    def body(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        """Return the request body that the form says: by default, its values by their names."""
        return cleaned

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        try:
            return validate_data(self.serializer, self.body(cleaned))
        except ValidationError as refused:
            for name, problem in _problems(refused.detail):
                self._add(name, problem)
            return cleaned

    def refuse(self, refusal: ProtocolError) -> None:
        """Show why a verb has refused the values, at their fields."""
        for each in refusal.extra.get("errors") or [{"field": "", "message": refusal.detail}]:
            self._add(each["field"], each["message"])

    def _add(self, name: str, problem: str) -> None:
        member = name.split(".", maxsplit=1)[0]
        field = self.fields_of.get(name) or self.fields_of.get(member, member)
        self.add_error(field if field in self.fields else None, f"{problem[:1].upper()}{problem[1:].rstrip('.')}.")


def _problems(detail: Any, path: str = "") -> list[tuple[str, str]]:
    """Return the first problem of each member, by its path."""
    if isinstance(detail, dict):
        return [found for name, each in detail.items() for found in _problems(each, f"{path}.{name}" if path else str(name))]
    if isinstance(detail, list):
        return [found for each in detail[:1] for found in _problems(each, path)]
    return [(path, str(detail))]
