"""Characters without a look of their own: which of them a text has, so that readers can be shown them.

They turn the order of a text around, hide parts of it, or make two texts look the same. Joiners are left where a script or an
emoji is written with them: in Persian or Hindi words, families and flags.
"""

import re
import unicodedata
from collections.abc import Callable

_CLASS = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # Controls but tab and line feed.
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff0-\ufffb"  # Formats, fillers, blanks, and what is kept for such.
    "\ud800-\udfff\ue000-\uf8ff\U000f0000-\U0010ffff"  # Surrogates; private use, which looks as some font wishes.
    "\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_FOUND = re.compile(f"[{_CLASS}]")
_FLAGS = ("gbeng", "gbsct", "gbwls")
"""England, Scotland, Wales: a black flag, with tags that spell them."""
_FLAG = "|".join(f"\U0001f3f4{''.join(chr(0xE0000 + ord(each)) for each in name)}\U000e007f" for name in _FLAGS)
_CANDIDATE = re.compile(f"{_FLAG}|\r\n|[{_CLASS}]")

_ZWNJ, _ZWJ, _ZWSP = "\u200c", "\u200d", "\u200b"
_JOINED = re.compile("[\u0600-\u08ff\u0900-\u0dff\u1000-\u109f\u1780-\u17ff\u1800-\u18af\ua8e0-\ua8ff\ufb50-\ufdff\ufe70-\ufefc]")
"""Scripts that are written with joiners: Arabic and its kin, those of India, Myanmar, Khmer, Mongolian."""
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")
"""Scripts without spaces, whose words a zero width space may separate: Thai, Lao, Myanmar, Khmer."""
_IDEOGRAPH = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_VARIANT = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_SKIN = re.compile("[\U0001f3fb-\U0001f3ff]")


def mark_invisible(text: str, mark: Callable[[str], str], keep: Callable[[str], str] = str) -> str:
    """Return the text with `mark` of each run of invisible characters, and `keep` of what is between them."""
    if not _FOUND.search(text):
        return keep(text)
    parts, end = [], 0
    for start, stop in _runs(text):
        parts += [keep(text[end:start]), mark(text[start:stop])]
        end = stop
    return "".join([*parts, keep(text[end:])])


def name_invisible(text: str) -> str:
    """Return the text with the invisible characters by their numbers: ⟨U+202E⟩."""
    return mark_invisible(text, lambda run: "".join(f"\u27e8{code_point(each)}\u27e9" for each in run))


def code_point(character: str) -> str:
    return f"U+{ord(character):04X}"


def character_name(character: str) -> str:
    """Return the name of the character, as far as it has one: `right-to-left override`."""
    category = unicodedata.category(character)
    kinds = {"Cc": "control character", "Co": "private use character", "Cs": "surrogate"}
    return unicodedata.name(character, kinds.get(category, "unassigned character")).lower()


def _runs(text: str) -> list[tuple[int, int]]:
    """Return the places of the runs of invisible characters."""
    runs: list[tuple[int, int]] = []
    for found in _CANDIDATE.finditer(text):
        place = found.start()
        if len(found[0]) > 1 or _is_written(text, place):
            continue
        if runs and runs[-1][1] == place:
            runs[-1] = (runs[-1][0], place + 1)
        else:
            runs.append((place, place + 1))
    return runs


def _is_written(text: str, place: int) -> bool:
    """Return whether the script or the emoji around it is written with the character."""
    character = text[place]
    before = text[place - 1] if place else ""
    after = text[place + 1 : place + 2]
    if not before or (_FOUND.match(before) and not _is_presentation(text, place - 1)):
        return False
    if _VARIANT.match(character):
        return _takes_variant(before, character)
    if character == _ZWSP:
        return bool(_UNSPACED.match(before) and _UNSPACED.match(after))
    if character == _ZWNJ:
        return bool(_JOINED.match(before) and _JOINED.match(after))
    if character == _ZWJ:
        is_emoji = _is_pictograph(before) or bool(_SKIN.match(before)) or before == "\ufe0f"
        return _is_pictograph(after) if is_emoji else bool(_JOINED.match(before)) and not _FOUND.match(after)
    return "\u180b" <= character <= "\u180f" and "\u1800" <= before <= "\u18af"


def _is_presentation(text: str, place: int) -> bool:
    """Return whether the character asks for the colored form of the one before: ♥ is followed by it, and then by a joiner."""
    return text[place] == "\ufe0f" and place > 0 and _takes_variant(text[place - 1], "\ufe0f")


def _takes_variant(before: str, variant: str) -> bool:
    if _IDEOGRAPH.match(before):
        return True
    is_symbol = before in "#*0123456789" or (not before.isascii() and unicodedata.category(before) in _SYMBOLS)
    return is_symbol and variant <= "\ufe0f"


def _is_pictograph(character: str) -> bool:
    return bool(character) and character >= "\u2190" and unicodedata.category(character) in ("So", "Sm")


_SYMBOLS = ("So", "Sm", "Sk", "Po", "Pd")
