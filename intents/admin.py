from django.contrib import admin

from console.admin import ReadOnlyAdmin
from intents.models import Assignment, Edge, Event, Intent


@admin.register(Intent)
class IntentAdmin(ReadOnlyAdmin):
    list_display = ["title", "status", "version", "created_by", "updated_at"]
    list_filter = ["status"]
    search_fields = ["title", "description", "created_by"]
    ordering = ["-created_at", "-id"]


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ["position", "event_type", "actor", "intent", "sequence", "created_at"]
    search_fields = ["=event_type", "=actor", "=trace_id"]
    list_select_related = ["intent"]
    ordering = ["-row"]


@admin.register(Edge)
class EdgeAdmin(ReadOnlyAdmin):
    list_display = ["waiter", "kind", "awaited"]
    list_filter = ["kind"]
    list_select_related = ["waiter", "awaited"]
    ordering = ["-pk"]


@admin.register(Assignment)
class AssignmentAdmin(ReadOnlyAdmin):
    list_display = ["agent_id", "role", "intent", "assigned_by", "assigned_at"]
    search_fields = ["=agent_id"]
    list_select_related = ["intent"]
    ordering = ["-pk"]
