"""Documentation site: builds without a warning, is complete, loads nothing from other hosts (see tests/browser/test_site.py)."""

import json
import re
from html.parser import HTMLParser

import openintent
import pytest
import yaml

from tests.processes import ROOT

pytestmark = [pytest.mark.full, pytest.mark.database("postgresql")]


LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "link": "href"}
"""Attributes whose addresses a browser loads by itself."""


class PageParser(HTMLParser):
    """Collects the addresses that a page loads, and its anchors."""

    def __init__(self, html):
        super().__init__()
        self.addresses, self.anchors = [], set()
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        self.anchors.add(named.get("id"))
        if named.get(LOADS.get(tag, "")) and named.get("rel") not in {"canonical", "next", "prev"}:
            self.addresses.append(named[LOADS[tag]])


def test_pages_load_nothing_from_other_hosts(site):
    pages = {path: PageParser(path.read_text()) for path in site.rglob("*.html")}

    assert len(pages) > 50
    assert {address for page in pages.values() for address in page.addresses if re.match(r"[a-z]+:|//", address)} == set()
    assert not [sheet for sheet in site.rglob("*.css") if re.search(r"(url\(|@import)\s*[\"']?(https?:)?//", sheet.read_text())]


def test_every_operation_has_an_anchor(site):
    anchors = {part: PageParser((site / f"reference/http/{part}.html").read_text()).anchors for part in parts()}

    assert [each["operationId"] for each in operations() if each["operationId"] not in anchors[each["tags"][0].lower()]] == []


def parts():
    return {operation["tags"][0].lower() for operation in operations()}


def test_every_public_name_of_the_sdk_is_documented(site):
    aliases = site / "coming-from-openintent-0.x.html"
    text = "".join(path.read_text() for path in (*(site / "reference/sdk").glob("*.html"), aliases))

    missing = [
        name for name in openintent.__all__ if name != "__version__" and f">{name}<" not in text and f".{name}" not in text
    ]
    assert missing == []


def test_search_finds_pages_and_operations(site):
    titles = {each["title"] for each in json.loads((site / "search/search_index.json").read_text())["docs"]}

    assert {"Tutorial: two agents and a person", "Leases", "Settings", "Error codes", "Decisions"} <= titles
    assert {operation["summary"] for operation in operations()} <= titles


def operations():
    """Return the operations of openapi.yaml."""
    paths = yaml.safe_load((ROOT / "openapi.yaml").read_text())["paths"]
    return [operation for methods in paths.values() for operation in methods.values()]
