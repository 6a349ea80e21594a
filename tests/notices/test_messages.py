"""Messages: inert text of others in every format, nothing private, and a link that carries no right."""

import re

import pytest
from django.urls import reverse

from notices.delivery_worker import send_all_due
from notices.inert_text import show
from notices.models import Notice
from tests.governance.conftest import decide
from tests.notices.conftest import ask, make_channel, notices

CHATS = ["slack", "teams", "mattermost", "discord", "ntfy", "webhook"]
HOSTILE = (
    "Hi <!channel> <@U123> @everyone @here <https://evil.example|click> [click](https://evil.example) ``` **bold** "
    "www.evil.example javascript:alert(1) evil.example/x \u202egnp.exe\x07 &lt; <b>"
)
LINK = "https://oi.example/admin/governance/arbitration/{}/change/"


def target_of(receiver, kind):
    return receiver.url.replace("/hook", "/topic") if kind == "ntfy" else receiver.url


def sent_by(api, asker, intent, receiver, kind, **fields):
    """Return the question and what the channel was sent."""
    make_channel(api, target_of(receiver, kind), kind)
    asked = ask(asker, intent, **fields)
    assert send_all_due() == 1
    return asked, receiver.calls[-1]


def texts(value):
    """All texts of a JSON value."""
    if isinstance(value, dict):
        return [text for each in value.values() for text in texts(each)]
    if isinstance(value, list):
        return [text for each in value for text in texts(each)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("kind", CHATS)
def test_a_message_has_asker_question_urgency_end_and_link(api, asker, intent, receiver, kind):
    asked, call = sent_by(api, asker, intent, receiver, kind, options=["ship", "wait"], expires_at="2999-01-01T12:30:00Z")

    said = "\n".join(texts(call.json))
    assert [
        word for word in ("deploy-bot", "May I deploy?", "normal", "Ship the order", "ship", "wait") if word not in said
    ] == []
    assert "2999-01-01 12:30 UTC" in said or "2999-01-01T12:30:00" in said
    assert LINK.format(asked["id"]) in said


def test_slack_gets_plain_text_with_its_markup_escaped(api, asker, intent, receiver):
    asked, call = sent_by(api, asker, intent, receiver, "slack", reason=HOSTILE)

    body = call.json
    section, context = body["blocks"]
    assert section["text"]["type"] == "plain_text"
    assert re.search("[<>]", section["text"]["text"]) is None
    assert "&lt;!channel&gt;" in section["text"]["text"]
    assert context["elements"][0]["text"] == f"<{LINK.format(asked['id'])}|Open the question>"
    assert (body["text"], body["parse"], body["unfurl_links"]) == ("A question waits for an answer", "none", False)


def test_teams_gets_a_card_of_text_runs(api, asker, intent, receiver):
    asked, call = sent_by(api, asker, intent, receiver, "teams", reason=HOSTILE)

    [attachment] = call.json["attachments"]
    assert (attachment["contentType"], attachment["contentUrl"]) == ("application/vnd.microsoft.card.adaptive", None)
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    *runs, actions = card["body"]
    assert {each["type"] for each in runs} == {"RichTextBlock"}
    assert {run["type"] for each in runs for run in each["inlines"]} == {"TextRun"}
    assert [each["url"] for each in actions["actions"]] == [LINK.format(asked["id"])]


@pytest.mark.parametrize("kind", ["mattermost", "discord"])
def test_mattermost_and_discord_get_text_of_others_in_a_block_of_code(api, asker, intent, receiver, kind):
    _, call = sent_by(api, asker, intent, receiver, kind, reason=HOSTILE)

    said = call.json["text"] if kind == "mattermost" else call.json["embeds"][0]["description"]
    assert said.count("```") == 2
    before, inside, after = said.split("```")
    assert "everyone" in inside
    assert "everyone" not in before + after + call.json.get("content", "")
    if kind == "discord":
        assert call.json["allowed_mentions"] == {"parse": []}
    else:
        assert not re.search(r"@\w", said)


def test_ntfy_is_published_to_the_server_of_the_topic(api, asker, intent, receiver):
    asked, call = sent_by(api, asker, intent, receiver, "ntfy", reason="é" * 3_000)

    assert (call.path, call.json["topic"], call.json["priority"]) == ("/", "topic", 3)
    assert call.json["click"] == LINK.format(asked["id"])
    assert len(call.json["message"].encode()) <= 4_096


@pytest.mark.parametrize("kind", [*CHATS[:-1], "email"])
def test_no_format_has_a_link_or_an_invisible_character_of_others(api, asker, intent, receiver, mail_server, kind):
    if kind == "email":
        make_channel(api, "ada@example.com", "email")
        ask(asker, intent, HOSTILE, options=["https://evil.example/a"], context={"url": "https://evil.example/b"})
        send_all_due()
        said = mail_server.mails[0].text + mail_server.mails[0].message["Subject"]
    else:
        more = {"options": ["https://evil.example/a"], "context": {"url": "https://evil.example/b"}}
        said = "\n".join(texts(sent_by(api, asker, intent, receiver, kind, reason=HOSTILE, **more)[1].json))

    assert not re.search(r"(?i)https?://evil|www\.evil|javascript:|evil\.example/", said)
    assert "\u27e8U+202E\u27e9" in said
    assert "\u202e" not in said
    assert "\x07" not in said


def test_an_agent_s_name_and_an_intent_s_title_are_inert_too(api, agent, make_intent, receiver):
    intent = make_intent(title="<!here> https://evil.example/t")
    _, call = sent_by(api, agent("<!channel>"), intent, receiver, "slack")

    assert not [text for text in texts(call.json) if "<!" in text or "https://evil" in text]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("plain text, e.g. Node.js", "plain text, e.g. Node.js"),
        ("a\r\nb\tc", "a b c"),
        ("zero\u200bwidth", "zero\u27e8U+200B\u27e9width"),
        ("line\u2028end", "line\u27e8U+2028\u27e9end"),
        ("FTP://x HTTP://y", "FTP[:]//x HTTP[:]//y"),
        ("mailto:a@b.c", "mailto[:]a@b.c"),
        ("see evil.example:80", "see evil[.]example:80"),
        ("x" * 50, "x" * 19 + "…"),
    ],
)
def test_text_of_others_is_made_inert(given, shown):
    assert show(given, 20 if given.startswith("xx") else 100) == shown


