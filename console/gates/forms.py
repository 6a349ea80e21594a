"""Form to set a gate (rule A-12)."""

from typing import Any

from django import forms

from console.actions import INPUT
from console.api_form import ApiForm
from console.form_fields import JSONText, LinesField
from governance.models import VERB
from governance.operations import ALIASES, OPERATIONS
from governance.serializers import SetGate

_INPUT = {**INPUT, "autocomplete": "off"}


class GateForm(ApiForm):
    serializer = SetGate

    verb = forms.CharField(
        label="Operation",
        max_length=VERB,
        help_text="An operation of the API, such as set_status, or the verb of an act outside, such as payments.refund.",
        widget=forms.TextInput(attrs={**_INPUT, "list": "oi-operations"}),
    )
    intent_id = forms.CharField(
        label="Intent",
        required=False,
        help_text="The id of an intent, if it holds there alone.",
        widget=forms.TextInput(attrs=_INPUT),
    )
    portfolio_id = forms.CharField(
        label="Portfolio",
        required=False,
        help_text="The id of a portfolio, if it holds for that and its members. Without both it holds everywhere.",
        widget=forms.TextInput(attrs=_INPUT),
    )
    when = JSONText(
        label="Only when",
        example='{"status": "completed"}',
        help_text='Values as JSON, such as {"status": "completed"}. Empty: always.',
        widget=forms.TextInput(attrs=_INPUT),
    )
    quorum = forms.IntegerField(
        label="How many must grant it", initial=1, min_value=1, widget=forms.NumberInput(attrs={**_INPUT, "inputmode": "numeric"})
    )
    deciders = LinesField(
        label="Who may grant it",
        help_text="One on each line: user:grace, group:leads, or an agent with a key of its own. Empty: all who may decide.",
    )
    permit_seconds = forms.IntegerField(
        label="Seconds that a permit lasts",
        required=False,
        min_value=1,
        help_text="At most. Empty: as long as the request says.",
        widget=forms.NumberInput(attrs={**_INPUT, "inputmode": "numeric"}),
    )
    operations = sorted({*OPERATIONS, *ALIASES})
    """What the field of the operation offers."""

    def body(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        ids = {name: cleaned[name] or None for name in ("intent_id", "portfolio_id")}
        return {**cleaned, **ids, "when": cleaned["when"] or {}}
