"""Template tags for events and actors."""

from typing import Any
from uuid import UUID

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from access.roles import is_operator
from console import event_text
from console.agent_text import visible
from console.key_names import key_name
from core.ids import parse_id
from intents.models import Event

register = template.Library()
register.filter("person", event_text.display_name)


@register.simple_tag(takes_context=True)
def who(context: Any, actor: str, by: UUID | str | None = None) -> SafeString:
    """Return the name of the actor: agents with a link, people with a badge, and the key that was used.

    `by` is the id of the key, or a principal (protocol §1.1): an act with a key is not a person's, whatever name it gave.
    """
    key_id = _key_id(by)
    if key_id is None and actor.startswith(event_text.USER_PREFIX):
        return format_html(
            '{} <span class="oi-tag oi-tag-person">person</span>', visible(_truncate(event_text.display_name(actor)))
        )
    if not event_text.is_agent(actor):
        return format_html("{}{}", visible(_truncate(actor)), _key_badge(context, key_id))
    url = reverse("admin:console_agent", args=[actor])
    return format_html('<a href="{}">{}</a>{}', url, visible(_truncate(actor)), _key_badge(context, key_id))


@register.simple_tag(takes_context=True)
def by_key(context: Any, by: UUID | str | None) -> SafeString:
    """Return the name of the key of a principal; empty for a person and for the server."""
    return _key_badge(context, _key_id(by))


def _key_badge(context: Any, key_id: UUID | None) -> SafeString:
    if key_id is None:
        return SafeString("")
    key = key_name(key_id)
    shown = format_html("{} {}", visible(Truncator(key.name).chars(24)), key.prefix) if key.prefix else visible(key.name)
    if key.prefix and is_operator(context["request"]):
        url = reverse("admin:access_apikey_change", args=[key.key_id])
        return format_html(' <span class="oi-by-key">via <a href="{}">{}</a></span>', url, shown)
    return format_html(' <span class="oi-by-key">via {}</span>', shown)


def _key_id(by: UUID | str | None) -> UUID | None:
    if isinstance(by, str):
        kind, _, name = by.partition(":")
        return parse_id(name) if kind == "key" else None
    return by


def _truncate(name: str) -> str:
    return Truncator(name).chars(60)


@register.filter
def told(event: Event) -> str:
    """Return a summary of the event beside its type."""
    return event_text.summarize_event(event.event_type, event.payload)
