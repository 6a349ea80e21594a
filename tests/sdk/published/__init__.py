"""Names of the published package openintent, and what this one has for them (protocol K-11)."""

import json
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PAGE = ROOT / "docs/coming-from-openintent-0.x.md"

INVENTORY: dict[str, dict[str, list[str] | None]] = json.loads((HERE / "inventory.json").read_text())
"""By version, each public name with its parameters, or its members if it is an enum; read from the installed package by `inspect`."""

DATA: dict[str, Any] = tomllib.loads((HERE / "names.toml").read_text())


def row_of(name: str) -> dict[str, Any]:
    """Return the row, or the area, that the name belongs to: the first one with a pattern that it matches."""
    found = (each for each in (*DATA["rows"], *DATA["areas"]) if any(fnmatchcase(name, pattern) for pattern in each["names"]))
    return next(found)


def names_of(row: dict[str, Any]) -> dict[str, list[str] | None]:
    """Return the names of a row, with their parameters in the newest version that has them."""
    known = {name: parameters for names in INVENTORY.values() for name, parameters in names.items()}
    return {name: parameters for name, parameters in sorted(known.items()) if row_of(name) is row}


def versions_of(name: str) -> str:
    return ", ".join(version for version, names in INVENTORY.items() if name in names)
