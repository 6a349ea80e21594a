"""Search everywhere: intents, questions, agents, portfolios, keys, webhooks, people and pages of the menu, in groups (D-285).

Each group asks once, so that a search costs the same number of queries whatever it finds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.db.models.functions import Left
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from access.models import ApiKey, Role
from access.roles import has_role
from console.agent_text import brief_text
from console.agents.pages import RecentActivity, find_agents
from console.live_admin import reject_unknown_parameters
from console.saved_views import pages as saved_views
from console.theme import menu_pages
from core.db.full_text import id_range
from governance.models import Arbitration
from governance.search import QUESTIONS
from intents.models import Intent
from intents.search import INTENTS
from portfolios.models import Portfolio
from subscriptions.models import Subscription

MIN_SEARCH = 2
"""Characters below which only the menu is searched."""
SHOWN = 6  # Results of a group.
COUNTED = 100  # Results of a group that are counted.
RECENT_EVENTS = 500  # Events whose actors are agents, besides those with assignments, leases or costs.
TEXT = 200  # Characters of a result's text.


@dataclass(frozen=True, slots=True)
class Result:
    text: str
    url: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Results of one kind. `total` is COUNTED + 1 if there are more."""

    name: str
    icon: str
    results: Sequence[Result]
    total: int
    list_url: str = ""
    """The list of all of them, if it searches as this does."""

    @property
    def count(self) -> str:
        return f"{COUNTED}+" if self.total > COUNTED else str(self.total)

    @property
    def more_url(self) -> str:
        return self.list_url if self.total > len(self.results) else ""


@require_GET
def results(request: HttpRequest) -> HttpResponse:
    """Return what `?q=` finds, as a part of a page. Without it, the menu."""
    if not has_role(request, Role.OBSERVER):
        raise PermissionDenied("You don't have a role in the console.")
    reject_unknown_parameters(request, ["q"])
    query = " ".join(request.GET.get("q", "").replace("\0", " ").split())
    groups = [_find_views(request, query), *_find_objects(request, query)] if len(query) >= MIN_SEARCH else []
    found = [each for each in (_find_pages(request, query), *groups) if each.results]
    context = {"query": query, "groups": found, "total": sum(len(each.results) for each in found), "is_short": not groups}
    return TemplateResponse(request, "console/search/results.html", context, headers={"Cache-Control": "no-store"})


def _find_pages(request: HttpRequest, query: str) -> Group:
    found = [Result(name, url) for name, url in menu_pages(request) if query.casefold() in name.casefold()]
    return Group("Pages", "web_asset", found, len(found))


def _find_views(request: HttpRequest, query: str) -> Group:
    found = [Result(name, url) for name, url in saved_views.search(request, query)]
    return Group("Saved views", "bookmark", found[:SHOWN], len(found), reverse("admin:console_saved_views"))


def _find_objects(request: HttpRequest, query: str) -> Sequence[Group]:
    intents = INTENTS.search(Intent.objects.all(), query).values_list("pk", "title", "status")
    questions = QUESTIONS.search(Arbitration.objects.all(), query).values_list("pk", Left("reason", 4 * TEXT), "status")
    agents = find_agents(query, RecentActivity.read(RECENT_EVENTS))
    groups = [
        _group(request, Intent, "Intents", "target", intents, query, is_listed=True),
        _group(request, Arbitration, "Questions", "gavel", questions, query, is_prose=True),
        Group(
            "Agents",
            "smart_toy",
            [Result(each, reverse("admin:console_agent", args=[each])) for each in agents[:SHOWN]],
            min(len(agents), COUNTED + 1),
            f"{reverse('admin:console_agents')}?{urlencode({'q': query})}",
        ),
    ]
    for model, name, icon, title, detail in _BY_LIST:
        list_admin: Any = admin.site._registry[model]
        if list_admin.has_view_permission(request):
            every = list_admin.get_queryset(request)
            matches, _ = list_admin.get_search_results(request, every, query)
            if ids := id_range(query) if model is not User else None:
                matches |= every.filter(pk__range=ids)
            groups.append(_group(request, model, name, icon, matches.values_list("pk", title, detail), query, is_listed=not ids))
    return groups


_BY_LIST: list[tuple[type[Model], str, str, str, str]] = [
    (Portfolio, "Portfolios", "folder_open", "name", "status"),
    (ApiKey, "API keys", "vpn_key", "name", "prefix"),
    (Subscription, "Webhooks", "webhook", "subscriber_id", "callback_origin"),
    (User, "People", "group", "username", "role"),
]
"""What is searched as its list does it, with what the list lets the person see."""


def _group(
    request: HttpRequest,
    model: Any,
    name: str,
    icon: str,
    found: QuerySet[Any, Any],
    query: str,
    *,
    is_listed: bool = False,
    is_prose: bool = False,
) -> Group:
    """Return the newest results. Ids grow with time. Prose is shown without its markup."""
    place = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    newest = [*found.order_by("-pk")[: COUNTED + 1]]
    return Group(
        name,
        icon,
        [
            Result(
                brief_text(text, TEXT) if is_prose else str(text)[:TEXT],
                reverse(f"{place}_change", args=[pk]),
                str(detail or ""),
            )
            for pk, text, detail in newest[:SHOWN]
        ],
        len(newest),
        f"{reverse(f'{place}_changelist')}?{urlencode({'q': query})}" if is_listed else "",
    )
