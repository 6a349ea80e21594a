"""Event log: the list with its filters, and one event."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from console.event_log import pages
from console.live_admin import LiveAdmin, reject_unknown_parameters, render_live
from intents.models import Event


@admin.register(Event)
class EventAdmin(LiveAdmin):
    detail_template = "console/event_log/detail.html"
    topic = ("intent", "intent_id")
    list_parameters = ("type", "actor", "before", "intent", "portfolio")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Render the log of all intents. It is never counted."""
        reject_unknown_parameters(request, self.list_parameters)
        asked = pages.LogQuery.from_params(request.GET)
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
        return render_live(request, "console/event_log/log.html", context, topic=asked.topic, event_types=asked.choice.event_type)

    def get_queryset(self, request: HttpRequest) -> Any:
        return pages.with_portfolio_names(super().get_queryset(request))

    def detail_context(self, request: HttpRequest, obj: Event) -> dict[str, Any]:
        return {"entry": pages.full_entry(obj), "comment": pages.comment_of(obj), "event": obj}
