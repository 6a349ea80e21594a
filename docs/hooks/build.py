"""MkDocs hook: include files from outside of docs/ in the site, and rewrite links to them."""

import re
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]

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
    for source, target in OUTSIDE.items():
        files.append(File.generated(config, target, content=(ROOT / source).read_text()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Rewrite links to files of the checkout as links within the site."""
    inside = {target: source for source, target in OUTSIDE.items()}
    here = PurePosixPath(inside.get(page.file.src_uri, f"docs/{page.file.src_uri}"))

    def rewrite(link: re.Match[str]) -> str:
        source = normpath(str(here.parent / link[1]))
        target = OUTSIDE.get(source) or (source.removeprefix("docs/") if source.startswith("docs/") else None)
        if target is None:
            return link[0]
        return f"]({relpath(target, str(PurePosixPath(page.file.src_uri).parent))}{link[2] or ''})"

    return LINK.sub(rewrite, markdown)
