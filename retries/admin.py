from django.contrib import admin

from console.admin import ReadOnlyAdmin
from retries.models import Failure, RetryPolicy


@admin.register(RetryPolicy)
class RetryPolicyAdmin(ReadOnlyAdmin):
    list_display = ["intent", "strategy", "max_attempts", "fallback_agent_id", "failure_threshold", "updated_at"]
    list_filter = ["strategy"]
    search_fields = ["=fallback_agent_id"]
    list_select_related = ["intent"]
    ordering = ["-updated_at"]


@admin.register(Failure)
class FailureAdmin(ReadOnlyAdmin):
    list_display = ["error_type", "agent_id", "intent", "attempt", "will_retry", "retry_at", "resolved_at", "created_at"]
    list_filter = ["will_retry"]
    search_fields = ["=agent_id", "=error_type"]
    list_select_related = ["intent"]
    ordering = ["-created_at"]
