"""Users: added, given a role, signed out, deactivated. They set their passwords themselves."""

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone

from access import user_services
from access.models import Role
from access.roles import NO_ROLE, OPERATORS, ROLE_DESCRIPTIONS, SUPERUSER, active_sessions, is_operator, with_roles
from console.actions import Action, ActionForm, action
from console.admin_mixins import OperatorPages, form_page
from console.changelist import ListAdmin
from console.event_log.pages import EventFilter, LogQuery
from console.filters import choice_filter
from console.sign_in import passwords
from console.users.forms import NewPersonForm
from core.errors import ProtocolError

MAX_EVENTS = 20  # Events.
DEACTIVATED = "off"
TABS = [
    ("operator", "Operators"),
    ("arbiter", "Arbiters"),
    ("viewer", "Viewers"),
    ("none", "No role"),
    (DEACTIVATED, "Deactivated"),
]
_ROLES = {"operator": OPERATORS, "none": (NO_ROLE,)}


def _user_id(request: HttpRequest) -> int:
    return cast(int, request.user.pk)


def _set_role_action(role: str, warning: str) -> Action:
    @action(
        f"Set role to {role}",
        f"Set role of selected people to {role}",
        role=Role.OPERATOR,
        done=f"Role set to {role}",
        warning=warning,
    )
    def give(self: Any, request: HttpRequest, person: User) -> None:
        user_services.set_role(person_id=person.pk, role=role, by=_user_id(request))

    return give


@admin.register(User)
class PersonAdmin(OperatorPages, ListAdmin):
    detail_template = "console/users/detail.html"
    own_paths = (("<int:person_id>/link/", "link_view", "link"),)
    list_template = "console/users/list_rows.html"
    search_label = "Search by name"
    list_filter = [
        choice_filter(
            "role",
            "role",
            TABS,
            lambda tab, now: Q(is_active=False) if tab == DEACTIVATED else Q(is_active=True, role__in=_ROLES.get(tab, (tab,))),
        )
    ]
    search_fields = ["username"]
    ordering = ["-is_active", "username"]
    actions = ["make_viewer", "make_arbiter", "make_operator", "sign_out", "switch_off", "switch_on"]
    refresh_seconds = list_refresh_seconds = 60
    event_types = list_event_types = "nothing"

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return is_operator(request)

    has_module_permission = has_view_permission

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return with_roles(super().get_queryset(request))

    def list_context(self, request: HttpRequest, found: list[User]) -> dict[str, Any]:
        return {"title": "People", "people": found}

    def detail_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        chosen = LogQuery(EventFilter(actor=f"user:{obj.username}"))
        page = chosen.read()
        has_own_password = obj == request.user and obj.has_usable_password()  # They change it in the menu.
        return {
            "person": obj,
            "may": ROLE_DESCRIPTIONS.get("operator" if obj.role == SUPERUSER else obj.role),
            "sessions": len(active_sessions(obj)),
            "events": [each.event for each in page.entries[:MAX_EVENTS]],
            "is_far": page.is_far,
            "log_query": chosen.link(None),
            "offers_link": self._may_change(request, obj) and obj.is_active and not has_own_password,
        }

    def is_offered(self, request: HttpRequest, name: str, obj: Any) -> bool:
        if not self._may_change(request, obj):
            return False
        is_self = obj == request.user
        if name.startswith("make_"):
            return not is_self and name != f"make_{obj.role}"
        offered = {"switch_off": obj.is_active and not is_self, "switch_on": not obj.is_active, "sign_out": obj.is_active}
        return bool(offered[name])

    def _may_change(self, request: HttpRequest, person: User) -> bool:
        return request.user.is_superuser or not person.is_superuser

    def link_view(self, request: HttpRequest, person_id: int) -> HttpResponse:
        return self.issue_link(request, [get_object_or_404(User, pk=person_id)])

    def render_link_form(
        self, request: HttpRequest, person: User, form: ActionForm, refusal: ProtocolError | None
    ) -> HttpResponse:
        if refusal:
            messages.error(request, f"{person}: {refusal.detail}")
            return redirect("admin:auth_user_change", person.pk)
        return self.page(
            request, "console/users/new_password_link.html", title="New link", form=form, person=person, original=person
        )

    @action("Add person", role=Role.OPERATOR, form=NewPersonForm, page=form_page("console/users/create.html", "Add person"))
    def create(self, request: HttpRequest, _: None, *, name: str, role: str) -> HttpResponse:
        try:
            person = user_services.create_user(name=name, role=role, by=_user_id(request))
        except ValidationError as error:
            raise ValidationError({"name": error.messages}) from None
        return self._link_page(request, person, is_new=True)

    @action("New password link", role=Role.OPERATOR, page=render_link_form)
    def issue_link(self, request: HttpRequest, person: User) -> HttpResponse:
        return self._link_page(request, user_services.issue_password_link(person_id=person.pk, by=_user_id(request)))

    def _link_page(self, request: HttpRequest, person: User, **more: Any) -> HttpResponse:
        link = passwords.password_link(person)  # The browser puts its own address before it: a proxy may pass on any Host.
        ends_at = timezone.now() + passwords.LINK_LIFETIME
        return self.page(
            request, "console/users/password_link.html", title="Password link", person=person, link=link, ends_at=ends_at, **more
        )

    make_viewer = _set_role_action("viewer", "Viewers can see everything but change nothing. Takes effect immediately.")
    make_arbiter = _set_role_action("arbiter", "Arbiters can decide questions and revoke leases. Takes effect immediately.")
    make_operator = _set_role_action(
        "operator", "Operators have full access: they can create keys, add people and change roles, including yours."
    )

    @action(
        "Sign out everywhere",
        "Sign out selected people",
        role=Role.OPERATOR,
        done="Signed out",
        warning="Their sessions end immediately in all browsers. They can sign in again with their password.",
    )
    def sign_out(self, request: HttpRequest, person: User) -> None:
        user_services.end_user_sessions(person_id=person.pk, by=_user_id(request))

    @action(
        "Deactivate",
        "Deactivate selected people",
        role=Role.OPERATOR,
        done="Deactivated",
        warning="Their sessions end immediately and they can no longer sign in. Their activity stays in the event log.",
    )
    def switch_off(self, request: HttpRequest, person: User) -> None:
        user_services.deactivate_user(person_id=person.pk, by=_user_id(request))

    @action("Reactivate", "Reactivate selected people", role=Role.OPERATOR, done="Reactivated")
    def switch_on(self, request: HttpRequest, person: User) -> None:
        user_services.reactivate_user(person_id=person.pk, by=_user_id(request))
