"""Reading a page as its reader would: each block in turn, in one namespace and one folder, against a live server."""

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

from . import shell
from .blocks import ROOT, Block, blocks

NODE = Path(sys.executable).parent / "node"

WILD = "…"


def _parse_script(code: str) -> None:
    """JavaScript and TypeScript, by Node, which reads both."""
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


def fate(block: Block) -> str:
    """What becomes of a block: `run`, `output`, `parsed`, or the reason why it is not run. Raises for one with no fate."""
    elsewhere = shell.PAGES_NOT_RUN.get(block.page.name)
    if block.language == "python":
        return elsewhere or "run"
    if block.language == "text":
        return elsewhere or "output"
    if block.language in PARSED:
        return "parsed"
    if block.language == "bash":
        reasons = [shell.reason_not_to_run(command) for command in shell.commands(block.code)]
        return (elsewhere or "run") if None in reasons else "; ".join(dict.fromkeys(filter(None, reasons)))
    raise shell.Unknown(f"{block}: nobody knows what to do with {block.language or 'a block without a language'}")


class Reader:
    """Plays the blocks of a page against a server, in `folder`."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self.url = server.url
        self.folder = folder
        self.names: dict[str, Any] = {"__name__": "__main__"}
        self.said = ""
        (folder / "examples").symlink_to(ROOT / "examples")  # As in a clone.

    def read(self, page: Path) -> None:
        with self._at_home():
            for block in blocks(page):
                self.play(block)

    def play(self, block: Block) -> None:
        if block.title.endswith(".py"):
            (self.folder / block.title).write_text(block.code.replace(shell.ADDRESS, self.url))
        elif block.language == "python" and fate(block) != "run":
            ast.parse(block.code)
        elif block.language == "python":
            self.said = self._python(block)
        elif block.language == "bash" and fate(block) == "run":
            self.said = shell.play(block.code, self.url, self.folder, self._variables())
        elif block.language == "bash":
            shell.check(block.code)
        elif block.language == "text" and fate(block) == "output":
            assert matches(block.code, self.said), f"{block} says\n{block.code}\nand what came is\n{self.said}"
        elif block.language in PARSED:
            PARSED[block.language](block.code)

    def _python(self, block: Block) -> str:
        code = "\n" * (block.line - 1) + block.code.replace(shell.ADDRESS, self.url)
        with redirect_stdout(StringIO()) as said:
            exec(compile(code, str(block.page), "exec"), self.names)
        return said.getvalue()

    def _variables(self) -> dict[str, str]:
        """`intent` is `$INTENT_ID`."""
        ids = {f"{name.upper()}_ID": getattr(value, "id", None) for name, value in self.names.items()}
        return {"DATABASE_URL": self.server.database_url} | {name: each for name, each in ids.items() if isinstance(each, str)}

    @contextmanager
    def _at_home(self) -> Iterator[None]:
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


def matches(expected: str, said: str) -> bool:
    """Whether it said that; `…` stands for anything."""
    pattern = ".*".join(map(re.escape, expected.strip().split(WILD)))
    return re.fullmatch(pattern, said.strip(), re.DOTALL) is not None
