"""Events, people and JSON as the console's pages write them."""

from typing import Any

from django import template
from django.utils.safestring import SafeString

from console import telling, trees
from console.diffs import ABSENT
from intents.models import Event

register = template.Library()


@register.filter
def person(actor: str) -> str:
    return telling.person(actor)


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
