"""Commit messages: the rule that CONTRIBUTING.md states, for the commit-msg hook and for `make check`.

python scripts/commit_messages.py            check the commits since the rule was introduced
python scripts/commit_messages.py FILE       check the message in FILE; called by the hook
python scripts/commit_messages.py --install  install the hook in this clone

It needs Python and git alone, since hooks run without the virtual environment.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

SUBJECT = re.compile(r"[a-z][a-z0-9_./-]*(?:, [a-z][a-z0-9_./-]*)*: (?P<verb>[A-Z][\w'-]*)\b.*[^.\s]")
LONGEST = 72

NO_VERBS = re.compile(
    r"A|All|An|And|Each|Every|For|From|How|If|In|It|More|Most|New|No|Now|Of|On|One|"
    r"Only|Our|Some|That|The|There|This|What|When|Where|Which|Who|Why|With"
)
"""Words that a sentence, but no imperative, begins with."""

OTHER_FORMS = re.compile(r"\w+(?:ed|ing|[^s]s)")
"""Past tense, participle, third person: `Added`, `Adding`, `Adds`."""

IMPERATIVES = re.compile(r"Bring|Embed|Exceed|Feed|Focus|Need|Ping|Proceed|Seed|Shed|Shred|Speed|Spring|String|Swing|Bypass")
"""Imperatives that look like one of the other forms."""

TRAILER = re.compile(r"[A-Z][A-Za-z-]+-(?:[Bb]y|[Ii]d): .*|(?:Fixes|Closes|Refs): .*")
SCISSORS = "# ------------------------ >8 ------------------------"
UNFINISHED = ("fixup! ", "squash! ", "amend! ")
"""Subjects of commits that a rebase will merge into others: the hook lets them pass, `make check` does not."""

HOOK = """#!/bin/sh
# Installed by `make hooks`: checks the commit message (CONTRIBUTING.md).
rule="$(git rev-parse --show-toplevel)/scripts/commit_messages.py"
[ ! -f "$rule" ] || exec python3 "$rule" "$1"
"""


def problems(message: str) -> list[str]:
    """Return what is wrong with a message; an empty list if nothing is."""
    subject, *rest = message.rstrip().splitlines() or [""]
    found = []
    if len(subject) > LONGEST:
        found.append(f"the subject has {len(subject)} characters; at most {LONGEST} are allowed")
    if not (form := SUBJECT.fullmatch(subject)):
        found.append('the subject must read "area: Subject", without a full stop')
    else:
        verb = form["verb"]
        if NO_VERBS.fullmatch(verb) or (OTHER_FORMS.fullmatch(verb) and not IMPERATIVES.fullmatch(verb)):
            found.append(f'the subject must begin with an imperative ("Add", "Fix"), not "{verb}"')
    if rest and rest[0].strip():
        found.append("the second line must be empty")
    if not any(line.strip() and not TRAILER.fullmatch(line) for line in rest):
        found.append("a body that says why is missing")
    return found


def check_file(path: Path) -> int:
    """Check the message that git is about to record: without comments, and without the diff of `commit --verbose`."""
    text = path.read_text(encoding="utf-8", errors="replace").partition(SCISSORS)[0]
    message = "\n".join(line for line in text.splitlines() if not line.startswith("#")).strip()
    if not message or message.startswith((*UNFINISHED, "Merge ", "Revert ")):
        return 0  # Git refuses an empty message itself.
    return _report({"this commit": problems(message)})


def check_history() -> int:
    """Check the commits from the one that introduced this file up to HEAD. Where there is no history, say so and succeed."""
    try:
        top = Path(git("rev-parse", "--show-toplevel").strip())
        introduced = git("log", "--diff-filter=A", "--format=%H", "--", "scripts/commit_messages.py").split()
    except (OSError, subprocess.CalledProcessError) as error:
        reason = getattr(error, "stderr", None) or str(error)
        return _skip(f"git has no history of this folder ({reason.strip().splitlines()[0]})")
    if top != ROOT or not introduced:
        return _skip("git has no history of this folder")
    first = introduced[-1]
    messages = [*_log("-1", first), *_log("--no-merges", f"{first}..HEAD")]
    print(f"{len(messages)} commit messages checked.")
    return _report(
        {f"{sha[:10]} {subject}": problems(message) for sha, subject, message in messages if not subject.startswith('Revert "')}
    )


def _log(*revisions: str) -> list[tuple[str, str, str]]:
    """Return id, subject and message of the commits."""
    entries = git("log", "--format=%H%x00%s%x00%B%x1e", *revisions).split("\x1e")
    found = (entry.strip("\n").split("\0") for entry in entries if entry.strip())
    return [(sha, subject, message) for sha, subject, message in found]


def install() -> int:
    """Write the hook where this clone looks for hooks; leave another hook alone."""
    hook = Path(ROOT, git("rev-parse", "--git-path", "hooks/commit-msg").strip())
    if hook.exists() and hook.read_text() != HOOK and "commit_messages.py" not in hook.read_text():
        print(f"{hook} exists and was not changed. Call scripts/commit_messages.py from it.", file=sys.stderr)
        return 1
    hook.parent.mkdir(parents=True, exist_ok=True)
    hook.write_text(HOOK)
    hook.chmod(0o755)
    print(f"Installed {hook}.")
    return 0


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def _report(found: dict[str, list[str]]) -> int:
    wrong = {commit: reasons for commit, reasons in found.items() if reasons}
    for commit, reasons in wrong.items():
        print(f"{commit}: {'; '.join(reasons)}.", file=sys.stderr)
    if wrong:
        print("CONTRIBUTING.md states the rule for commit messages.", file=sys.stderr)
    return bool(wrong)


def _skip(reason: str) -> int:
    print(f"Commit messages were not checked: {reason}.")
    return 0


def main(arguments: list[str]) -> int:
    if arguments == ["--install"]:
        return install()
    return check_file(Path(arguments[0])) if arguments else check_history()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
