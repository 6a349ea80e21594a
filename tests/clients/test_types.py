"""Types of the SDK, judged by pyright, as editors do (protocol K-8)."""

import pytest

from tests.docs.blocks import ROOT

from .packages import BIN

pytestmark = [pytest.mark.full, pytest.mark.database("postgresql"), pytest.mark.rule("K-8")]


def test_ordinary_use_passes_pyright_in_its_strict_mode(npm, reader):
    use = ROOT / "tests/sdk/test_ordinary_use.py"

    assert use.read_text().startswith("# pyright: strict\n")
    reader.run("npx", "pyright", "--project", str(ROOT), "--pythonpath", str(BIN / "python"), str(use))
