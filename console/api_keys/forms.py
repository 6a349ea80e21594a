"""Forms to create and to rotate an API key."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from access.models import MAX_NAME, Role
from console.actions import INPUT, ActionForm
from core.agent_ids import MAX_AGENT_ID, agent_id_problem

NEVER, CHOSEN = "never", "chosen"
LASTS = {NEVER: ("Never", None), "30": ("In 30 days", 30), "90": ("In 90 days", 90), "365": ("In a year", 365)}
OVERLAPS = {"0": "Immediately", "1": "In an hour", "24": "In a day", "168": "In a week"}
"""Hours for which the old key stays valid beside the new one."""


def _check_agent(given: str) -> None:
    if problem := agent_id_problem(given):
        raise forms.ValidationError(f"{problem.message[0].upper()}{problem.message[1:]}.")


class NewKeyForm(ActionForm):
    name = forms.CharField(
        max_length=MAX_NAME,
        validators=[_check_agent],
        help_text="Who or what uses the key. Requests that name no agent are logged under this name.",
        widget=forms.TextInput(attrs={**INPUT, "autocomplete": "off"}),
    )
    role = forms.ChoiceField(choices=Role.choices, initial=Role.AGENT, widget=forms.RadioSelect)
    agent_id = forms.CharField(
        label="Bound to agent",
        required=False,
        max_length=MAX_AGENT_ID,
        validators=[_check_agent],
        help_text="The key can then only act as this agent.",
        widget=forms.TextInput(attrs={**INPUT, "autocomplete": "off"}),
    )
    lasts = forms.ChoiceField(
        label="Expires",
        required=False,
        choices=[*((value, text) for value, (text, _) in LASTS.items()), (CHOSEN, "On a specific date")],
        initial="90",
        widget=forms.Select(attrs=INPUT),
    )
    last_day = forms.DateField(
        label="Expiry date",
        required=False,
        help_text="The key expires at the end of this day (UTC).",
        widget=forms.DateInput(attrs={**INPUT, "type": "date"}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        now, lasts, day = timezone.now(), cleaned.get("lasts") or NEVER, cleaned.get("last_day")
        if lasts != CHOSEN:
            days = LASTS.get(lasts, LASTS[NEVER])[1]
            return {**cleaned, "expires_at": now + timedelta(days=days) if days else None}
        if day is None:
            self.add_error("last_day", "Enter a date.")
        elif day < now.date():
            self.add_error("last_day", "The date must not be in the past.")
        end = day and timezone.make_aware(datetime(day.year, day.month, day.day) + timedelta(days=1))
        return {**cleaned, "expires_at": end}


class ConnectForm(ActionForm):
    agent_id = forms.CharField(
        label="Agent",
        max_length=MAX_AGENT_ID,
        validators=[_check_agent],
        help_text="The name under which the agent acts, such as ada-laptop. Its key can act as this agent only.",
        widget=forms.TextInput(attrs={**INPUT, "autocomplete": "off"}),
    )
    lasts = forms.ChoiceField(
        label="Key expires",
        choices=[(value, text) for value, (text, _) in LASTS.items()],
        initial="90",
        widget=forms.Select(attrs=INPUT),
    )

    def clean(self) -> dict[str, Any]:
        """Return the instant at which the key expires, as `expires_at`."""
        cleaned = super().clean() or {}
        days = LASTS.get(cleaned.pop("lasts", NEVER), LASTS[NEVER])[1]
        return {**cleaned, "expires_at": timezone.now() + timedelta(days=days) if days else None}


class RotateForm(ActionForm):
    overlap = forms.ChoiceField(
        label="When should the old key expire?",
        choices=OVERLAPS.items(),
        initial="24",
        help_text="Both keys work until then, so you have time to switch.",
        widget=forms.RadioSelect,
    )

    def clean(self) -> dict[str, Any]:
        """Return the instant at which the old key expires, as `ends_at`."""
        cleaned = super().clean() or {}
        hours = int(cleaned.get("overlap") or 0)
        return {"ends_at": timezone.now() + timedelta(hours=hours)}
