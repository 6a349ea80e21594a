"""Messages of coding agents to their hooks, and the answers that they take.

Claude Code and Codex have the same form of both, with differences that are named here. docs/guides/hooks.md says which versions
of their documentation were read.
"""

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Editor(StrEnum):
    """The program whose hooks are answered."""

    CLAUDE = "claude"
    CODEX = "codex"


EDIT, PERMISSION = "PreToolUse", "PermissionRequest"
"""The events that are answered."""

PATHS = ("file_path", "notebook_path")
"""Members of the input of Claude Code's Edit, MultiEdit, Write and NotebookEdit."""

PATCH = "apply_patch"
"""The tool of Codex that edits: its input's `command` is a patch."""
_PATCHED = re.compile(r"^\s*\*\*\* (?:Add File|Update File|Delete File|Move to):[ \t]*(.+?)\s*$", re.MULTILINE)


class PayloadError(ValueError):
    """Text on stdin that is no message to a hook."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that a tool is about to make, in the folder `cwd`."""

    tool: str
    input: dict[str, Any]
    cwd: str
    session: str


def read_tool_call(text: str, event: str) -> ToolCall:
    """Return the call of the payload of this event. Raise PayloadError."""
    try:
        payload = json.loads(text)
    except ValueError:
        raise PayloadError("stdin has no JSON") from None
    if not isinstance(payload, dict):
        raise PayloadError("stdin has no JSON object")
    found = payload.get("hook_event_name")
    if found != event:
        raise PayloadError(f"hook_event_name is {found!r} instead of {event}")
    tool, given, cwd = payload.get("tool_name"), payload.get("tool_input"), payload.get("cwd")
    if not (isinstance(tool, str) and tool and isinstance(given, dict) and isinstance(cwd, str) and cwd):
        raise PayloadError("tool_name, tool_input or cwd is missing")
    return ToolCall(tool, given, cwd, str(payload.get("session_id") or ""))


def edited_paths(call: ToolCall) -> list[str]:
    """Return the paths of the files that the call edits, as it names them. Raise PayloadError for a patch without any."""
    if call.tool == PATCH:
        command = call.input.get("command", call.input.get("patch"))
        text = "\n".join(map(str, command)) if isinstance(command, list) else str(command or "")
        paths = _PATCHED.findall(text)
        if not paths:
            raise PayloadError("the patch names no file")
        return [*dict.fromkeys(paths)]
    return [path for name in PATHS if isinstance(path := call.input.get(name), str) and path]


def deny_edit(reason: str) -> str:
    """Return what refuses the call."""
    return _specific(EDIT, permissionDecision="deny", permissionDecisionReason=reason)


def ask_before_edit(editor: Editor, reason: str) -> str:
    """Return what leaves the call to the person at the editor. Codex cannot be told to ask: it says so, and goes its own way."""
    if editor == Editor.CODEX:
        return json.dumps({"systemMessage": reason})
    return _specific(EDIT, permissionDecision="ask", permissionDecisionReason=reason)


def allow_permission() -> str:
    return _specific(PERMISSION, decision={"behavior": "allow"})


def deny_permission(message: str) -> str:
    return _specific(PERMISSION, decision={"behavior": "deny", "message": message})


def _specific(event: str, **members: Any) -> str:
    return json.dumps({"hookSpecificOutput": {"hookEventName": event, **members}})
