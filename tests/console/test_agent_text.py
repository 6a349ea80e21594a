"""Text of agents as HTML: the subset of Markdown, code, diffs, links, folding. Hostile texts become nothing else."""

import re
import time
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console import agent_text
from console.agent_text import MAX_MARKDOWN, brief, code_block, folded, prose, split_title, value_text

DIFF = """--- a/prices.py
+++ b/prices.py
@@ -1,3 +1,3 @@
 def price(order):
-    return 1
+    return 2"""


def text_of(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html)).strip()


@pytest.mark.parametrize(
    ("written", "shown"),
    {
        "bold": ("**now**", '<p dir="auto"><strong>now</strong></p>'),
        "italic": ("*now*", '<p dir="auto"><em>now</em></p>'),
        "code": ("`rm -r a`", '<p dir="auto"><code dir="ltr">rm -r a</code></p>'),
        "a line break": ("one\ntwo", '<p dir="auto">one<br>two</p>'),
        "paragraphs": ("one\n\ntwo", '<p dir="auto">one</p><p dir="auto">two</p>'),
        "a list": ("- a\n- b", '<ul><li dir="auto">a</li><li dir="auto">b</li></ul>'),
        "a numbered list": ("3. a\n4. b", '<ol start="3"><li dir="auto">a</li><li dir="auto">b</li></ol>'),
        "a heading": ("## Plan", '<p class="oi-prose-heading" dir="auto">Plan</p>'),
        "a quotation": ("> said", '<blockquote><p dir="auto">said</p></blockquote>'),
        "a rule": ("a\n\n---", '<p dir="auto">a</p><hr>'),
        "a path of Windows": (r"C:\_new\*.log", r'<p dir="auto">C:\_new\*.log</p>'),
        "an entity": ("&lt;b&#x202e;", '<p dir="auto">&amp;lt;b&amp;#x202e;</p>'),
        "snake case": ("max_open_files", '<p dir="auto">max_open_files</p>'),
    }.values(),
)
def test_markdown_subset(written, shown):
    assert prose(written) == f'<div class="oi-prose-text">{shown}</div>'


def test_fence_is_code_with_its_language():
    shown = prose("Run:\n```bash\nmake  run <x>\n```")

    assert '<figcaption class="oi-code-label">bash</figcaption>' in shown
    assert "<code>make  run &lt;x&gt;</code>" in shown


@pytest.mark.parametrize("written", [f"```diff\n{DIFF}\n```", DIFF, f"The fix:\n\n{DIFF}", f"The fix:\n{DIFF}\n\nShall I?"])
def test_diff_has_its_lines_colored(written):
    shown = prose(written)

    assert '<span class="oi-code-line oi-code-removed">-    return 1</span>' in shown
    assert '<span class="oi-code-line oi-code-added">+    return 2</span>' in shown
    assert '<span class="oi-code-line oi-code-head">--- a/prices.py</span>' in shown
    assert '<span class="oi-code-line"> def price(order):</span>' in shown
    assert ("Shall I?" in written) == ('<p dir="auto">Shall I?</p>' in shown)


def test_dashes_and_lists_are_no_diff():
    assert "oi-code-line" not in prose("--- \n- one\n+ two\n---")


# --- links -----------------------------------------------------------------------------------------------------------


def link(html):
    return re.search(r'<a class="oi-away" href="([^"]*)" rel="([^"]*)" target="_blank">(.*?)</a>', html)


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("https://example.com/pr/1", "https://example.com/pr/1"),
        ("See (https://example.com/a_(b)).", "https://example.com/a_(b)"),
        ("<https://example.com/a>", "https://example.com/a"),
        ("http://localhost:8000/x?a=1&b=2.", "http://localhost:8000/x?a=1&amp;b=2"),
    ],
)
def test_address_is_a_link_that_is_its_own_text(written, url):
    found = link(prose(written))

    assert (found[1], found[2]) == (url, "noopener noreferrer nofollow")
    assert text_of(found[3]) == url


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("[the change](https://example.com/pr/1)", "example.com"),
        ("[https://bank.example](https://evil.test/x)", "evil.test"),
        ("[https://evil.test.](https://evil.test/x)", "evil.test"),
        ("[bank.example](https://evil.test:8443)", "evil.test:8443"),
        ("![logo](https://tracker.test/p.png)", "tracker.test"),
        ("https://b\u0430nk.example/", "xn--bnk-6cd.example"),  # With a Cyrillic letter.
    ],
)
def test_link_with_another_text_names_its_host(written, host):
    shown = prose(written)

    assert f'<span class="oi-host">({host})</span>' in link(shown)[3]
    assert "<img" not in shown


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "data:text/html,<script>alert(1)</script>", "vbscript:x",
        "data:image/png;base64,aGk=", "file:///etc/passwd", "//evil.test", "/admin/logout/", "mailto:a@b.c", "https://bank.example@evil.test/",
        "https://bank.example\\@evil.test/", "http://", "https:///evil.test", "https://[::1", "https://evil.test%2f@x/", "blob:https://a/b",
        "&#106;avascript:alert(1)", "https:\\\\evil.test", "ftp://a.b", "feed:javascript:alert(1)", "view-source:https://a.b",
    ],
)  # fmt: skip
def test_other_addresses_are_text(url):
    for written in (url, f"[x]({url})", f"![x]({url})", f"[x](<{url}>)", f"<{url}>"):
        shown = prose(written)
        assert "href" not in shown or re.fullmatch(r"https://[a-z.]+/?", link(shown)[1]), written
        assert "evil" not in str(re.findall('href="([^"]*)"', shown))


