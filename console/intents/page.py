"""Intent page: all sections of it. A fixed number of queries, and of each thing no more than fits the page."""

from collections import Counter
from typing import Any
from zlib import crc32

from django.db.models import Case, QuerySet, Sum, When
from django.http import HttpRequest

from access.models import Role
from access.roles import has_role
from attachments.models import Attachment
from console import budget_usage, retry_policy_text
from console.attachments import previews
from console.dashboard import list_blockers
from console.event_log import pages as log
from console.intents import actions, neighborhood, versions
from console.intents.tree import load_tree
from core.db import database_now
from costs.amounts import CENTS_PER_UNIT, TRILLIONTHS
from costs.models import CostTotal
from governance.models import Arbitration
from intents import graph
from intents.models import Assignment, Intent, Status
from leasing.models import Lease
from portfolios.models import Membership
from retries.models import Failure, RetryPolicy

EVENTS = 30
VERSIONS = 12
ENDED = 5  # Leases.
SHOWN = 20  # Leases, attachments, failures, portfolios.
AGENTS = 200
KINDS = 8  # Agents and types of costs.
PREVIEWED = 3  # Texts, the newest.
BRANCHES = 12  # Rows of the tree.


def intent_detail(request: HttpRequest, intent: Intent) -> dict[str, Any]:
    now = database_now()
    choice = log.EventFilter.from_params(request.GET)
    events = log.read_intent_log(intent, choice, shown=EVENTS)
    version = versions.load_version(intent, request.GET.get("version", ""), request.GET.get("at", ""))
    policy = RetryPolicy.objects.filter(intent=intent).first()
    waiting = list_blockers({intent.pk}, now).get(intent.pk, []) if intent.status == Status.BLOCKED else []
    newest = [*Attachment.objects.filter(intent=intent).order_by("-pk")[:SHOWN]]
    held = [*Lease.objects.held_on(intent.pk).order_by("expires_at")[:SHOWN]]
    ended = Lease.objects.filter(intent=intent).exclude(pk__in=[each.pk for each in held]).order_by("-pk")[:ENDED]
    return {
        "now": now,
        "intent": intent,
        "is_operator": has_role(request, Role.OPERATOR),
        "is_arbiter": has_role(request, Role.ARBITER),
        "path": [each for _, each in graph.ancestors(intent.pk, beyond=0, limit=SHOWN)][::-1],
        "portfolios": [*Membership.objects.filter(intent=intent).select_related("portfolio").order_by("pk")[:SHOWN]],
        "questions": [*Arbitration.objects.pending().filter(intent=intent).order_by("-blocking", "pk")[:SHOWN]],
        "waiting": waiting,
        "dependencies": [*_dependencies(intent)],
        "comment": actions.CommentForm(obj=intent),
        "transitions": actions.list_transitions(intent, is_waiting=bool(waiting)),
        "is_final": intent.is_final,
        **_graph(intent),
        "ties": neighborhood.count_related(intent),
        "version": version,
        "versions": log.read_versions(intent, log.parse_counter(request.GET.get("versions", "")), VERSIONS),
        "choice": choice,
        "types": log.TYPES,
        "log": events,
        "newer_url": f"?{choice.link(None)}#log",
        "older_url": f"?{choice.link(events.older)}#log" if events.older else "",
        "agents": [*Assignment.objects.filter(intent=intent).order_by("pk")[:AGENTS]],
        "leases": [*((each, "active") for each in held), *((each, str(each.status)) for each in ended)],
        **_costs(intent),
        "attachments": previews.make_previews(newest, texts=PREVIEWED),
        "policy": policy,
        "rules": retry_policy_text.describe_policy(policy) if policy else [],
        "failures": [*Failure.objects.filter(intent=intent).order_by("-sequence")[:SHOWN]],
    }


def _dependencies(intent: Intent) -> QuerySet[Intent]:
    """Return what the intent depends on, those that are not completed first."""
    found = Intent.objects.filter(pk__in=intent.depends_on).only("title", "status")
    return found.order_by(Case(When(status=Status.COMPLETED, then=1), default=0), "pk")[:SHOWN]


def _graph(intent: Intent) -> dict[str, Any]:
    """Return the drawing of a small graph, or the first rows of the tree of a larger one."""
    related = neighborhood.load_related(intent, neighborhood.SMALL)
    if not related.is_cut:
        return {"neighbours": related, "key": related.key}
    tree = load_tree(intent.pk)
    branch = tree.branch(0, most=BRANCHES)
    key = crc32(repr((tree.count(), branch)).encode())
    return {"branch": branch, "size": len(tree), "counts": tree.count(), "key": key, "min_seconds": tree.pace}


def _costs(intent: Intent) -> dict[str, Any]:
    """Return sums in 10^-14 USD; other units one by one, in trillionths (rule C-2)."""
    sums = CostTotal.objects.filter(intent=intent).order_by().values_list("unit", "cost_type", "agent_id")
    by_type: Counter[str] = Counter()
    by_agent: Counter[str] = Counter()
    others: Counter[str] = Counter()
    for unit, cost_type, agent_id, whole, parts in sums.annotate(Sum("whole"), Sum("parts")):
        amount = int(whole) * TRILLIONTHS + int(parts)
        if unit in CENTS_PER_UNIT:
            by_type[cost_type] += amount * CENTS_PER_UNIT[unit]
            by_agent[agent_id] += amount * CENTS_PER_UNIT[unit]
        else:
            others[unit] += amount
    limits, of_tree = budget_usage.list_intent_budgets(intent)
    return {
        "spent": sum(by_agent.values()),
        "spent_with_below": of_tree,
        "budgets": limits,
        "breakdowns": [("agent", by_agent.most_common(KINDS)), ("type", by_type.most_common(KINDS))],
        "other_units": sorted(others.items()),
    }
