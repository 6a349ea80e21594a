"""The OpenAPI description, judged by somebody else."""

import json
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT

pytestmark = [pytest.mark.full, pytest.mark.database("postgresql")]


HERE = Path(__file__).parent


def test_the_description_passes_the_recommended_rules_without_a_warning(npm, reader):
    told = reader.run("npx", "redocly", "lint", "--extends", "recommended", "--format", "json", str(ROOT / "openapi.yaml"))

    assert json.loads(told)["totals"] == {"errors": 0, "warnings": 0, "ignored": 0}


def test_the_lock_names_no_registry_and_pins_everything():
    lock = json.loads((HERE / "package-lock.json").read_text())
    wanted = json.loads((HERE / "package.json").read_text())["devDependencies"]

    assert not [name for name, package in lock["packages"].items() if "resolved" in package]
    assert all(package["integrity"] for name, package in lock["packages"].items() if name)
    assert {name: lock["packages"][f"node_modules/{name}"]["version"] for name in wanted} == wanted