# --- private contexts ---


@pytest.mark.rule("H-6")
@pytest.mark.parametrize("kind", [*CHATS, "email"])
@pytest.mark.parametrize("mark", [True, 1, "yes"])
def test_a_private_context_never_leaves(api, asker, intent, receiver, mail_server, kind, mark):
    target = "ada@example.com" if kind == "email" else target_of(receiver, kind)
    make_channel(api, target, kind)
    ask(asker, intent, context={"private": mark, "salary": "sesame"})
    ask(asker, intent, "Another?", context={"private": False, "why": "caraway"})
    while send_all_due():
        pass

    said = b"".join(each.content for each in mail_server.mails) + b"".join(call.body for call in receiver.calls)
    assert b"sesame" not in said
    assert b"caraway" in said


# --- links ---


@pytest.mark.rule("H-4")
@pytest.mark.parametrize("method", ["get", "head"])
def test_opening_a_link_decides_nothing(api, asker, intent, client, person, receiver, method):
    _, call = sent_by(api, asker, intent, receiver, "webhook", options=["yes", "no"])
    link = call.json["data"]["questions"][0]["link"].removeprefix("https://oi.example")
    decide_path = reverse("admin:governance_arbitration_decide", args=[notices(api)[0]["arbitration_id"]])
    addresses = [link, f"{link}?decision=yes", f"{decide_path}?decision=yes"]

    signed_out = [getattr(client, method)(each).status_code for each in addresses]
    client.force_login(person("ada"))
    signed_in = [getattr(client, method)(each).status_code for each in addresses]

    assert signed_out == [302] * 3
    assert signed_in[0] == 200
    assert api.get(f"/arbitrations/{notices(api)[0]['arbitration_id']}").json()["status"] == "pending"


@pytest.mark.rule("H-4")
def test_a_forged_or_forwarded_link_decides_nothing(api, asker, intent, client, person):
    asked = ask(asker, intent, options=["yes"])
    path = reverse("admin:governance_arbitration_decide", args=[asked["id"]])

    assert client.post(path, {"decision": "yes"}).status_code == 302  # To sign in.
    client.force_login(person("eve", role="viewer"))
    client.post(path, {"decision": "yes"})

    assert api.get(f"/arbitrations/{asked['id']}").json()["status"] == "pending"


@pytest.mark.rule("H-4")
def test_a_link_used_after_the_answer_shows_how_it_ended(api, asker, intent, client, person, receiver):
    asked, call = sent_by(api, asker, intent, receiver, "webhook", options=["yes", "no"])
    decide(api, intent, "no", rationale="Too late today")
    client.force_login(person("ada"))
    link = call.json["data"]["questions"][0]["link"].removeprefix("https://oi.example")

    page = client.get(link)
    client.post(reverse("admin:governance_arbitration_decide", args=[asked["id"]]), {"decision": "yes"})

    assert page.status_code == 200
    assert "Too late today" in page.content.decode()
    assert api.get(f"/arbitrations/{asked['id']}").json()["decision"]["decision"] == "no"


def test_without_a_public_address_there_is_no_link(api, asker, intent, receiver, settings):
    settings.PUBLIC_URL = ""
    _, call = sent_by(api, asker, intent, receiver, "slack")

    assert [each["type"] for each in call.json["blocks"]] == ["section"]


def test_a_link_has_the_path_of_the_site_once(api, asker, intent, receiver, settings):
    settings.PUBLIC_URL = "https://site.example/oi"
    asked, call = sent_by(api, asker, intent, receiver, "webhook")

    assert (
        call.json["data"]["questions"][0]["link"] == f"https://site.example/oi/admin/governance/arbitration/{asked['id']}/change/"
    )
    assert Notice.objects.count() == 1
