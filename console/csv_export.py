"""Lines of CSV that a spreadsheet shows and does not evaluate."""

import csv
import re
import unicodedata
from collections.abc import Iterable
from io import StringIO

FORMULA = ("=", "+", "-", "@")
"""Characters with which a formula of a spreadsheet begins."""

_CELL_BREAKS = re.compile(r"([;\t\r\n])")  # A spreadsheet set up for another country begins a cell at each semicolon.


def csv_line(cells: Iterable[object]) -> str:
    written = StringIO()
    csv.writer(written).writerow(cells)
    return written.getvalue()


def escape_formulas(text: str) -> str:
    """Return the text so that a spreadsheet shows it and does not evaluate it."""
    first, *rest = _CELL_BREAKS.split(text)
    written = first + "".join(f"'{cell}" if _is_formula(cell) else cell for cell in rest)
    begins_hidden = not text.startswith(" ") and any(map(_is_invisible, text[:1]))
    return f"'{written}" if _is_formula(text) or begins_hidden else written


def _is_formula(cell: str) -> bool:
    first = next((each for each in cell if not _is_invisible(each)), "")
    return bool(first) and unicodedata.normalize("NFKC", first)[0] in FORMULA  # Full-width forms are the same to some.


def _is_invisible(character: str) -> bool:
    """Return whether it is a control or format character, a mark without a letter, or a blank."""
    return unicodedata.category(character)[0] in "CMZ"
