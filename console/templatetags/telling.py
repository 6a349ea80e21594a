"""Events, people and JSON as the console's pages write them."""

from typing import Any

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from console import telling, trees
from console.diffs import ABSENT
from intents.models import Event

register = template.Library()


@register.filter
def person(actor: str) -> str:
    return telling.person(actor)


@register.simple_tag
def who(actor: str) -> SafeString:
    """By name: agents with a link to their page."""
    name = Truncator(telling.person(actor)).chars(60)
    if not telling.is_agent(actor):
        return format_html("{}", name)
    return format_html('<a href="{}">{}</a>', reverse("console_agent", args=[actor]), name)


@register.filter
def told(event: Event) -> str:
    """What the event says, beside its type."""
    return telling.told(event.event_type, event.payload)


@register.filter
def tree(value: Any) -> SafeString:
    return trees.tree(value)


@register.filter
def inline(value: Any) -> str:
    """A value in one line; nothing where there is none."""
    return "" if value is ABSENT else trees.in_short(value, 200)
