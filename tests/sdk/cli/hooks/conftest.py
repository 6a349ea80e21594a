"""Runs of the hooks as an editor runs them: a payload on stdin, an answer on stdout."""

import json
import subprocess

import pytest
from openintent import OpenIntentClient

from tests.sdk.cli.conftest import run_at


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    """A home whose settings and remembered questions are the test's."""
    home = tmp_path / "home"
    home.mkdir()
    for name in ("CODEX_HOME", "CLAUDE_CONFIG_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    return home


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A git repository, which is the current folder."""
    folder = tmp_path / "shop"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "app.py").write_text("print()\n")
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def files(server):
    """The intent that stands for the files of the repository."""
    with OpenIntentClient(server.url, "dev-user-key", "boss") as client:
        yield client.create_intent("Files of the shop")


@pytest.fixture
def bob(server):
    with OpenIntentClient(server.url, "dev-user-key", "bob") as client:
        yield client


@pytest.fixture
def hook(server, files):
    """`hook("edit", payload)` as ada: the answer, None where there is none."""

    def run(command, payload, *options, editor="claude", url=None, agent="ada"):
        text = payload if isinstance(payload, str) else json.dumps(payload)
        done = run_at(
            url or server.url, "hook", command, "--intent", files.id, "--for", editor, *options, agent=agent, input=text
        )
        assert done.code == 0, done.err
        return (
            json.loads(done.out)["hookSpecificOutput"] if '"hookSpecificOutput"' in done.out else json.loads(done.out or "null")
        )

    return run


def edit(folder, path, tool="Edit", **more):
    """Return the message of Claude Code before an edit."""
    return {
        "session_id": "3f0c9d2a-8a1e-4d35-9d6b-b8f6a1a1c001",
        "transcript_path": "/home/ada/.claude/projects/shop/3f0c9d2a.jsonl",
        "cwd": str(folder),
        "permission_mode": "default",
        "hook_event_name": "PreToolUse",
        "tool_name": tool,
        "tool_input": {"file_path": str(path), "old_string": "print()", "new_string": "print(1)", "replace_all": False},
        "tool_use_id": "toolu_01ABC123",
        **more,
    }


def patch(folder, *headers):
    """Return the message of Codex before apply_patch."""
    text = "\n".join(["*** Begin Patch", *headers, "@@", "-print()", "+print(1)", "*** End Patch"])
    return {
        "session_id": "0199a213-81c0-7800-8aa1-bbab2a035a53",
        "turn_id": "0199a213-9a52-7d40-9f0c-0b1f6c3d1d11",
        "transcript_path": "/home/ada/.codex/sessions/rollout.jsonl",
        "cwd": str(folder),
        "hook_event_name": "PreToolUse",
        "model": "gpt-5.5-codex",
        "permission_mode": "default",
        "tool_name": "apply_patch",
        "tool_use_id": "call_1",
        "tool_input": {"command": text},
    }


def prompt(folder, command="rm -rf build", tool="Bash", **more):
    """Return the message of both before they ask for a permission."""
    return {
        "session_id": "3f0c9d2a-8a1e-4d35-9d6b-b8f6a1a1c001",
        "cwd": str(folder),
        "permission_mode": "default",
        "hook_event_name": "PermissionRequest",
        "tool_name": tool,
        "tool_input": {"command": command, "description": "Clean the build"},
        "permission_suggestions": [{"type": "addRules", "rules": [], "behavior": "allow", "destination": "localSettings"}],
        **more,
    }
