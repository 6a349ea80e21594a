"""Event log: the list with its filters, and one event."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from console.event_log import pages, period
from console.filters import portfolio_choices
from console.live_admin import LiveAdmin, reject_unknown_parameters, render_live
from intents.models import Event


@admin.register(Event)
class EventAdmin(LiveAdmin):
    detail_template = "console/event_log/detail.html"
    topic = ("intent", "intent_id")
    list_parameters = ("type", "actor", "before", "intent", "portfolio", *period.PARAMETERS)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Render the log of all intents. It is never counted."""
        reject_unknown_parameters(request, self.list_parameters)
        asked = pages.LogQuery.from_params(request.GET)
        intents = asked.find_intents()
        found = asked.read(intents)
        context = {
            "title": "Event log",
            "opts": self.opts,
            "asked": asked,
            "choice": asked.choice,
            "log": found,
            "types": pages.TYPES,
            "actors": pages.recent_actors(),
            "portfolios": portfolio_choices(asked.portfolio),
            "intents": intents[: pages.MAX_INTENTS],
            "has_more_intents": len(intents) > pages.MAX_INTENTS,
            "newer_url": f"?{asked.link(None, intents)}",
            "older_url": f"?{asked.link(found.older, intents)}" if found.older else "",
            "is_empty": not found.entries and not asked.is_narrowed and not asked.choice.before,
        }
        template, types = "console/event_log/log.html", asked.choice.event_type
        response = render_live(request, template, context, topic=asked.topic, event_types=types)
        response.status_code = 400 if asked.period.problem else 200
        return response

    def get_queryset(self, request: HttpRequest) -> Any:
        return pages.with_portfolio_names(super().get_queryset(request))

    def detail_context(self, request: HttpRequest, obj: Event) -> dict[str, Any]:
        return {"entry": pages.full_entry(obj), "comment": pages.comment_of(obj), "event": obj}