# --- hostile ---------------------------------------------------------------------------------------------------------

XSS = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg/onload=alert(1)>", "<a href=javascript:alert(1)>x</a>",
    "<iframe srcdoc='<script>alert(1)</script>'>", "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    '"><script>alert(1)</script>', "'-alert(1)-'", "</textarea><script>alert(1)</script>", "</title><svg onload=alert(1)>",
    "<!--><script>alert(1)</script>-->", "<![CDATA[<script>alert(1)</script>]]>", "<details open ontoggle=alert(1)>", "<body onload=alert(1)>",
    '[x](https://a.b" onclick="alert(1))', "[x](https://a.b' onclick='alert(1))", '[x](https://a.b "t\\" onclick=\\"alert(1)")',
    '[x](https://a.b "><script>alert(1)</script>")', "![x\" onerror=\"alert(1)](https://a.b)", "![<script>](https://a.b)",
    "[<img src=x onerror=alert(1)>](https://a.b)", "[`<script>`](https://a.b)", "<https://a.b/<script>alert(1)</script>>",
    "https://a.b/\"onmouseover=\"alert(1)", "https://a.b/'><script>alert(1)</script>", "https://a.b/<script>alert(1)</script>",
    "`<script>alert(1)</script>`", "``<img src=x onerror=alert(1)>``", "```<script>\nalert(1)\n```", '```" onclick="alert(1)\nx\n```',
    "```html\n</code></pre><script>alert(1)</script>\n```", "~~~</figcaption><script>\nx\n~~~", "**<script>alert(1)</script>**",
    "# <script>alert(1)</script>", "> <script>alert(1)</script>", "- <script>alert(1)</script>", "1. <img src=x onerror=alert(1)>",
    "999999999. <script>", "--- a\n+++ b\n@@ -1 +1 @@\n+<script>alert(1)</script>", "diff --git <script>\n@@ -1 +1 @@ <script>",
    "{{7*7}}{% debug %}", "&lt;script&gt;alert(1)&lt;/script&gt;", "&#60;script&#62;", "\x00<script>", "<scr\u200bipt>", "\u2028<script>",
    "<xss x-init=alert(1)>", "<b @click=alert(1)>", "[a]: javascript:alert(1)\n[a]", "[x]:https://a.b\n\n[x]", "<style>*{display:none}</style>",
    "<form action=https://evil.test><input name=password>", "<base href=https://evil.test>", "<meta http-equiv=refresh content=0>",
    "<a id=oi-decide>", "<input name=decision value=approve>",
]  # fmt: skip
"""Texts that other renderers made code of."""

TAGS = {
    "div", "p", "ul", "ol", "li", "strong", "em", "code", "br", "hr", "blockquote", "a", "bdi", "span", "figure", "figcaption", "pre", "details",
    "summary",
}  # fmt: skip
ATTRIBUTES = {"class", "dir", "href", "rel", "target", "tabindex", "aria-label", "start", "title"}
CLASSES = re.compile(r"oi-[a-z-]+( oi-[a-z-]+)*")


class Strict(HTMLParser):
    """Fails on anything but the tags, attributes and classes of this module."""

    def handle_starttag(self, tag, attributes):
        assert tag in TAGS
        for name, value in attributes:
            assert name in ATTRIBUTES
            assert name != "href" or value.startswith(("http://", "https://"))
            assert name != "class" or CLASSES.fullmatch(value)

    def handle_comment(self, _):
        raise AssertionError("a comment")

    handle_decl = unknown_decl = handle_pi = handle_comment


def check(html):
    parser = Strict()
    parser.feed(html)
    parser.close()
    return html


