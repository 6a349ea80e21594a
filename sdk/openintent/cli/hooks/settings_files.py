"""The hooks in the settings of coding agents, and in a git repository."""

import json
import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Any

from ...errors import InputValidationError
from .payloads import EDIT, PATCH, PERMISSION, Editor

EDITS = {Editor.CLAUDE: "Edit|MultiEdit|Write|NotebookEdit", Editor.CODEX: PATCH}
"""Names of the tools that edit files, as the editor matches them."""
EDIT_TIMEOUT = 30
"""Seconds after which the editor gives the hook up: more than the hook takes with a server that does not answer."""

MARK = " hook "
PRE_COMMIT = "#!/bin/sh\nexec {command}\n"


@dataclass(frozen=True, slots=True)
class Change:
    """A file, its text, and the text that it is to have; None where there is no file."""

    path: Path
    before: str | None
    after: str | None
    mode: int = 0o644

    @property
    def diff(self) -> str:
        before, after = ((text or "").splitlines() for text in (self.before, self.after))
        return "\n".join(unified_diff(before, after, str(self.path), str(self.path), lineterm=""))

    def write(self) -> None:
        """Replace the file at once: an editor that reads it sees the old text or the new one."""
        if self.after is None:
            return self.path.unlink(missing_ok=True)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        target = self.path.resolve()
        new = target.with_name(f".{target.name}.{os.getpid()}")
        mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else self.mode
        try:
            new.write_text(self.after)
            new.chmod(mode)
            new.replace(target)
        finally:
            new.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Hook:
    """A command that an editor runs at an event, for tools whose name matches."""

    event: str
    matcher: str
    command: str
    timeout: int

    @property
    def entry(self) -> dict[str, Any]:
        return {"matcher": self.matcher, "hooks": [{"type": "command", "command": self.command, "timeout": self.timeout}]}


def hooks_of(editor: Editor, edit: str, permission: str | None, wait: int) -> list[Hook]:
    found = [Hook(EDIT, EDITS[editor], edit, EDIT_TIMEOUT)]
    return [*found, Hook(PERMISSION, "*", permission, EDIT_TIMEOUT + wait)] if permission else found


def changed_settings(path: Path, hooks: Iterable[Hook]) -> Change:
    """Return the file with these hooks in place of those that are there from before; all else stays. Raise InputValidationError."""
    before = path.read_text() if path.exists() else None
    settings = _read(path, before)
    every = settings.get("hooks", {})
    if not isinstance(every, dict) or not all(isinstance(groups, list) for groups in every.values()):
        raise InputValidationError(f"{path} has hooks in another form", field="hooks")
    kept = {event: [each for group in groups if (each := _without_ours(group))] for event, groups in every.items()}
    for hook in hooks:
        kept.setdefault(hook.event, []).append(hook.entry)
    settings["hooks"] = {event: groups for event, groups in kept.items() if groups or every.get(event) == []}
    if not settings["hooks"]:
        del settings["hooks"]
    if before is None and not settings:
        return Change(path, None, None)
    return Change(path, before, json.dumps(settings, indent=2, ensure_ascii=False) + "\n")


def changed_git_hook(path: Path, command: str | None) -> Change:
    """Return the pre-commit hook with the command, or without it. Raise InputValidationError if there is another one."""
    before = path.read_text() if path.exists() else None
    if before is not None and not (before.startswith("#!/bin/sh\nexec ") and is_ours(before)):
        if command is None:
            return Change(path, before, before)
        raise InputValidationError(f"{path} is another hook. Add this line to it: {command} || exit 1", field="hooks")
    return Change(path, before, None if command is None else PRE_COMMIT.format(command=command), mode=0o755)


def is_ours(command: str) -> bool:
    """Whether the command runs `openintent hook`, however the program is found."""
    return "openintent" in command and MARK in command


def _read(path: Path, text: str | None) -> dict[str, Any]:
    try:
        found = json.loads(text) if text and text.strip() else {}
    except ValueError as error:
        raise InputValidationError(f"{path} is not JSON: {error}. Nothing was changed.", field="hooks") from None
    if not isinstance(found, dict):
        raise InputValidationError(f"{path} has no JSON object. Nothing was changed.", field="hooks")
    return found


def _without_ours(group: Any) -> Any:
    """Return the group of hooks without those of this program; None if none is left."""
    commands: Sequence[Any] | None = group.get("hooks") if isinstance(group, dict) else None
    if not isinstance(commands, list):
        return group
    kept = [each for each in commands if not (isinstance(each, dict) and is_ours(str(each.get("command", ""))))]
    return group if len(kept) == len(commands) else {**group, "hooks": kept} if kept else None
