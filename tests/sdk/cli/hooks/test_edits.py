"""`openintent hook edit`: an edit under another agent's lease is refused, and any other gets a lease (protocol L-1, L-7)."""

import subprocess

import pytest

from tests.sdk.cli.hooks.conftest import edit, patch

pytestmark = [pytest.mark.rule("L-1", "L-7"), pytest.mark.full, pytest.mark.database("sqlite")]

UNREACHABLE = "http://127.0.0.1:9"


def leased(client, intent):
    return {(lease.agent_id, lease.scope) for lease in client.get_leases(intent.id)}


def test_an_edit_takes_a_lease_of_ten_minutes(hook, repository, files, bob):
    assert hook("edit", edit(repository, repository / "src/app.py")) is None

    [lease] = bob.get_leases(files.id)
    assert (lease.agent_id, lease.scope) == ("ada", "file:src/app.py")
    assert 590 < (lease.expires_at - lease.acquired_at).total_seconds() <= 600


@pytest.mark.parametrize("scope", ["file:src/app.py", "file:src"])
def test_an_edit_under_anothers_lease_is_refused_with_holder_and_end(hook, repository, files, bob, scope):
    bob.acquire_lease(files.id, scope, 600)

    answer = hook("edit", edit(repository, "src/app.py"))

    assert (answer["hookEventName"], answer["permissionDecision"]) == ("PreToolUse", "deny")
    assert answer["permissionDecisionReason"].startswith("src/app.py is leased by bob")
    assert "until " in answer["permissionDecisionReason"]
    assert leased(bob, files) == {("bob", scope)}


def test_the_same_agent_edits_again_and_its_lease_lasts(hook, repository, files, bob):
    hook("edit", edit(repository, "src/app.py"))
    [before] = bob.get_leases(files.id)

    assert hook("edit", edit(repository, "src/app.py", tool="Write")) is None

    [after] = bob.get_leases(files.id)
    assert after.id == before.id
    assert after.expires_at >= before.expires_at


def test_a_patch_is_refused_whole_and_keeps_no_lease(hook, repository, files, bob):
    bob.acquire_lease(files.id, "file:docs", 600)
    headers = [
        "*** Update File: src/app.py",
        "*** Move to: src/main.py",
        "*** Add File: docs/new.md",
        "  *** Delete File: old.py",
    ]

    answer = hook("edit", patch(repository, *headers), editor="codex")

    assert answer["permissionDecision"] == "deny"
    assert "docs/new.md is leased by bob" in answer["permissionDecisionReason"]
    assert leased(bob, files) == {("bob", "file:docs")}


def test_a_patch_leases_each_of_its_files(hook, repository, files, bob):
    hook("edit", edit(repository, "old.py"))
    headers = [
        "*** Update File: src/app.py",
        "*** Move to: src/main.py",
        "*** Add File: docs/new.md",
        "  *** Delete File: old.py",
    ]

    assert hook("edit", patch(repository, *headers), editor="codex") is None

    assert leased(bob, files) == {("ada", f"file:{path}") for path in ("src/app.py", "src/main.py", "docs/new.md", "old.py")}


def test_a_link_is_the_file_that_it_leads_to(hook, repository, files, bob):
    (repository / "link").symlink_to("src")
    bob.acquire_lease(files.id, "file:src/app.py", 600)

    for path in ("link/app.py", "src/../src/app.py", "./src/app.py"):
        assert hook("edit", edit(repository, path))["permissionDecision"] == "deny", path


def test_paths_are_relative_to_the_folder_of_the_call(hook, repository, files, bob):
    hook("edit", edit(repository / "src", "app.py"))

    assert leased(bob, files) == {("ada", "file:src/app.py")}


@pytest.mark.parametrize("path", ["/etc/hosts", "../elsewhere.txt"])
def test_files_elsewhere_and_other_tools_are_left_alone(hook, repository, files, bob, path):
    assert hook("edit", edit(repository, path)) is None
    assert hook("edit", {**edit(repository, path), "tool_name": "Read", "tool_input": {"pattern": "x"}}) is None
    assert leased(bob, files) == set()


def test_sessions_are_agents_of_their_own(hook, repository, files):
    hook("edit", edit(repository, "src/app.py"), "--per-session")

    answer = hook("edit", edit(repository, "src/app.py", session_id="0199a213-81c0"), "--per-session")

    assert "leased by ada.3f0c9d2a" in answer["permissionDecisionReason"]


@pytest.mark.rule("L-8")
def test_lease_of_a_folder_is_enough_for_an_agent_with_many_leases(hook, repository, files, bob, server):
    with type(bob)(server.url, "dev-user-key", "ada") as ada:
        for number in range(199):
            ada.acquire_lease(files.id, f"file:a/{number}", 600)
        ada.acquire_lease(files.id, "file:src", 600)

    assert hook("edit", edit(repository, "src/app.py")) is None
    refused = hook("edit", edit(repository, "docs/a.md"), "--otherwise", "deny")
    assert "200" in refused["permissionDecisionReason"]


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "[]",
        "{",
        '{"hook_event_name": "Stop"}',
        '{"hook_event_name": "PreToolUse", "tool_name": "Edit", "tool_input": "x", "cwd": "/"}',
    ],
)
def test_message_without_a_payload_is_not_let_through(hook, payload):
    assert hook("edit", payload)["permissionDecision"] == "ask"
    assert hook("edit", payload, "--otherwise", "deny")["permissionDecision"] == "deny"


def test_a_patch_that_names_no_file_is_not_let_through(hook, repository):
    assert hook("edit", patch(repository), "--otherwise", "deny", editor="codex")["permissionDecision"] == "deny"


def test_without_the_server_the_editor_asks_or_refuses(hook, repository):
    payload = edit(repository, "src/app.py")

    asked = hook("edit", payload, url=UNREACHABLE)
    assert asked["permissionDecision"] == "ask"
    assert "OpenIntent cannot check this edit" in asked["permissionDecisionReason"]
    assert hook("edit", payload, "--otherwise", "deny", url=UNREACHABLE)["permissionDecision"] == "deny"
    assert "cannot check" in hook("edit", patch(repository, "*** Add File: a"), editor="codex", url=UNREACHABLE)["systemMessage"]


def test_an_identity_that_is_refused_lets_nothing_through(hook, repository, monkeypatch):
    payload = edit(repository, "src/app.py")

    assert hook("edit", payload, "--otherwise", "deny", agent="käse\n")["permissionDecision"] == "deny"


class TestCommit:
    @pytest.fixture
    def commit(self, openintent, files, repository):
        subprocess.run(["git", "add", "-A"], check=True)
        return lambda: openintent("hook", "commit", "--intent", files.id, agent="ada")

    def test_a_commit_of_anothers_files_is_refused(self, commit, files, bob):
        bob.acquire_lease(files.id, "file:src", 600)

        done = commit()

        assert done.code == 1
        assert "src/app.py is leased by bob as part of src until" in done.err

    def test_a_commit_of_ones_own_and_of_free_files_passes(self, commit, files, server, bob):
        with type(bob)(server.url, "dev-user-key", "ada") as ada:
            ada.acquire_lease(files.id, "file:src", 600)
        bob.acquire_lease(files.id, "file:docs", 600)

        assert commit().code == 0

    def test_outside_of_a_repository_it_says_so(self, openintent, files, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)

        done = openintent("hook", "commit", "--intent", files.id)

        assert done.code == 2
        assert "git" in done.err
