"""Every link of the console leads somewhere, for whoever sees it: followed from page to page through the example."""

import re
from collections import Counter
from html import unescape
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
from django.core.management import call_command
from django.urls import resolve

from console.demo import bulk

pytestmark = [pytest.mark.full, pytest.mark.database("postgresql")]


ALL_OF = ("admin:intents_intent_change",)  # Each has something else.
LEFT = {"/admin/logout/"}
SAVED = {"attachments_attachment_content", "console_costs_export", "console_audit_csv", "console_audit_jsonl"}  # What is no page.


@pytest.fixture
def example(db, settings, tmp_path, monkeypatch):
    backend = {"BACKEND": "attachments.storage.FolderStorage", "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "attachments": backend}
    monkeypatch.setattr(bulk, "SAMPLES", 1)
    call_command("demo", "--intents", "0")


def kind_of(link):
    """Pages of one kind are made by the same view, and show the same."""
    parts = urlsplit(link)
    return resolve(parts.path).view_name, *sorted(name for name, _ in parse_qsl(parts.query, keep_blank_values=True))


def ours(page, address, name):
    """Return the console's URLs in the page's attributes of that name."""
    found = dict.fromkeys(urljoin(address, unescape(each)) for each in re.findall(rf'\s{name}="([^"]*)"', page))
    return [each for each in found if each.startswith("/admin/") and each not in LEFT]


@pytest.mark.parametrize("role", ["operator", "viewer"])
def test_every_link_leads_somewhere(person, example, role):
    """One page of each kind with the same parameters is followed."""
    reader = person(role).client
    seen, ways, broken, waiting = set(), Counter(), [], ["/admin/"]
    while waiting:
        link = waiting.pop(0)
        address, _, fragment = link.partition("#")
        kind = kind_of(address)
        if address in seen or (ways[kind] and kind != ALL_OF):
            continue
        seen.add(address)
        ways[kind] += 1
        answer = reader.get(address)
        if kind[0] == "admin:governance_arbitration_next":
            waiting.append(answer.headers["Location"])
        elif answer.status_code != 200:
            broken.append((link, answer.status_code))
        elif kind[0].removeprefix("admin:") in SAVED:
            answer.getvalue()
        else:
            page = answer.text
            within = [each for each in re.findall(r'href="#([^"]+)"', page) if f'id="{each}"' not in page]
            broken += [(address, f"no #{each}") for each in within]
            broken += [(link, "no such place")] if fragment and f'id="{fragment}"' not in page else []
            waiting += [each for name in ("href", "src") for each in ours(page, address, name)]
            for each in ours(page, address, "action"):
                resolve(urlsplit(each).path)

    assert not broken
    assert len(ways) > 50, sorted(ways)
