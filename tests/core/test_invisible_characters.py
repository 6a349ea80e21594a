"""Invisible characters: marked wherever they hide or forge something, and left where a script or an emoji needs them."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.invisible_characters import mark_invisible, name_invisible

SEEN = "\t\n\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
"""Control and format characters that one sees: signs of numbers and verses."""


def test_every_character_without_a_look_is_marked():
    invisible = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    for number in range(sys.maxunicode + 1):
        character = chr(number)
        if unicodedata.category(character) in invisible and character not in SEEN:
            assert name_invisible(f"a{character}b") == f"a\u27e8U+{number:04X}\u27e9b"


@pytest.mark.parametrize(
    "character",
    ["\u3164", "\u115f", "\u1160", "\uffa0", "\u2800", "\u034f", "\u17b4", "\ufe0f", "\U000e0100", "\U000e0041", "\u2065"],
)
def test_fillers_and_hidden_tags_are_marked(character):
    assert name_invisible(f"Yes{character}") == f"Yes\u27e8U+{ord(character):04X}\u27e9"


@pytest.mark.parametrize(
    "text",
    ["👩\u200d💻", "👨🏽\u200d⚕\ufe0f", "🏳\ufe0f\u200d🌈", "❤\ufe0f\u200d🔥", "👁\ufe0f\u200d🗨\ufe0f", "🙂\u200d↔\ufe0f", "1\ufe0f⃣", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
     "می\u200cخواهم", "نامه\u200cای", "ه\u200d.ش", "क्\u200dष", "র\u200d্য", "ന്\u200d", "葛\U000e0100", "ไทย\u200bไทย", "ᠠ\u180bᠡ", "a\r\nb", "Grüße", "שלום"],
)  # fmt: skip
def test_joiners_stay_where_they_are_written(text):
    assert name_invisible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    {
        "a joiner in Latin": ("pay\u200dpal", "pay⟨U+200D⟩pal"),
        "at the end of a Persian word": ("بله\u200c", "بله⟨U+200C⟩"),
        "two joiners": ("ه\u200d\u200d", "ه⟨U+200D⟩⟨U+200D⟩"),
        "after an emoji alone": ("👩\u200d", "👩⟨U+200D⟩"),
        "between an emoji and a letter": ("👩\u200da", "👩⟨U+200D⟩a"),
        "a variant of a letter": ("Yes\ufe0f", "Yes⟨U+FE0F⟩"),
        "many variants": ("☺\ufe0f\ufe0e\ufe0e", "☺\ufe0f⟨U+FE0E⟩⟨U+FE0E⟩"),
        "tags that are no flag": ("🏴\U000e0068\U000e0069\U000e007f", "🏴⟨U+E0068⟩⟨U+E0069⟩⟨U+E007F⟩"),
        "a carriage return": ("a\rb", "a⟨U+000D⟩b"),
        "overrides": ("safe \u202etxt.exe", "safe ⟨U+202E⟩txt.exe"),
    }.values(),
)
def test_joiners_and_others_are_marked_elsewhere(text, shown):
    assert name_invisible(text) == shown


@given(st.text(max_size=80))
def test_marking_keeps_the_whole_text(text):
    assert "".join(mark_invisible(text, lambda run: run)) == text
