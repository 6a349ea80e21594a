"""Files of a repository as scopes of leases (protocol L-7)."""

import subprocess
import unicodedata
from collections.abc import Container, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ...client import OpenIntentClient
from ...errors import ConflictError, LeaseConflictError, OpenIntentError
from ...models import Lease
from ..durations import format_time, time_left

FILE = "file:"
EDIT_SECONDS = 600
"""Length of the lease that an edit takes where there is none."""
CHECK_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Held:
    """A scope, and the lease of another agent that overlaps it, as the server describes it."""

    scope: str
    lease: Mapping[str, Any]

    def __str__(self) -> str:
        end = datetime.fromisoformat(self.lease["expires_at"])
        held = "" if self.lease["scope"] == self.scope else f" as part of {self.lease['scope'].removeprefix(FILE)}"
        return f"{self.scope.removeprefix(FILE)} is leased by {self.lease['agent_id']}{held} until {format_time(end)} ({time_left(end)})"


def repository(folder: str) -> Path:
    """Return the root of the repository that contains the folder; without one, the folder."""
    try:
        command = ["git", "-C", folder, "rev-parse", "--show-toplevel"]
        found = subprocess.run(
            command, capture_output=True, encoding="utf-8", errors="surrogateescape", check=True, timeout=5
        ).stdout.rstrip("\n")
    except (OSError, subprocess.SubprocessError):
        found = folder
    return Path(found).resolve()


def scopes_of(paths: Iterable[str], folder: str) -> list[str]:
    """Return the scopes of the files, whose paths may be relative to the folder. Files outside of its repository have none.

    A symbolic link stands for the file that it leads to, as that one is written.
    """
    root = repository(folder)
    found = [(Path(folder) / path).resolve() for path in paths]
    inside = [path.relative_to(root) for path in found if path.is_relative_to(root) and path != root]
    return [*dict.fromkeys(FILE + unicodedata.normalize("NFC", path.as_posix()) for path in inside)]


def staged_scopes(folder: str) -> list[str]:
    """Return the scopes of the files that the next commit changes. Raise CalledProcessError."""
    command = ["git", "-C", folder, "diff", "--cached", "--name-only", "--no-renames", "-z"]
    names = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=True, timeout=30).stdout.split(
        "\0"
    )
    return [FILE + unicodedata.normalize("NFC", name) for name in names if name]


def lease_files(client: OpenIntentClient, intent_id: str, scopes: list[str]) -> list[Held]:
    """Have a lease of the caller on each of the scopes, for ten minutes at least; return the first that is another's.

    Of several scopes, all are leased or none. Raises what `acquire_lease` raises but for a conflict.
    """
    before = {lease.id for lease in client.get_leases(intent_id)} if len(scopes) > 1 else set()
    taken: list[Lease] = []
    try:
        for scope in scopes:
            found = _take(client, intent_id, scope, EDIT_SECONDS)
            if isinstance(found, Held):
                _release(client, taken, before)
                return [found]
            taken.append(found)
    except OpenIntentError:
        _release(client, taken, before)
        raise
    return []


def _release(client: OpenIntentClient, taken: Iterable[Lease], before: Container[str]) -> None:
    for lease in taken:
        if lease.id not in before:
            with suppress(OpenIntentError):  # It ends by itself.
                client.release_lease(lease.intent_id, lease.id)


def held_by_others(client: OpenIntentClient, intent_id: str, scopes: Iterable[str]) -> list[Held]:
    """Return those of the scopes on which others hold leases.

    Whose a lease is, the server says: the holder of a key that is bound to an agent need not know its name.
    """
    leased = [lease.scope for lease in client.get_leases(intent_id) if lease.scope.startswith(FILE)]
    asked = (scope for scope in scopes if any(_covers(scope, each) or _covers(each, scope) for each in leased))
    return [found for scope in asked if isinstance(found := _take(client, intent_id, scope, CHECK_SECONDS), Held)]


def _take(client: OpenIntentClient, intent_id: str, scope: str, seconds: int) -> Lease | Held:
    try:
        return client.acquire_lease(intent_id, scope, seconds)
    except LeaseConflictError as conflict:
        if conflict.existing_lease is None:
            raise
        return Held(scope, conflict.existing_lease)
    except ConflictError as refusal:
        # The agent has as many leases as it may. One on a folder is enough, and asking for it again makes it last.
        if refusal.code == "too_many_leases":
            for lease in client.get_leases(intent_id):
                if _covers(lease.scope, scope) and lease.scope != scope:
                    return _take(client, intent_id, lease.scope, seconds)
        raise


def _covers(outer: str, inner: str) -> bool:
    return inner == outer or inner.startswith(f"{outer}/")
