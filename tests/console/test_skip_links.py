"""Skip links, and the key that leads to the next question, on every page of the console."""

import re

from tests.console.routes import ROUTES, fill_route, newest_ids


def test_every_page_begins_with_a_link_to_its_content(person, ask):
    ask("Pending?")
    reader, seen = person("operator").client, 0

    for url in [
        url for route in ROUTES if not re.search("logout|follow|login|enter/", route) for url in fill_route(route, newest_ids())
    ]:
        answer = reader.get(url)
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            body = answer.text.partition("<body")[2]
            if 'id="page"' not in body:
                continue  # The panels of a live page alone.
            assert re.search(r"<(?:a|button)[ >][^>]*", body)[0].startswith('<a class="oi-skip" href="#content"'), url
            assert body.count('id="content"') == 1, url
            seen += 1

    assert seen > 30