WAYS = {
    "prose": prose,
    "folded": lambda text: folded(text * 200),
    "brief": lambda text: brief(text, 80),
    "title": lambda text: "".join(split_title(text)),
    "value": lambda text: value_text(text, markup=True) + value_text(f"{text}\n{text}"),
    "code": code_block,
    "code in a language": lambda text: code_block(text, text),
    "as one of a list": lambda text: prose(f"- a\n- {text}\n\n> {text}"),
    "as the text of a link": lambda text: prose(f"[{text}](https://example.com)"),
    "as an address": lambda text: prose(f"[x]({text}) <{text}> https://example.com/{text}"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("number", range(len(XSS)))
def test_hostile_text_becomes_no_other_markup(number, way):
    check(WAYS[way](XSS[number]))


PIECES = [*"*_`[]()<>!#-+>~\\\"'&:/. \n\tab1", "\u202e", "https://a.b", "word", "```", "@@ -1 +1 @@"]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=60).map("".join))
def test_no_word_of_a_text_is_lost(text):
    assert check(prose(text)).count("word") >= text.count("word")


@pytest.mark.parametrize("nested", ["> ", "- ", "1. ", ">", "- > "])
def test_text_nested_too_deep_is_shown_as_it_was_written(nested):
    assert text_of(prose(f"{nested * 60}the end")).endswith("the end")


@pytest.mark.parametrize(
    "part",
    ["[", "![", "[a](", "*a ", "*_", "**a *", "`a``", "> ", "- ", "<http://a", "\\", "]", "[]", "\n", "http://a.b/c) ", "\u202e", "a\u202e", "#", "a\n- b\n",
     "--- a\n+++ b\n", "@@ -1 +1 @@\n", "diff --git \n", "```\n", "|", "http://" + ")" * 3000, "  " * 50 + "- a\n", "👩\u200d"],
)  # fmt: skip
def test_the_longest_hostile_text_takes_less_than_a_second(part):
    text = (part * MAX_MARKDOWN)[:MAX_MARKDOWN]
    begun = time.process_time()

    shown = prose.__wrapped__(text)

    assert time.process_time() - begun < 1
    assert len(shown) < 60 * MAX_MARKDOWN


def test_a_megabyte_takes_less_than_a_second():
    for text in ("a\u202e" * 500_000, "http://a.b " * 90_000, "[" * 1_000_000, DIFF * 9_000, "\u200b" * 1_000_000):
        begun = time.process_time()
        shown = value_text(text, markup=True)
        assert time.process_time() - begun < 1.5
        assert len(shown) < 10 * len(text)


# --- short forms -----------------------------------------------------------------------------------------------------


def test_short_form_has_no_markup():
    assert brief("# **Roll** back [`v2`](https://a.b)?\n\n- one\n- two", 80) == "Roll back v2? one two"
    assert brief("word " * 100, 12) == "<bdi>word word w…</bdi>"
    assert brief("2 * 3 * 4", 80) == "2 * 3 * 4"


def test_first_line_is_the_heading_and_the_rest_the_body():
    title, body = split_title("## Deploy `v2`?\nIt **fixes** the prices.")

    assert title == 'Deploy <code dir="ltr">v2</code>?'
    assert body == '<div class="oi-prose-text"><p dir="auto">It <strong>fixes</strong> the prices.</p></div>'
    assert split_title("Deploy?") == ("Deploy?", "")


def test_text_of_another_direction_is_isolated():
    assert agent_text.visible("שלום 3") == "<bdi>שלום 3</bdi>"
    assert agent_text.visible("a < b") == "a &lt; b"


def test_a_long_line_is_no_heading_as_a_whole():
    sentences = "Deploy the new prices? " + "They were tested by everybody. " * 20
    title, body = split_title(sentences)
    assert title.startswith("Deploy the new prices? ")
    assert len(title) < agent_text.MAX_TITLE + 20
    assert text_of(title + " " + body) == sentences.strip()

    title, body = split_title("a" * 500)
    assert len(title) < agent_text.MAX_TITLE + 20
    assert "a" * 500 in body


def test_a_text_that_begins_with_code_has_a_heading_too():
    title, body = split_title(f"```diff\n{DIFF}\n```\nApply it?")

    assert title.startswith("--- a/prices.py")
    assert "oi-code-added" in body


def test_long_text_is_folded_and_whole():
    long = "A sentence. " * 300

    shown = folded(long)

    assert shown.startswith('<details class="oi-long"><summary>')
    assert f'Show all <span class="oi-size">{len(long):,} characters</span>' in shown
    assert long.strip() in shown
    assert "<details" not in folded("A sentence.")


def test_value_of_several_lines_is_monospace():
    assert "<code>a\n  b</code>" in value_text("a\n  b\n")
    assert value_text("a, b") == '<bdi class="oi-written">a, b</bdi>'
    assert "<li" not in value_text("- a\n- b")
    assert "<li" in value_text("- a\n- b", markup=True)
