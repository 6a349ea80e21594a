"""Text of agents as HTML: a subset of Markdown, code and diffs, links that say where they lead, invisible characters as marks.

Every tag is written here. A text that could become anything else is shown as it was written, and no part of one is left out.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from html import escape
from urllib.parse import urlsplit

from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.token import Token

from core.invisible_characters import character_name, code_point, mark_invisible, name_invisible

MAX_MARKDOWN = 10_000  # Characters of a text in which markup is looked for: an agent's longest.
MAX_MARKED = 50_000  # Characters of a text in which addresses are links and invisible characters have their names.
MAX_TITLE = 200
MAX_DIFF = 2_000  # Lines of a diff that are colored.
FOLDED = 1_500  # Characters, from which on a text is folded, and of which a folded one shows some.
SHOWN_FOLDED = 300
NAMED = 3  # Invisible characters of a run whose names are told.
REMEMBERED = 256  # Texts: a live page is rendered again and again.

_MARKUP = re.compile(r"[`*_\[<>#~]|https?://|^[ \t]*(?:[-+]|\d{1,9}[.)])[ \t]|^(?:@@ |diff --git |---)", re.MULTILINE)
_NO_TITLE = re.compile(r"[ \t]*(?:```|~~~|>|[-+*] |\d{1,9}[.)] |diff --git |@@ |---)")
_URL = re.compile(r"(?<![a-z0-9:/.@-])https?://[^\s<>\"`\\]{1,2000}", re.IGNORECASE)
_URL_END = ".,;:!?'*_~|"
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9._-]*[a-z0-9.])?|\[[0-9a-f:.]+\])(?::\d{1,5})?", re.IGNORECASE)
_SENTENCE = re.compile(r"[.?!]\s")
_DIFF_HUNK = re.compile(r"^@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@", re.MULTILINE)
_DIFF_LINE = re.compile(r"[ +\-@\\]|diff |index |(?:new|deleted) file |(?:old|new) mode |similarity |rename |Binary files |$")
_DIFF_LANGUAGES = ("diff", "patch")


# --- one line --------------------------------------------------------------------------------------------------------


def visible(text: object) -> SafeString:
    """Return the text with marks for invisible characters, isolated from its surroundings if it may have another direction."""
    return _isolated(str(text), _marked(str(text)))


def _isolated(text: str, shown: str) -> SafeString:
    return mark_safe(shown if text.isascii() else f"<bdi>{shown}</bdi>")


def plain(text: object) -> str:
    """Return the text for attributes and titles, where there is no markup: invisible characters by their numbers."""
    return name_invisible(str(text))


def brief(text: object, length: int) -> SafeString:
    """Return the beginning of the text in one line, without its markup."""
    return visible(brief_text(str(text), length))


@lru_cache(maxsize=2 * REMEMBERED)
def brief_text(text: str, length: int) -> str:
    beginning = text[: 4 * length]
    if _MARKUP.search(beginning):
        beginning = "".join(_words(_markdown().parse(beginning)))
    words = " ".join(beginning.split())
    return words if len(words) <= length and len(text) <= 4 * length else f"{words[: length - 1]}…"


def linked(text: str) -> SafeString:
    """Return the text as it was written, with links for its web addresses."""
    return mark_safe(f'<bdi class="oi-written">{_linked(text)}</bdi>')


# --- texts -----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=REMEMBERED)
def prose(text: str) -> SafeString:
    """Return the text with its markup."""
    tokens = _parsed(text)
    if tokens is None:
        return mark_safe(f'<div class="oi-prose-text"><p class="oi-written" dir="auto">{_linked(text)}</p></div>')
    return mark_safe(f'<div class="oi-prose-text">{"".join(_blocks(tokens))}</div>')


def folded(text: str) -> SafeString:
    """Return the text with its markup; a long one is folded."""
    return prose(text) if len(text) <= FOLDED else fold(text, prose(text))


def value_text(text: str, *, markup: bool = False) -> SafeString:
    """Return a text among JSON: one line as it is, several as code; with `markup`, if it has any, as prose."""
    if markup and "\n" in text.strip() and _has_markup(text):
        return folded(text)
    whole = code_block(text.strip("\n")) if "\n" in text else linked(text)
    return whole if len(text) <= FOLDED // 2 else fold(text, whole)


def fold(text: str, whole: SafeString) -> SafeString:
    return mark_safe(
        f'<details class="oi-long"><summary><span class="oi-long-start">{brief(text, SHOWN_FOLDED)}</span> '
        f'<span class="oi-more">Show all <span class="oi-size">{len(text):,} characters</span></span>'
        f'<span class="oi-less">Show less</span></summary>{whole}</details>'
    )


def split_title(text: str) -> tuple[SafeString, SafeString]:
    """Return the first line as a heading, with its markup, and the rest as prose.

    A first line that is no heading, or too long for one, has its beginning there, and the whole text is the rest.
    """
    text = text.strip()
    first, _, rest = text.partition("\n")
    if _NO_TITLE.match(first):
        return brief(text, MAX_TITLE // 2), prose(text)
    if len(first) > MAX_TITLE:
        ends = [found.end() for found in _SENTENCE.finditer(first, 0, MAX_TITLE)]
        if not ends:
            return brief(first, MAX_TITLE), prose(text)
        first, rest = first[: ends[-1]], text[ends[-1] :]
    [inline] = _markdown().parseInline(re.sub(r"^#{1,6}[ \t]+", "", first.strip()))
    title = _isolated(first, "".join(_inline(inline.children or [])))
    return title, prose(rest.strip()) if rest.strip() else mark_safe("")


# --- code and diffs --------------------------------------------------------------------------------------------------


def code_block(text: str, language: str = "") -> SafeString:
    """Return the text in monospace; a diff has its lines colored."""
    is_diff = language.lower() in _DIFF_LANGUAGES or (not language and looks_like_diff(text))
    label = language or ("diff" if is_diff else "")
    caption = f'<figcaption class="oi-code-label">{_marked(label)}</figcaption>' if label else ""
    lines = text.split("\n")
    shown = "".join(_diff_lines(lines)) if is_diff and len(lines) <= MAX_DIFF else _marked(text)
    return mark_safe(
        f'<figure class="oi-code-block">{caption}<pre class="oi-code" dir="ltr" tabindex="0" '
        f'aria-label="{escape(plain(label)) or "Text"}"><code>{shown}</code></pre></figure>'
    )


def looks_like_diff(text: str) -> bool:
    beginning = text.lstrip("\n")
    return beginning.startswith(("diff --git ", "--- ", "@@ -", "Index: ")) and bool(_DIFF_HUNK.search(text))


def _diff_lines(lines: Sequence[str]) -> Iterator[str]:
    is_head = True
    for line in lines:
        if line.startswith(("diff ", "Index: ")):
            is_head = True
        elif line.startswith("@@"):
            is_head = False
        kind = "head" if is_head and not line.startswith("@@") else _DIFF_KINDS.get(line[:1], "")
        yield (
            f'<span class="oi-code-line oi-code-{kind}">{_marked(line)}</span>'
            if kind
            else f'<span class="oi-code-line">{_marked(line)}</span>'
        )


_DIFF_KINDS = {"+": "added", "-": "removed", "@": "place"}


def _diff_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A block rule for diffs that stand in a text without a fence."""
    if state.sCount[start] != state.blkIndent or not _begins_diff(state, start, end):
        return False
    if silent:
        return True
    line = start
    while line < end and _DIFF_LINE.match(_line(state, line)):
        line += 1
    while not _line(state, line - 1).strip():
        line -= 1
    state.line = line
    token = state.push("fence", "code", 0)
    token.content = state.getLines(start, line, state.blkIndent, True)
    token.info = _DIFF_LANGUAGES[0]
    return True


