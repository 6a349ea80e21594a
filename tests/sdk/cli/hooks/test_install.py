"""`openintent hook install`: what is in the settings stays, and the hooks can be removed again."""

import json
import stat
import subprocess

import pytest

from tests.sdk.cli.hooks.conftest import edit
from tests.servers import ROOT

pytestmark = [pytest.mark.full, pytest.mark.database("sqlite")]

OTHERS = {
    "model": "opus",
    "permissions": {"allow": ["Bash(npm test)"]},
    "hooks": {
        "PreToolUse": [{"matcher": "Bash", "hooks": [{"type": "command", "command": "./lint.sh"}]}],
        "Stop": [{"hooks": [{"type": "command", "command": "say ready"}]}],
        "SessionStart": [],
    },
}
LOCAL = ".claude/settings.local.json"


@pytest.fixture
def install(openintent, files):
    return lambda *arguments, **how: openintent("hook", "install", *arguments, "--intent", files.id, **{"input": "y\n", **how})


@pytest.fixture
def remove(openintent):
    return lambda *arguments: openintent("hook", "install", *arguments, "--remove", "--yes")


@pytest.fixture
def identity(server, monkeypatch):
    """The environment of an editor, which its hooks inherit."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "sdk"))
    for name, value in {"URL": server.url, "API_KEY": "dev-user-key", "AGENT_ID": "ada"}.items():
        monkeypatch.setenv(f"OPENINTENT_{name}", value)


def read(path):
    return json.loads(path.read_text())


def commands(settings):
    return [each["command"] for groups in settings["hooks"].values() for group in groups for each in group["hooks"]]


def test_hooks_are_shown_and_added_to_what_is_there(install, repository, files):
    path = repository / LOCAL
    path.parent.mkdir()
    path.write_text(json.dumps(OTHERS))
    path.chmod(0o600)

    done = install("claude", "--permission")

    assert "+" in done.out
    assert f"hook edit --intent {files.id}" in done.out
    found = read(path)
    assert {name: found[name] for name in ("model", "permissions")} == {name: OTHERS[name] for name in ("model", "permissions")}
    first, own = found["hooks"]["PreToolUse"]
    assert first == OTHERS["hooks"]["PreToolUse"][0]
    assert own["matcher"] == "Edit|MultiEdit|Write|NotebookEdit"
    [asks] = found["hooks"]["PermissionRequest"]
    assert asks["hooks"][0]["command"].endswith("--for claude --otherwise ask --wait 5")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_without_a_yes_nothing_is_written(install, repository):
    assert install("claude", input="n\n").code == 1
    assert not (repository / LOCAL).exists()


def test_hooks_are_replaced_and_not_added_twice(install, repository):
    install("claude", "--strict", "--per-session")
    install("claude", "--otherwise", "deny")

    [command] = commands(read(repository / LOCAL))
    assert command.endswith("--otherwise deny")


def test_an_installed_hook_runs(install, identity, repository, files, bob):
    install("claude")
    [command] = commands(read(repository / LOCAL))
    bob.acquire_lease(files.id, "file:src", 600)
    done = subprocess.run(["sh", "-c", command], input=json.dumps(edit(repository, "src/app.py")), capture_output=True, text=True)

    assert json.loads(done.stdout)["hookSpecificOutput"]["permissionDecision"] == "deny", done.stderr


def test_removal_leaves_what_was_there(install, remove, repository):
    path = repository / LOCAL
    path.parent.mkdir()
    path.write_text(json.dumps(OTHERS))
    install("claude", "--strict")

    remove("claude")

    assert read(path) == OTHERS


def test_removal_of_all_that_there_was_leaves_no_hooks(install, remove, repository):
    install("codex", "--strict")
    assert "/hooks" in install("codex", "--strict").err
    [group] = read(repository / ".codex/hooks.json")["hooks"]["PreToolUse"]
    assert group["matcher"] == "apply_patch"

    remove("codex")

    assert read(repository / ".codex/hooks.json") == {}
    assert "Nothing to change" in remove("codex").out


@pytest.mark.parametrize("text", ["{", "[]", '{"hooks": []}', '{"hooks": {"PreToolUse": {}}}'])
def test_settings_that_cannot_be_read_stay(install, repository, text):
    path = repository / LOCAL
    path.parent.mkdir()
    path.write_text(text)

    done = install("claude")

    assert done.code == 2
    assert str(path) in done.err.replace("\n", "")
    assert path.read_text() == text


@pytest.mark.parametrize(
    ("options", "path"),
    [
        (["claude"], "shop/.claude/settings.local.json"),
        (["claude", "--shared"], "shop/.claude/settings.json"),
        (["claude", "--user"], "home/.claude/settings.json"),
        (["codex"], "shop/.codex/hooks.json"),
        (["codex", "--user"], "home/.codex/hooks.json"),
    ],
)
def test_files_of_the_settings(install, tmp_path, repository, options, path):
    install(*options)

    [command] = commands(read(tmp_path / path))
    assert command.startswith("openintent hook edit") == ("--shared" in options)


class TestGit:
    def test_a_commit_is_checked(self, install, identity, repository, files, bob):
        install("git")
        bob.acquire_lease(files.id, "file:src", 600)
        subprocess.run(["git", "add", "-A"], check=True)
        commit = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "commit", "-qm", "Change"]

        refused = subprocess.run(commit, capture_output=True, text=True, check=False)
        assert refused.returncode == 1
        assert "leased by bob" in refused.stderr

        bob.release_lease(files.id, bob.get_leases(files.id)[0].id)
        assert subprocess.run(commit, capture_output=True, check=False).returncode == 0

    def test_hook_of_another_program_stays(self, install, remove, repository):
        path = repository / ".git/hooks/pre-commit"
        path.parent.mkdir(exist_ok=True)
        path.write_text("#!/bin/sh\nmake lint\n")

        done = install("git")

        assert done.code == 2
        assert "hook commit" in done.err
        remove("git")
        assert path.read_text() == "#!/bin/sh\nmake lint\n"

    def test_removal(self, install, remove, repository):
        install("git")
        assert (repository / ".git/hooks/pre-commit").exists()

        remove("git")

        assert not (repository / ".git/hooks/pre-commit").exists()
