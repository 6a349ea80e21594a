"""The only place that knows the theme. Apps build their pages on these classes, and their actions on console.actions."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from access.models import Role
from access.people import may
from console.actions import allowed, way_back


class ReadOnlyAdmin(ModelAdmin):
    """Shows everything to everybody who may look, edits nothing; what can be done are actions, each of which calls a verb.

    `object_template` stands below an object's fields, after the buttons of its actions.
    """

    list_per_page = 50
    show_full_result_count = False
    object_template: str | None = None
    change_form_outer_after_template = "console/object_actions.html"

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may(request, Role.OBSERVER)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return may(request, Role.OBSERVER)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {name: each for name, each in super().get_actions(request).items() if allowed(request, each[0])}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """What is sent past the page, which offers only what is allowed, is refused and not passed over in silence.

        What is sent from another page, which then names itself as `back`, leads there.
        """
        asked = request.POST.get("action")
        if asked and asked not in self.get_actions(request):
            raise PermissionDenied(f"Your role does not allow {asked!r}.")
        response = super().changelist_view(request, extra_context)
        is_done = asked and isinstance(response, HttpResponseRedirect)
        return HttpResponseRedirect(way_back(request) or response.url) if is_done else response

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> HttpResponse:
        context |= self.verbs_context(request, kwargs.get("obj"))
        context["object_template"] = self.object_template
        return super().render_change_form(request, context, *args, **kwargs)

    def verbs_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """What the buttons of an object's page are made of."""
        return {
            "verbs": [(name, run) for name, run in self._verbs(request) if obj and self.offers(request, name, obj)],
            "list_url": reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"),
        }

    def offers(self, request: HttpRequest, name: str, obj: Any) -> bool:
        """Whether the page of this object has a button for the action. The verb itself decides what becomes of it."""
        return True

    def _verbs(self, request: HttpRequest) -> list[tuple[str, Callable[..., Any]]]:
        return [(name, each[0]) for name, each in self.get_actions(request).items() if hasattr(each[0], "least")]


admin.site.index_template = "console/index.html"  # Not admin/index.html: in a wheel, the theme's own would come before it.
admin.site.unregister(User)
admin.site.unregister(Group)


class _ForSuperusers:
    """Whoever may change people and groups could make himself a superuser, whatever permissions say."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.is_superuser

    has_change_permission = has_delete_permission = has_view_permission

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser


@admin.register(User)
class UserAdmin(_ForSuperusers, DjangoUserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "is_active", "is_staff", "is_superuser", "last_login"]
    list_filter = ["is_active", "is_superuser", "groups"]


@admin.register(Group)
class GroupAdmin(_ForSuperusers, DjangoGroupAdmin, ModelAdmin):
    pass