def _begins_diff(state: StateBlock, start: int, end: int) -> bool:
    first = _line(state, start)
    if first.startswith("--- ") and start + 1 < end:
        return _line(state, start + 1).startswith("+++ ")
    return bool(first.startswith("diff --git ") or _DIFF_HUNK.match(first))


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.blkIndent : state.eMarks[number]]


# --- Markdown --------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    """The parser: no HTML, no backslash escapes, entities, references or indented code, in which parts of a text would disappear."""
    made = MarkdownIt("zero").enable(
        ["fence", "blockquote", "list", "heading", "hr", "backticks", "emphasis", "link", "image", "autolink", "newline"]
    )
    made.block.ruler.before("fence", "diff", _diff_rule, {"alt": ["paragraph", "blockquote", "list"]})
    made.validateLink = lambda url: web_host(url) is not None  # type: ignore[method-assign]
    return made


def _parsed(text: str) -> list[Token] | None:
    """Return the blocks of the text. None: it is too long, or nested deeper than the parser reads."""
    if len(text) > MAX_MARKDOWN:
        return None
    tokens = _markdown().parse(text)
    deepest = max((each.level for each in tokens), default=0)
    return tokens if deepest < _markdown().options["maxNesting"] - 2 else None


def _has_markup(text: str) -> bool:
    plain_tokens = {"paragraph_open", "paragraph_close", "inline", "text", "softbreak", "hardbreak"}
    tokens = _parsed(text) if _MARKUP.search(text) else None
    return bool(tokens) and any(
        each.type not in plain_tokens or any(child.type not in plain_tokens for child in each.children or ())
        for each in tokens or ()
    )


