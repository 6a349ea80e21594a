"""Clients by OpenAPI Generator: one in Python, walked through the tutorial, and one in TypeScript, compiled under `strict`."""

import sys

import pytest

from tests.clients.test_typescript import LOG
from tests.docs.blocks import ROOT

pytestmark = [pytest.mark.full, pytest.mark.database("postgresql")]


@pytest.fixture(scope="module")
def said(reader):
    """Return the output of the tutorial once everything on its page is done."""
    return reader.follow("OpenAPI Generator").splitlines()


@pytest.mark.case("console H8")
def test_the_tutorial_runs(said):
    start = said.index("ada decided: south")

    assert said[start + 1 :] == [f"{number} {event}" for number, event in enumerate(LOG, 1)]


def test_only_what_is_one_by_nature_is_a_union(said, reader):
    models = (reader.folder / "generated/openintent_client/models").glob("*.py")

    assert {path.stem for path in models if "actual_instance" in path.read_text()} == {"add_attachment_request", "stream_frame"}


def test_every_module_can_be_imported(said, reader):
    modules = sorted((reader.folder / "generated/openintent_client").rglob("*.py"))
    names = [
        ".".join(path.relative_to(reader.folder / "generated").with_suffix("").parts).removesuffix(".__init__")
        for path in modules
    ]

    reader.run("env", f"PYTHONPATH={reader.folder / 'generated'}", sys.executable, "-c", f"import {', '.join(names)}")

    assert len(names) > 100


@pytest.mark.case("console H8")
def test_typescript_compiles(npm, reader):
    forms = "apis,models,supportingFiles,skipFormModel=false"  # Else it imports a model for forms that it does not make.
    reader.run(
        "openapi-generator-cli", "generate", "-g", "typescript-fetch", "-i", str(ROOT / "openapi.yaml"), "-o", "fetch",
        "--global-property", forms,
    )  # fmt: skip

    files = [str(each) for each in (reader.folder / "fetch").rglob("*.ts")]
    assert files
    reader.run("npx", "tsc", "--strict", "--noEmit", "--target", "es2023", "--module", "commonjs", "--types", "node", *files)
