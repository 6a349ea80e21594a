"""The form that adds a person."""

from django import forms
from django.contrib.auth.models import User

from access.roles import ROLE_DESCRIPTIONS
from console.actions import INPUT, ActionForm


class NewPersonForm(ActionForm):
    name = forms.CharField(
        max_length=User._meta.get_field("username").max_length,
        help_text="Used to sign in and shown in the event log. It can't be changed later.",
        widget=forms.TextInput(attrs={**INPUT, "autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    role = forms.ChoiceField(choices=ROLE_DESCRIPTIONS.items(), initial="viewer", widget=forms.RadioSelect)