_TAGS = {
    "blockquote_open": "<blockquote>",
    "blockquote_close": "</blockquote>",
    "bullet_list_open": "<ul>",
    "bullet_list_close": "</ul>",
    "ordered_list_close": "</ol>",
    "list_item_open": '<li dir="auto">',
    "list_item_close": "</li>",
    "paragraph_open": '<p dir="auto">',
    "paragraph_close": "</p>",
    "heading_open": '<p class="oi-prose-heading" dir="auto">',
    "heading_close": "</p>",
    "strong_open": "<strong>",
    "strong_close": "</strong>",
    "em_open": "<em>",
    "em_close": "</em>",
    "softbreak": "<br>",
    "hardbreak": "<br>",
    "hr": "<hr>",
}


def _blocks(tokens: Sequence[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type == "inline":
            yield from _inline(token.children or [])
        elif token.type == "fence":
            yield code_block(token.content.removesuffix("\n"), token.info.strip())
        elif token.type == "ordered_list_open":
            yield f'<ol start="{int(token.attrs.get("start", 1))}">'
        elif not token.hidden:
            yield _TAGS[token.type]


def _inline(tokens: Sequence[Token], *, links: bool = True) -> Iterator[str]:
    """Yield the tokens as HTML. Without `links`, as the text of one."""
    place = 0
    while place < len(tokens):
        token = tokens[place]
        if token.type == "link_open":
            end = next(number for number in range(place, len(tokens)) if tokens[number].type == "link_close")
            yield _markdown_link(token, tokens[place + 1 : end])
            place = end
        elif token.type == "image":
            yield _markdown_link(token, token.children or []) if links else _marked(token.content)
        elif token.type == "code_inline":
            yield f'<code dir="ltr">{_marked(token.content)}</code>'
        elif token.type == "text":
            yield _linked(token.content) if links else _marked(token.content)
        else:
            yield _TAGS[token.type]
        place += 1


def _words(tokens: Sequence[Token]) -> Iterator[str]:
    """Yield the text of the tokens without their markup."""
    for token in tokens:
        if token.children:
            yield from _words(token.children)
        elif token.type in ("text", "code_inline", "fence", "image"):
            yield token.content
        if token.block or token.type in ("softbreak", "hardbreak"):
            yield " "


# --- links -----------------------------------------------------------------------------------------------------------


def web_host(url: str) -> str | None:
    """Return the host of a web address; None if it is none, or one that readers and browsers could read differently."""
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return parts.netloc if parts.scheme in ("http", "https") and _HOST.fullmatch(parts.netloc) else None


def _markdown_link(token: Token, inside: Sequence[Token]) -> str:
    """Return a link, or an image as a link to it: nothing is loaded from elsewhere."""
    url = str(token.attrs.get("href") or token.attrs.get("src"))
    title = str(token.attrs.get("title", ""))
    text = "".join(_words(inside)).strip()
    shown = "".join(_inline(inside, links=False)) if text else "Image" if token.type == "image" else ""
    return _link(url, text, f"{shown} {_marked(title)}" if title else shown)


def _link(url: str, text: str, shown: str) -> str:
    """Return a link. It names its host, unless the text is the address itself."""
    host = web_host(url)
    if host is None:
        return shown
    is_address = text == url or (_URL.fullmatch(text) and _markdown().normalizeLink(text) == url and text.isascii())
    named = "" if is_address else f' <span class="oi-host">({escape(host)})</span>'
    return f'<a class="oi-away" href="{escape(url)}" rel="noopener noreferrer nofollow" target="_blank"><bdi>{shown}</bdi>{named}</a>'


def _linked(text: str) -> str:
    """Return the text with links for its web addresses."""
    if len(text) > MAX_MARKED:
        return _marked(text)
    parts, end = [], 0
    for found in _URL.finditer(text):
        written = _trimmed(found[0])
        url = _markdown().normalizeLink(written)
        if web_host(url) is None:
            continue
        parts += [_marked(text[end : found.start()]), _link(url, written, _marked(written))]
        end = found.start() + len(written)
    return "".join([*parts, _marked(text[end:])])


def _trimmed(url: str) -> str:
    """Return the address without the punctuation of the sentence around it: `(see https://example.com/a).`"""
    excess = {end: url.count(end) - url.count(start) for start, end in ("()", "[]", "{}")}
    end = len(url)
    while url[end - 1] in _URL_END or excess.get(url[end - 1], 0) > 0:
        end -= 1
        if url[end] in excess:
            excess[url[end]] -= 1
    return url[:end]


# --- invisible characters --------------------------------------------------------------------------------------------


def _marked(text: str) -> str:
    return mark_invisible(text, _mark, escape) if len(text) <= MAX_MARKED else escape(name_invisible(text))


def _mark(run: str) -> str:
    names = ", ".join(character_name(each) for each in run[:NAMED]) + (", …" if len(run) > NAMED else "")
    told = "Invisible character" if len(run) == 1 else f"{len(run):,} invisible characters"
    return f'<span class="oi-invisible" title="{told}: {escape(names)}">{" ".join(code_point(each) for each in run)}</span>'
