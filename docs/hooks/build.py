"""What MkDocs calls as it builds the site: pages that are made from the code, and files from outside of docs/."""

import re
import sys
from importlib import import_module
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath
from typing import Any

import yaml
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "sdk"), str(Path(__file__).parent)]

import openapi

APPS = ("access", "attachments", "core", "governance", "intents", "leasing", "portfolios", "retries", "subscriptions")
"""Those with refusals of their own."""

OUTSIDE = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "LICENSE": "files/LICENSE",
    "openapi.yaml": "reference/http/openapi.yaml",
    "deploy/Caddyfile": "files/Caddyfile",
    "deploy/nginx.conf": "files/nginx.conf",
    "examples/README.md": "examples/index.md",
    **{f"examples/{path.name}": f"examples/{path.name}" for path in sorted((ROOT / "examples").glob("*.py"))},
}
"""Files of the checkout that are in the site, and where."""

LINK = re.compile(r"\]\(([^)\s#:]+)(#[^)\s]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what is made, and what lies outside."""
    made = {
        **{f"reference/http/{page}.md": text for page, text in openapi.pages(_document()).items()},
        "reference/errors.md": error_codes(),
        **{target: (ROOT / source).read_text() for source, target in OUTSIDE.items()},
    }
    for target, text in made.items():
        files.append(File.generated(config, target, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links to files of the checkout lead to where they are in the site."""
    inside = {target: source for source, target in OUTSIDE.items()}
    here = PurePosixPath(inside.get(page.file.src_uri, f"docs/{page.file.src_uri}"))

    def led(link: re.Match[str]) -> str:
        source = normpath(str(here.parent / link[1]))
        target = OUTSIDE.get(source) or (source.removeprefix("docs/") if source.startswith("docs/") else None)
        if target is None:
            return link[0]
        return f"]({relpath(target, str(PurePosixPath(page.file.src_uri).parent))}{link[2] or ''})"

    return LINK.sub(led, markdown)


def error_codes() -> str:
    """Every refusal that the server knows, with its exception in the SDK."""
    from openintent.errors import refusal  # noqa: PLC0415

    rows = [
        f"| `{code}` {{ #{code} }} | {problem.status} | `{type(refusal(problem.status, {'code': code}, None)).__name__}` | {_words(problem)} |"
        for code, problem in sorted(_catalogue().items(), key=lambda each: (each[1].status, each[0]))
    ]
    return (ROOT / "docs/hooks/errors.md").read_text() + "\n".join(rows) + "\n"


def _catalogue() -> dict[str, Any]:
    for app in APPS:
        import_module(f"{app}.errors")
    return import_module("core.errors").ProtocolError.catalogue  # type: ignore[no-any-return]


def _words(problem: type) -> str:
    return " ".join((problem.__doc__ or "").split())


def _document() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "openapi.yaml").read_text())  # type: ignore[no-any-return]
