"""Attachments in the console: the list, the page of one, what is shown of a file, and removing."""

import re
from base64 import b64encode
from hashlib import sha256

import pytest

from attachments import blob_store
from attachments.models import Attachment
from console.attachments import previews
from tests.conftest import log

NASTY = "<script>alert(1)</script>"
LIST = "attachments/attachment/"
PNG = b"\x89PNG bytes"


@pytest.fixture(autouse=True)
def storage(settings, tmp_path):
    backend = {"BACKEND": "attachments.storage.FolderStorage", "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "attachments": backend}


@pytest.fixture
def intent(make_intent):
    return make_intent(title="Check the figures")


@pytest.fixture
def attach(agent, intent):
    def attach(content=b"hello", name="a.txt", content_type="text/plain", *, to=None, by="ada", **fields):
        body = {"filename": name, "content_type": content_type, **fields}
        if content is not None:
            body["content_base64"] = b64encode(content).decode()
        response = agent(by).post(f"/intents/{(to or intent)['id']}/attachments", body)
        assert response.status_code == 201, response.json()
        return response.json()

    return attach


def page_of(person, attachment, **query):
    return person.get(f"{LIST}{attachment['id']}/change/", query)


def names(person, **query):
    return re.findall(r'oi-row-title" href="[^"]*">([^<]*)<', person.get(LIST, query).text)


# --- the list ---------------------------------------------------------------------------------------------------------


def test_a_row_says_what_it_is_who_attached_it_and_to_what(person, attach, intent):
    attachment = attach(b"x" * 2048, name="report.pdf", content_type="application/pdf")

    page = person("viewer").get(LIST).text

    [row] = re.findall(r'<li class="oi-row">.*?</li>', page, re.DOTALL)
    for told in (
        "report.pdf",
        "application/pdf, 2.0\xa0KB",
        ">ada</a>",
        ">Check the figures</a>",
        "<time",
        ">pdf</span>",
    ):
        assert told in row, told
    assert f"/admin/intents/intent/{intent['id']}/change/" in row
    assert f"/admin/{LIST}{attachment['id']}/change/" in row


def test_small_raster_images_are_shown_and_nothing_else(person, attach, monkeypatch):
    monkeypatch.setattr("console.attachments.admin.MAX_THUMBNAIL_BYTES", 100)
    shown = attach(PNG, name="small.png", content_type="image/png")
    attach(b"x" * 101, name="large.png", content_type="image/png")
    attach(b"<svg onload='alert(1)'/>", name="drawing.svg", content_type="image/svg+xml")
    attach(b"<p>", name="page.html", content_type="text/html")
    attach(None, name="far.png", content_type="image/png", storage_url="https://files.example.com/far.png", size=5)

    page = person("viewer").get(LIST).text

    assert re.findall(r'<img loading="lazy" decoding="async" src="([^"]*)"', page) == [f"/admin/{LIST}{shown['id']}/content/"]
    assert page.count("external") == 1
    assert "far.png</a>" in page


def test_tabs_part_them_by_kind_whatever_the_spelling(person, attach):
    attach(PNG, name="a.png", content_type="Image/PNG")
    attach(b"<svg/>", name="b.svg", content_type="image/svg+xml")
    attach(b"{}", name="c.json", content_type="application/json; charset=utf-8")
    attach(b"x", name="d.csv", content_type="text/csv")
    attach(b"%PDF", name="e.pdf", content_type="application/pdf")
    attach(None, name="f.bin", content_type="application/zip", storage_url="s3://bucket/f.bin", size=5)
    vera = person("viewer")

    assert names(vera) == ["f.bin", "e.pdf", "d.csv", "c.json", "b.svg", "a.png"]
    assert names(vera, kind="image") == ["b.svg", "a.png"]
    assert names(vera, kind="text") == ["d.csv", "c.json"]
    assert names(vera, kind="other") == ["f.bin", "e.pdf"]
    assert names(vera, kind="elsewhere") == ["f.bin"]


def test_search_finds_attachments_by_name_agent_digest_and_intent(person, attach, make_intent):
    attach(b"one", name="Quarter 4.csv")
    attach(b"two", name="other.csv", by="bob", to=make_intent(title="Elsewhere"))
    vera = person("viewer")

    assert names(vera, q="quarter 4") == ["Quarter 4.csv"]
    assert names(vera, q="bob") == ["other.csv"]
    assert names(vera, q="bo") == []
    assert names(vera, q=sha256(b"one").hexdigest().upper()) == ["Quarter 4.csv"]
    assert names(vera, q="\0") == ["other.csv", "Quarter 4.csv"]
    intent = Attachment.objects.get(filename="other.csv").intent_id
    assert names(vera, intent=str(intent)) == ["other.csv"]
    assert "Filtered by intent <a" in vera.get(LIST, {"intent": str(intent)}).text
    assert names(vera, intent="nonsense") == []


def test_an_empty_list_says_how_to_begin_and_a_narrow_one_how_to_widen(person, attach):
    vera = person("viewer")
    assert "client.add_attachment(" in vera.get(LIST).text

    attach()

    assert "No attachments match these filters" in vera.get(LIST, {"q": "nothing like it"}).text
    assert "No attachments match these filters" in vera.get(LIST, {"kind": "image"}).text


def test_markup_in_user_text_is_escaped(person, api, attach, make_intent):
    nasty = make_intent(title=NASTY)
    for content_type in ("text/plain", "text/html", "image/svg+xml", "image/png"):
        content = f"of {content_type}: {NASTY}".encode()
        attachment = attach(content, NASTY, content_type, to=nasty, by=NASTY, description=NASTY, metadata={NASTY: NASTY})
        page = page_of(person("operator", content_type), attachment).text

        assert NASTY not in page
        assert ("of text/plain: &lt;script&gt;" in page) == (content_type == "text/plain")
        assert ("<img" in page) == (content_type == "image/png")
        served = person("viewer", f"v {content_type}").get(f"{LIST}{attachment['id']}/content/")
        assert b"".join(served.streaming_content) == content
        assert served.headers["Content-Disposition"].startswith("attachment;")
        assert served.headers["Content-Security-Policy"] == "sandbox"

    assert NASTY not in person("operator").get(LIST).text


# --- the page of one --------------------------------------------------------------------------------------------------


def test_the_page_shows_a_text_its_digest_and_where_it_belongs(person, attach, intent):
    attachment = attach(
        b"quarter,amount\nQ4,1234\n", name="figures.csv", description="As the bank sent them", metadata={"page": 3}
    )

    page = page_of(person("viewer"), attachment).text

    for told in (
        "figures.csv", "As the bank sent them", "Q4,1234", attachment["sha256"], "text/plain", "23\xa0bytes",
        "Check the figures", '<span class="oi-name">page</span>', 'data-copy="oi-sha256"', f"/{attachment['id']}/content/\">Download",
    ):  # fmt: skip
        assert told in page, told
    assert f'data-follow="/admin/follow?intent={intent["id"]}"' in page


def test_of_a_long_text_the_beginning_is_shown_and_no_character_in_two(person, attach):
    text = "é" * previews.LONG
    attachment = attach(b"x" + text.encode(), name="long.txt")

    page = page_of(person("viewer"), attachment).text

    [shown] = re.findall(r'<pre class="oi-code"[^>]*><code>([^<]*)</code></pre>', page)
    assert shown == "x" + "é" * (previews.LONG // 2 - 1)
    assert "first part" in page


def test_images_are_drawn_from_where_their_bytes_are_served(person, attach):
    attachment = attach(PNG, name="a.png", content_type="image/png", description="The rate of errors")

    page = page_of(person("viewer"), attachment).text

    assert re.search(
        rf'<img class="oi-preview"[^>]* src="/admin/{LIST}{attachment["id"]}/content/" alt="The rate of errors">', page
    )


@pytest.mark.parametrize(
    ("content_type", "content", "said"),
    [("application/zip", b"PK", "No preview for this file type"), ("text/plain", b"", "The file is empty")],
)
def test_missing_preview_says_why(person, attach, content_type, content, said):
    attachment = attach(content, content_type=content_type)

    assert said in page_of(person("viewer"), attachment).text


@pytest.mark.rule("T-1")
@pytest.mark.parametrize(("url", "is_linked"), [("https://files.example.com/a.png", True), ("s3://bucket/a.png", False)])
def test_a_file_kept_elsewhere_says_so_and_is_never_fetched(person, attach, url, is_linked):
    attachment = attach(None, name="a.png", content_type="image/png", storage_url=url, size=5, sha256="0" * 64)

    page = page_of(person("viewer"), attachment).text

    assert "External file." in page
    assert f"<code>{url}</code>" in page
    assert (f'href="{url}" rel="noopener noreferrer"' in page) is is_linked
    assert "Download" not in page
    assert "<img" not in page
    assert f'src="{url}' not in page


@pytest.mark.parametrize("content_type", ["text/plain", "image/png"])
def test_a_file_whose_bytes_are_gone_says_so(person, attach, content_type):
    attachment = attach(b"here today", content_type=content_type)
    vera = person("viewer")
    assert "File missing from storage." not in page_of(vera, attachment).text

    blob_store.delete(attachment["sha256"])

    page = page_of(vera, attachment).text
    assert "File missing from storage." in page
    assert "Download" not in page
    assert "here today" not in page
    assert "<img" not in page
    assert vera.get(f"{LIST}{attachment['id']}/content/").status_code == 404


def test_a_storage_that_does_not_answer_takes_no_page_along(person, attach, intent, monkeypatch):
    attachment = attach(b"out of reach")

    def away(*_):
        raise OSError("no network")

    for name in ("exists", "read_from"):
        monkeypatch.setattr(f"attachments.storage.FolderStorage.{name}", away)
    vera = person("viewer")

    page = page_of(vera, attachment)
    assert page.status_code == 200
    assert "The storage is not responding." in page.text
    assert "out of reach" not in page.text
    assert "a.txt" in vera.get(f"intents/intent/{intent['id']}/change/").text
    assert "a.txt" in vera.get(LIST).text


def test_attachments_with_the_same_bytes_name_each_other(person, attach, make_intent):
    first = attach(b"same", name="one.txt")
    attach(b"same", name="two.txt", to=make_intent(title="Another"))
    attach(b"different", name="three.txt")

    page = page_of(person("viewer"), first).text

    assert "Identical files" in page
    assert "two.txt" in page
    assert "Another" in page
    assert "three.txt" not in page


# --- removing ---------------------------------------------------------------------------------------------------------


def test_several_are_removed_by_an_operator_who_is_asked_first(person, api, attach, intent):
    both = [attach(b"one", name="one.txt"), attach(b"two", name="two.txt")]
    olga = person("operator")
    chosen = {"action": "remove", "index": 0, "_selected_action": [each["id"] for each in both]}

    question = olga.post(LIST, chosen).text
    assert "This can&#x27;t be undone." in question
    assert Attachment.objects.count() == 2
    told = olga.act(LIST.rstrip("/"), "remove", *chosen["_selected_action"]).text

    assert "Removed: " in told
    assert not Attachment.objects.exists()
    assert log(api, intent)[-2:] == [("attachment_removed", "user:grace")] * 2


def test_removal_on_the_page_leads_to_the_list_and_cancel_back(person, attach):
    attachment = attach()
    olga, path = person("operator"), f"/admin/{LIST}{attachment['id']}/change/"
    assert 'class="oi-button">Remove<' in page_of(olga, attachment).text
    sent = {"action": "remove", "index": 0, "_selected_action": [attachment["id"]], "back": path}

    assert f'href="{path}"' in olga.post(LIST, sent).text
    done = olga.post(LIST, {**sent, "confirmed": "yes"})

    assert done.url == f"/admin/{LIST}"


def test_attachment_removed_by_another_person_is_reported(person, api, attach, intent):
    attachment = attach()
    olga = person("operator")
    api.delete(f"/intents/{intent['id']}/attachments/{attachment['id']}")

    panels = page_of(olga, attachment, panels="1")
    assert panels.status_code == 200
    assert "No longer available" in panels.text
    assert "no longer in this list" in olga.act(LIST.rstrip("/"), "remove", attachment["id"]).text
    assert "attachment_removed" in log(api, intent)[-1]


@pytest.mark.parametrize("role", ["viewer", "arbiter"])
def test_only_operators_remove(person, attach, role):
    attachment = attach()
    vera = person(role)

    for page in (vera.get(LIST), page_of(vera, attachment)):
        assert page.status_code == 200
        assert 'value="remove"' not in page.text
        assert "oi-pick" not in page.text
    refused = vera.post(LIST, {"action": "remove", "_selected_action": [attachment["id"]], "confirmed": "yes"})

    assert refused.status_code == 403
    assert Attachment.objects.count() == 1


def test_removing_needs_its_csrf_token(person, attach):
    attachment = attach()
    olga = person("operator", enforce_csrf_checks=True)

    assert olga.post(LIST, {"action": "remove", "_selected_action": [attachment["id"]], "confirmed": "yes"}).status_code == 403
    assert Attachment.objects.count() == 1


def test_the_pages_cost_the_same_queries_whatever_there_is(person, attach, make_intent):
    first = attach(b"same")
    vera = person("viewer")
    one = f"{LIST}{first['id']}/change/"
    list_before, page_before = vera.queries(LIST), vera.queries(one)

    for number in range(8):
        attach(b"same", name=f"{number}.txt", to=make_intent(title=f"No. {number}"), by=f"agent-{number}")
        attach(PNG, name=f"{number}.png", content_type="image/png")

    assert vera.queries(LIST) == list_before <= 12
    assert vera.queries(one) == page_before <= 12
