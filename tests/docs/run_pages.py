"""Page runner: runs the blocks of a page in order, in one namespace and one folder, against a live server."""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import yaml
from openintent import OpenIntentClient

from tests.servers import Server

from . import run_shell_blocks
from .blocks import ROOT, Block, blocks

NODE = Path(sys.executable).parent / "node"

WILD = "…"


def _parse_script(code: str) -> None:
    """Parse JavaScript or TypeScript with Node, which reads both."""
    strip = "require('node:module').stripTypeScriptTypes(require('node:fs').readFileSync(0, 'utf8'))"
    done = subprocess.run([NODE, "--eval", strip], input=code, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


PARSED: dict[str, Callable[[str], Any]] = {
    "json": json.loads,
    "yaml": yaml.safe_load,
    "toml": tomllib.loads,
    "javascript": _parse_script,
    "typescript": _parse_script,
}
"""Languages whose blocks are parsed."""


def treatment_of(block: Block) -> str:
    """Return how a block is treated: `run`, `output`, `parsed`, or the reason why it is not run. Raise Unknown if nothing applies."""
    elsewhere = run_shell_blocks.PAGES_NOT_RUN.get(block.page.name)
    if block.language == "python":
        return elsewhere or "run"
    if block.language == "text":
        return elsewhere or "output"
    if block.language in PARSED:
        return "parsed"
    if block.language == "bash":
        reasons = [run_shell_blocks.reason_not_to_run(command) for command in run_shell_blocks.commands(block.code)]
        return (elsewhere or "run") if None in reasons else "; ".join(dict.fromkeys(filter(None, reasons)))
    raise run_shell_blocks.Unknown(f"{block}: there is no rule for {block.language or 'a block without a language'}")


class PageRunner:
    """Runs the blocks of a page against a server, in `folder`."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self.url = server.url
        self.folder = folder
        self.names: dict[str, Any] = {"__name__": "__main__"}
        self.output = ""
        (folder / "examples").symlink_to(ROOT / "examples")  # As in a clone.

    def run_page(self, page: Path) -> None:
        with self._environment():
            for block in blocks(page):
                self.run(block)

    def run(self, block: Block) -> None:
        if block.title.endswith(".py"):
            (self.folder / block.title).write_text(block.code.replace(run_shell_blocks.ADDRESS, self.url))
        elif block.language == "python" and treatment_of(block) != "run":
            ast.parse(block.code)
        elif block.language == "python":
            self.output = self._run_python(block)
        elif block.language == "bash" and treatment_of(block) == "run":
            self.output = run_shell_blocks.run_block(block.code, self.url, self.folder, self._variables())
        elif block.language == "bash":
            run_shell_blocks.check(block.code)
        elif block.language == "text" and treatment_of(block) == "output":
            assert matches(block.code, self.output), f"{block} has\n{block.code}\nbut the output is\n{self.output}"
        elif block.language in PARSED:
            PARSED[block.language](block.code)

    def _run_python(self, block: Block) -> str:
        code = "\n" * (block.line - 1) + block.code.replace(run_shell_blocks.ADDRESS, self.url)
        with redirect_stdout(StringIO()) as output:
            exec(compile(code, str(block.page), "exec"), self.names)
        return output.getvalue()

    def _variables(self) -> dict[str, str]:
        """Return the environment of shell blocks: the id of what Python calls `intent` is `$INTENT_ID`."""
        ids = {f"{name.upper()}_ID": getattr(value, "id", None) for name, value in self.names.items()}
        return {"DATABASE_URL": self.server.database_url} | {name: each for name, each in ids.items() if isinstance(each, str)}

    @contextmanager
    def _environment(self) -> Iterator[None]:
        before = os.environ.get("OPENINTENT_URL")
        os.environ["OPENINTENT_URL"] = self.url
        try:
            sys.path.insert(0, str(self.folder))
            with chdir(self.folder):
                yield
        finally:
            sys.path.remove(str(self.folder))
            os.environ.pop("OPENINTENT_URL") if before is None else os.environ.update(OPENINTENT_URL=before)
            for value in self.names.values():
                if isinstance(value, OpenIntentClient):
                    value.close()


def matches(expected: str, output: str) -> bool:
    """Return whether the output is as expected; `…` stands for anything."""
    pattern = ".*".join(map(re.escape, expected.strip().split(WILD)))
    return re.fullmatch(pattern, output.strip(), re.DOTALL) is not None
