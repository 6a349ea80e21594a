"""The event log in the console."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from console.event_log import pages
from console.live_admin import PanelsAdmin, answer, refuse_unknown
from intents.models import Event


@admin.register(Event)
class EventAdmin(PanelsAdmin):
    panels_template = "console/event_log/detail.html"
    list_parameters = ("type", "actor", "before", "intent", "portfolio")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The whole log, which is never counted."""
        refuse_unknown(request, self.list_parameters)
        asked = pages.Everywhere.of(request.GET)
        found = asked.read()
        context = {
            "title": "Event log",
            "opts": self.opts,
            "asked": asked,
            "choice": asked.choice,
            "log": found,
            "types": pages.TYPES,
            "newer_url": f"?{asked.link(None)}",
            "older_url": f"?{asked.link(found.older)}" if found.older else "",
            "is_empty": not found.entries and not asked.link(None) and not asked.choice.before,
        }
        return answer(request, "console/event_log/log.html", context, follow=asked.topic, only=asked.choice.event_type)

    def panels(self, request: HttpRequest, obj: Event) -> dict[str, Any]:
        return {"entry": pages.entry(obj), "event": obj}

    def follows(self, obj: Event) -> dict[str, str]:
        return {"intent": str(obj.intent_id)} if obj.intent_id else {}
