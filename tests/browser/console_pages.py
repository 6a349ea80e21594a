"""Pages of the console, of a server with the example data, for tests and screenshots of each."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import requests
from playwright.sync_api import Page

from tests.browser import page_steps as steps
from tests.browser.example_acts import Acts
from tests.browser.example_graphs import Graphs
from tests.browser.example_question import TITLE, ask_with_markup
from tests.processes import run
from tests.servers import Server

KEY = {"X-API-Key": "dev-user-key"}
ADMIN = "/admin"

_PEOPLE = """
import json
from datetime import timedelta
from django.contrib.auth.models import User
from django.utils import timezone
from access.roles import grant_role
from console.sign_in import passwords

roles = {"olga": "operator", "ines": "arbiter", "judy": "arbiter", "vera": "viewer", "nina": "viewer", "sam": "operator"}
people = {name: User.objects.create_user(name, password=None if name == "nina" else "-") for name in roles}
for hours, (name, person) in enumerate(people.items()):
    grant_role(person, roles[name])
    person.last_login = None if name == "nina" else timezone.now() - timedelta(hours=hours * 7, minutes=5)
    person.is_active = name != "sam"
    person.save()
print(json.dumps({**{name: str(person.pk) for name, person in people.items()}, "link": passwords.password_link(people["nina"])}))
"""


@dataclass
class Example:
    """The example, and where its objects are. Of `people` it has the ids, and a `link` of one who has no password."""

    server: Server
    people: dict[str, str]

    def get(self, path: str, **query: Any) -> Any:
        answer = requests.get(f"{self.server.api}{path}", params=query, headers=KEY, timeout=20)
        assert answer.ok, answer.text
        return answer.json()

    def object(self, model: str, pk: str) -> str:
        return f"{ADMIN}/{model}/{pk}/change/"

    def id_of(self, title: str) -> str:
        """Return the id of the newest intent with the title."""
        found = [each for each in self.get("/intents", q=title, limit=1000)["intents"] if each["title"] == title]
        return max(found, key=lambda each: each["created_at"])["id"]

    @cached_property
    def subscriptions(self) -> dict[str, str]:
        return {each["subscriber_id"]: each["id"] for each in self.get("/subscriptions")["subscriptions"]}

    def subscription(self, name: str) -> str:
        return self.object("subscriptions/subscription", self.subscriptions[name])

    def delivery(self) -> str:
        found = self.get(f"/subscriptions/{self.subscriptions['pager']}/deliveries")["deliveries"]
        return self.object("subscriptions/delivery", found[0]["id"])

    def intent(self, title: str) -> str:
        return self.object("intents/intent", self.id_of(title))

    def portfolio(self, name: str) -> str:
        found = {each["name"]: each["id"] for each in self.get("/portfolios")["portfolios"]}
        return self.object("portfolios/portfolio", found[name])

    def question(self, status: str) -> str:
        found = self.get("/arbitrations", status=status)["arbitrations"]
        asked = next((each for each in found if each["context"]), found[0])
        return self.object("governance/arbitration", asked["id"])

    @cached_property
    def typed_question(self) -> str:
        schema = {
            "type": "object",
            "title": "Refund for the failed checkouts",
            "properties": {
                "amount": {"type": "number", "title": "Amount", "description": "In euro, for each customer", "maximum": 500},
                "pay_on": {"type": "string", "title": "Pay on", "format": "date"},
                "by": {"type": "string", "title": "Paid by", "enum": ["voucher", "card"], "enumNames": ["Voucher", "Card"]},
                "apologise": {"type": "boolean", "title": "Send an apology", "default": True},
            },
            "required": ["amount", "by"],
        }
        pk = self.id_of("Checkout fails for one in twenty customers in eu-west")
        asked = {"reason": "How do we make up for it?", "response_schema": schema, "urgency": "high", "blocking": False}
        made = requests.post(f"{self.server.api}/intents/{pk}/arbitrate", json=asked, headers=KEY, timeout=20)
        assert made.ok, made.text
        return self.object("governance/arbitration", made.json()["id"])

    @cached_property
    def written_question(self) -> str:
        return self.object("governance/arbitration", ask_with_markup(self.server.api, self.id_of(TITLE), KEY))

    def lease(self) -> str:
        pk = self.id_of("Disable the slow price rules")
        return self.object("leasing/lease", self.get(f"/intents/{pk}/leases")["leases"][0]["id"])

    def failure(self) -> str:
        pk = self.id_of("Bisect last night's releases")
        return self.object("retries/failure", self.get(f"/intents/{pk}/failures")["failures"][0]["id"])

    def attachment(self, filename: str) -> str:
        pk = self.id_of("Compare traces from before and after 02:14")
        found = {each["filename"]: each["id"] for each in self.get(f"/intents/{pk}/attachments")["attachments"]}
        return self.object("attachments/attachment", found[filename])

    def key(self) -> str:
        return self.object("access/apikey", self.get("/keys")["keys"][0]["id"])

    def person(self, name: str) -> str:
        return self.object("auth/user", self.people[name])

    @cached_property
    def acts(self) -> Acts:
        return Acts(self.server.api, self.id_of("Refund customers who were charged twice"))

    @cached_property
    def graphs(self) -> Graphs:
        return Graphs(self.server.api)


PathOf = str | Callable[[Example], str]


@dataclass(frozen=True)
class ConsolePage:
    """A page, the role that opens it (None: not signed in), and what is done there before it is looked at."""

    where: PathOf
    role: str | None = "operator"
    then: Callable[[Page], Any] = lambda page: None

    def path(self, example: Example) -> str:
        return self.where if isinstance(self.where, str) else self.where(example)


def _act_page(path: Callable[[Acts], str]) -> PathOf:
    return lambda example: f"{ADMIN}/{path(example.acts)}"


def _migration_page(query: str) -> PathOf:
    return lambda example: f"{ADMIN}/intents/intent/{example.graphs.migration}/graph/{query}"


def _trace_page(query: str) -> PathOf:
    return lambda example: f"{ADMIN}/intents/intent/{example.graphs.trace}/timeline/{query}"


PAGES: dict[str, ConsolePage] = {
    "home": ConsolePage("/admin/"),
    "search": ConsolePage("/admin/", then=steps.search),
    "account-menu": ConsolePage("/admin/agents/", then=steps.open_account_menu),
    "inbox": ConsolePage("/admin/governance/arbitration/"),
    "question": ConsolePage(lambda example: example.question("pending")),
    "question-written": ConsolePage(
        lambda example: example.written_question,
        then=lambda page: (page.locator(".oi-long summary").first.click(), page.evaluate("scrollTo(0, 0)")),
    ),
    "question-shortcuts": ConsolePage(
        lambda example: example.written_question,
        then=lambda page: (page.keyboard.press("?"), page.wait_for_selector("dialog.oi-sheet[open]")),
    ),
    "question-draft": ConsolePage(
        lambda example: example.written_question,
        then=lambda page: (page.fill("#oi-rationale", "Half of it"), page.reload(), page.wait_for_selector(".oi-draft")),
    ),
    "question-typed": ConsolePage(lambda example: example.typed_question),
    "question-decided": ConsolePage(lambda example: example.question("resolved")),
    "question-permit": ConsolePage(_act_page(lambda acts: acts.permit_question)),
    "question-sent-back": ConsolePage(_act_page(lambda acts: f"{acts.question}/change/")),
    "assign": ConsolePage(_act_page(lambda acts: f"{acts.question}/assign/")),
    "ask-back": ConsolePage(lambda example: example.typed_question.replace("change", "information")),
    "permits": ConsolePage(_act_page(lambda acts: "governance/permit/?state=all")),
    "permit": ConsolePage(_act_page(lambda acts: acts.permit)),
    "permit-unknown": ConsolePage(_act_page(lambda acts: acts.permit_unknown)),
    "permit-outcome": ConsolePage(_act_page(lambda acts: acts.permit_unknown), then=steps.ask_for_outcome),
    "gates": ConsolePage(_act_page(lambda acts: "governance/gate/")),
    "gate": ConsolePage(_act_page(lambda acts: acts.gate)),
    "new-gate": ConsolePage("/admin/governance/gate/add/"),
    "new-gate-refused": ConsolePage("/admin/governance/gate/add/", then=steps.refuse),
    "channels": ConsolePage(_act_page(lambda acts: "notices/channel/")),
    "channel": ConsolePage(_act_page(lambda acts: acts.channel)),
    "new-channel": ConsolePage("/admin/notices/channel/add/"),
    "new-channel-shown": ConsolePage("/admin/notices/channel/add/", then=steps.create_channel),
    "change-channel": ConsolePage(_act_page(lambda acts: acts.channel_edit)),
    "notices": ConsolePage(_act_page(lambda acts: "notices/notice/")),
    "notice": ConsolePage(_act_page(lambda acts: acts.notice)),
    "my-notices": ConsolePage(_act_page(lambda acts: "my-notices/")),
    "my-channel": ConsolePage(_act_page(lambda acts: acts.my_channel)),
    "review": ConsolePage("/admin/governance/arbitration/", then=steps.review),
    "decisions": ConsolePage("/admin/governance/decision/"),
    "decision": ConsolePage("/admin/governance/decision/", then=steps.open_first),
    "delegations": ConsolePage("/admin/governance/delegation/"),
    "delegation": ConsolePage("/admin/governance/delegation/", then=steps.open_first),
    "new-delegation": ConsolePage("/admin/governance/delegation/add/", "arbiter"),
    "new-delegation-refused": ConsolePage("/admin/governance/delegation/add/", "arbiter", then=steps.refuse),
    "leases": ConsolePage("/admin/leasing/lease/"),
    "lease": ConsolePage(lambda example: example.lease()),
    "intents": ConsolePage("/admin/intents/intent/"),
    "intent": ConsolePage(lambda example: example.intent("Checkout fails for one in twenty customers in eu-west")),
    "intents-news": ConsolePage("/admin/intents/intent/", then=steps.wait_for_news),
    "new-intent": ConsolePage("/admin/intents/intent/add/"),
    "new-intent-refused": ConsolePage("/admin/intents/intent/add/", then=steps.refuse),
    "new-child": ConsolePage(
        lambda example: (
            f"/admin/intents/intent/add/?parent={example.id_of('Checkout fails for one in twenty customers in eu-west')}"
        )
    ),
    "add-dependency": ConsolePage(
        lambda example: example.intent("Checkout fails for one in twenty customers in eu-west"),
        then=lambda page: (page.click("text=Add existing"), page.wait_for_selector("#depends_on")),
    ),
    "add-to-portfolio": ConsolePage(
        lambda example: example.intent("Checkout fails for one in twenty customers in eu-west"),
        then=lambda page: (page.click("text=Add to portfolio"), page.wait_for_selector("#portfolio_id")),
    ),
    "intent-traces": ConsolePage(lambda example: example.intent("Compare traces from before and after 02:14")),
    "intent-version": ConsolePage(
        lambda example: example.intent("Compare traces from before and after 02:14"),
        then=lambda page: (
            page.click(".oi-versions li:nth-child(2) a >> nth=0"),
            page.wait_for_selector("text=State at version"),
        ),
    ),
    "intent-large": ConsolePage(lambda example: example.object("intents/intent", example.graphs.migration)),
    "tree": ConsolePage(_migration_page("?view=tree"), then=steps.open_branch),
    "tree-search": ConsolePage(_migration_page("?q=shop+13")),
    "blocking": ConsolePage(_migration_page("?view=blocking")),
    "critical-path": ConsolePage(_migration_page("?view=critical")),
    "drawing": ConsolePage(
        _migration_page("?view=drawing"),
        then=lambda page: (page.wait_for_selector("#oi-graph[data-drawn]"), page.click("[data-zoom=fit]")),
    ),
    "timeline": ConsolePage(_trace_page("")),
    "timeline-trace": ConsolePage(_trace_page("?lane=trace")),
    "compare-versions": ConsolePage(
        lambda example: example.intent("Compare traces from before and after 02:14").replace("change", "compare") + "?from=1"
    ),
    "log": ConsolePage("/admin/intents/event/"),
    "event": ConsolePage("/admin/intents/event/", then=lambda page: steps.open_first(page, ".oi-event-type")),
    "failures": ConsolePage("/admin/retries/failure/"),
    "failure": ConsolePage(lambda example: example.failure()),
    "attachments": ConsolePage("/admin/attachments/attachment/"),
    "attachment": ConsolePage(lambda example: example.attachment("error-rate.png")),
    "attachment-text": ConsolePage(lambda example: example.attachment("checkout-0214.log")),
    "portfolios": ConsolePage("/admin/portfolios/portfolio/"),
    "portfolio": ConsolePage(lambda example: example.portfolio("Launch in Lisbon")),
    "new-portfolio": ConsolePage("/admin/portfolios/portfolio/add/"),
    "new-portfolio-refused": ConsolePage("/admin/portfolios/portfolio/add/", then=steps.refuse),
    "change-portfolio": ConsolePage(lambda example: example.portfolio("Launch in Lisbon").replace("change", "edit")),
    "add-member": ConsolePage(lambda example: example.portfolio("Launch in Lisbon").replace("change", "members/add")),
    "confirmation": ConsolePage(
        lambda example: example.portfolio("Launch in Lisbon"),
        then=lambda page: (page.click("text=Abandon"), page.wait_for_selector("#reason")),
    ),
    "costs": ConsolePage("/admin/costs/overview/"),
    "cost-entries": ConsolePage("/admin/costs/cost/"),
    "cost-entry": ConsolePage("/admin/costs/cost/", then=steps.open_first),
    "webhooks": ConsolePage("/admin/subscriptions/subscription/"),
    "webhook": ConsolePage(
        lambda example: example.subscription("pager"), then=lambda page: page.locator(".oi-details summary").first.click()
    ),
    "webhook-disabled": ConsolePage(lambda example: example.subscription("old-dashboard")),
    "new-webhook": ConsolePage("/admin/subscriptions/subscription/add/"),
    "new-webhook-refused": ConsolePage("/admin/subscriptions/subscription/add/", then=steps.refuse),
    "new-webhook-shown": ConsolePage("/admin/subscriptions/subscription/add/", then=steps.subscribe),
    "change-webhook": ConsolePage(lambda example: example.subscription("pager").replace("change", "edit")),
    "rotate-webhook": ConsolePage(lambda example: example.subscription("pager").replace("change", "rotate")),
    "deliveries": ConsolePage("/admin/subscriptions/delivery/"),
    "delivery": ConsolePage(lambda example: example.delivery()),
    "keys": ConsolePage("/admin/access/apikey/"),
    "key": ConsolePage(lambda example: example.key()),
    "new-key": ConsolePage("/admin/access/apikey/add/"),
    "new-key-refused": ConsolePage("/admin/access/apikey/add/", then=steps.refuse),
    "new-key-shown": ConsolePage("/admin/access/apikey/add/", then=steps.make_key),
    "connect-agent": ConsolePage("/admin/access/apikey/connect/"),
    "agent-connected": ConsolePage("/admin/access/apikey/connect/", then=steps.connect),
    "rotate-key": ConsolePage(lambda example: example.key().replace("change", "rotate")),
    "people": ConsolePage("/admin/auth/user/"),
    "audit": ConsolePage("/admin/audit/"),
    "person": ConsolePage(lambda example: example.person("ines")),
    "person-off": ConsolePage(lambda example: example.person("sam")),
    "new-person": ConsolePage("/admin/auth/user/add/"),
    "new-person-refused": ConsolePage("/admin/auth/user/add/", then=steps.refuse),
    "new-link": ConsolePage(lambda example: example.person("vera").replace("change", "link")),
    "new-link-shown": ConsolePage(lambda example: example.person("vera").replace("change", "link"), then=steps.make_link),
    "set-password": ConsolePage(lambda example: example.people["link"], None),
    "set-password-refused": ConsolePage(lambda example: example.people["link"], None, then=steps.refuse_password),
    "dead-link": ConsolePage("/admin/enter/x/", None),
    "change-password": ConsolePage("/admin/password_change/", "viewer"),
    "saved-view": ConsolePage("/admin/intents/intent/?status__exact=blocked", then=steps.save_view),
    "saved-views": ConsolePage(
        "/admin/intents/intent/?status__exact=blocked", then=lambda page: (steps.save_view(page), page.goto("/admin/views/"))
    ),
    "agents": ConsolePage("/admin/agents/"),
    "agent": ConsolePage("/admin/agents/sre-agent/"),
    "sign-in": ConsolePage("/admin/login/", None),
    "sign-in-refused": ConsolePage("/admin/login/", None, then=steps.sign_in_wrongly),
    "refused": ConsolePage("/admin/access/apikey/add/", "viewer"),
    "not-found": ConsolePage("/admin/agents/nobody/"),
}


@contextmanager
def example(database_url: str, *, intents: int) -> Iterator[Example]:
    """A server with the example, and a key that somebody has made."""
    environment = {**os.environ, "DATABASE_URL": database_url, "OPENINTENT_DEV_MODE": "true"}
    server = Server(database_url)
    environment |= server._defaults()
    done = run("config.manage", ["demo", "--intents", str(intents)], environment)
    assert done.returncode == 0, done.stderr
    made = run("config.manage", ["shell", "--no-imports", "-c", _PEOPLE], environment)
    assert made.returncode == 0, made.stderr
    with server:
        body = {"name": "nightly report", "role": "agent", "agent_id": "writer-agent"}
        requests.post(f"{server.api}/keys", json=body, headers=KEY, timeout=20).raise_for_status()
        yield Example(server, json.loads(made.stdout))
