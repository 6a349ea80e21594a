"""Settings of the theme: name, colors and menu of the console."""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.module_loading import import_string

from core.env import root_path

_LISTS = {
    "": [
        ("Home", "space_dashboard", "admin:index"),
        ("Arbitrations", "gavel", "admin:governance_arbitration_changelist"),
        ("My notices", "notifications_active", "admin:console_my_notices"),
        ("Leases", "key_vertical", "admin:leasing_lease_changelist"),
    ],
    "Work": [
        ("Intents", "target", "admin:intents_intent_changelist"),
        ("Portfolios", "folder_open", "admin:portfolios_portfolio_changelist"),
        ("Agents", "smart_toy", "admin:console_agents"),
        ("Failures", "error", "admin:retries_failure_changelist"),
        ("Attachments", "attach_file", "admin:attachments_attachment_changelist"),
        ("Event log", "receipt_long", "admin:intents_event_changelist"),
    ],
    "Costs": [
        ("Costs", "payments", "admin:console_costs"),
        ("Cost entries", "receipt", "admin:costs_cost_changelist"),
    ],
    "Decisions": [
        ("Decisions", "task_alt", "admin:governance_decision_changelist"),
        ("Permits", "license", "admin:governance_permit_changelist"),
        ("Gates", "front_hand", "admin:governance_gate_changelist"),
        ("Delegations", "handshake", "admin:governance_delegation_changelist"),
    ],
    "Administration": [
        ("Webhooks", "webhook", "admin:subscriptions_subscription_changelist"),
        ("Deliveries", "outgoing_mail", "admin:subscriptions_delivery_changelist"),
        ("Notices", "notifications", "admin:notices_notice_changelist"),
        ("API keys", "vpn_key", "admin:access_apikey_changelist"),
    ],
}


_NAVIGATION: list[dict[str, Any]] = [
    {
        "title": title,
        "separator": bool(title),
        "items": [{"title": name, "icon": icon, "link": reverse_lazy(page)} for name, icon, page in pages],
    }
    for title, pages in _LISTS.items()
]
_OPERATORS_ONLY = [
    ("Channels", "campaign", "admin:notices_channel_changelist"),
    ("People", "group", "admin:auth_user_changelist"),
    ("Audit log", "policy", "admin:console_audit"),
]
_NAVIGATION[-1]["items"] += [
    {"title": name, "icon": icon, "link": reverse_lazy(page), "permission": "access.roles.is_operator"}
    for name, icon, page in _OPERATORS_ONLY
]


def menu_pages(request: HttpRequest) -> list[tuple[str, str]]:
    """Return name and path of the pages of the menu that the person may see."""
    found = [each for group in _NAVIGATION for each in group["items"]]
    return [
        (each["title"], str(each["link"]))
        for each in found
        if "permission" not in each or import_string(each["permission"])(request)
    ]


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "OpenIntent",
    "SITE_HEADER": "OpenIntent",
    "SITE_SUBHEADER": "Console",
    "SITE_URL": f"{root_path()}/docs",
    "SITE_SYMBOL": "hub",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("console/icon.svg")}],
    "SHOW_HISTORY": False,
    "DASHBOARD_CALLBACK": "console.dashboard.index_context",
    "STYLES": [lambda request: static("console/console.css"), lambda request: static("console/intent.css")],
    "SCRIPTS": [lambda request: static("console/keyboard.js")],
    "SIDEBAR": {"show_search": False, "show_all_applications": False, "navigation": _NAVIGATION},
    "BORDER_RADIUS": "8px",
    "COLORS": {
        "primary": {
            "50": "oklch(96.2% .018 272)",
            "100": "oklch(93% .034 273)",
            "200": "oklch(87% .065 274)",
            "300": "oklch(78.5% .115 275)",
            "400": "oklch(67.3% .182 277)",
            "500": "oklch(58.5% .233 277)",
            "600": "oklch(51.1% .262 277)",
            "700": "oklch(45.7% .24 277)",
            "800": "oklch(39.8% .195 277)",
            "900": "oklch(35.9% .144 279)",
            "950": "oklch(25.7% .09 281)",
        }
    },
}
