"""The rule for commit messages: as the hook applies it, and as `make check` does."""

import os
import shutil
import subprocess
import sys

import pytest

from scripts.commit_messages import problems
from tests.processes import ROOT

RULE = "scripts/commit_messages.py"
WHY = "\n\nReaders could not tell the two apart.\n"
GOOD = "leasing: Expire a lease when its scope is asked for" + WHY

IDENTITY = {
    f"GIT_{role}_{part}": value
    for role in ("AUTHOR", "COMMITTER")
    for part, value in (("NAME", "ada"), ("EMAIL", "ada@example.com"))
}
ENVIRONMENT = {
    "PATH": f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}",
    "HOME": "/nonexistent",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    **IDENTITY,
}


def run(folder, *command):
    return subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=60)


def git(folder, *arguments):
    done = run(folder, "git", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def commit(folder, message):
    return git(folder, "commit", "--quiet", "--allow-empty", "--message", message)


def check(folder):
    return run(folder, sys.executable, RULE)


@pytest.fixture
def clone(tmp_path):
    """A repository whose second commit introduces the rule."""
    folder = tmp_path / "clone"
    (folder / "scripts").mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch", "main")
    commit(folder, "Before there was a rule")
    shutil.copy(ROOT / RULE, folder / RULE)
    git(folder, "add", RULE)
    commit(folder, "ci: Check commit messages" + WHY)
    return folder


@pytest.mark.parametrize(
    "subject", ["leasing: Expire a lease", "tests/docs, sdk: Process pages", "core: Bring fields back", "ci: Focus on one file"]
)
def test_imperative_subject_with_a_body_is_accepted(subject):
    assert problems(subject + WHY) == []


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        ("Expire a lease" + WHY, "area: Subject"),
        ("leasing: expire a lease" + WHY, "area: Subject"),
        ("leasing: Expire a lease." + WHY, "area: Subject"),
        ("leasing: Expired a lease" + WHY, "imperative"),
        ("leasing: Expires a lease" + WHY, "imperative"),
        ("leasing: Expiring a lease" + WHY, "imperative"),
        ("leasing: The end of a lease" + WHY, "imperative"),
        ("leasing: Expire" + " a lease" * 8 + WHY, "79 characters"),
        ("leasing: Expire a lease\nat once" + WHY, "second line"),
        ("leasing: Expire a lease", "body"),
        ("leasing: Expire a lease\n\nCo-authored-by: Bob <bob@example.com>\n", "body"),
        ("", "area: Subject"),
    ],
    ids=["no area", "lower case", "full stop", "past", "third person", "participle", "article", "long", "no gap", "bare", "trailer", "empty"],
)  # fmt: skip
def test_message_that_breaks_the_rule_is_named(message, problem):
    assert any(problem in each for each in problems(message))


def test_hook_refuses_a_bad_message_and_accepts_a_good_one(clone):
    assert run(clone, sys.executable, RULE, "--install").returncode == 0

    refused = run(clone, "git", "commit", "--allow-empty", "--message", "Fixed it")
    assert refused.returncode != 0
    assert "CONTRIBUTING.md" in refused.stderr
    commit(clone, GOOD)
    commit(clone, "fixup! " + GOOD)
    assert git(clone, "rev-list", "--count", "HEAD").strip() == "4"


def test_hook_ignores_comments_and_the_verbose_diff(clone, tmp_path):
    message = tmp_path / "message"
    message.write_text(f"# Please enter\n{GOOD}# On branch main\n# ------------------------ >8 ------------------------\n+x\n")

    assert run(clone, sys.executable, RULE, str(message)).returncode == 0


def test_install_leaves_another_hook_alone(clone):
    hook = clone / ".git/hooks/commit-msg"
    hook.write_text("#!/bin/sh\nexit 0\n")

    assert run(clone, sys.executable, RULE, "--install").returncode == 1
    assert hook.read_text() == "#!/bin/sh\nexit 0\n"


def test_history_is_checked_from_the_commit_that_introduced_the_rule(clone):
    commit(clone, GOOD)
    assert (check(clone).returncode, check(clone).stdout) == (0, "2 commit messages checked.\n")

    commit(clone, "Fixed it")
    assert check(clone).returncode == 1
    assert "Fixed it" in check(clone).stderr


def test_shallow_clone_checks_the_commits_it_has(clone, tmp_path):
    for _ in range(3):
        commit(clone, GOOD)
    git(tmp_path, "clone", "--quiet", "--depth", "2", f"file://{clone}", "shallow")

    assert (check(tmp_path / "shallow").returncode, check(tmp_path / "shallow").stdout) == (0, "2 commit messages checked.\n")


@pytest.mark.parametrize("inside_another", [False, True], ids=["no repository", "inside another repository"])
def test_without_history_the_check_says_that_it_was_skipped(clone, tmp_path, inside_another):
    copy = tmp_path / "export" / "copy"
    shutil.copytree(clone / "scripts", copy / "scripts")
    if inside_another:
        git(copy.parent, "init", "--quiet")

    done = check(copy)

    assert done.returncode == 0
    assert "were not checked" in done.stdout
