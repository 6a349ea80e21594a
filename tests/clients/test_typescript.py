"""A client in TypeScript, generated, compiled under `strict`, and walked through the tutorial."""

import re

import pytest

pytestmark = [pytest.mark.full, pytest.mark.database("postgresql")]


LOG = [
    "intent_created", "agent_assigned", "agent_assigned", "lease_acquired", "state_patched", "lease_released", "arbitration_requested",
    "status_changed", "decision_recorded", "status_changed", "comment", "status_changed",
]  # fmt: skip
"""What the tutorial leaves in the intent's log."""


@pytest.fixture(scope="module")
def said(npm, reader):
    """Return the output of the tutorial once everything on its page is done."""
    return reader.follow("TypeScript").splitlines()


def test_the_tutorial_runs(said):
    start = said.index("ada decided: south")

    assert said[start + 1 :] == [f"{number} {event}" for number, event in enumerate(LOG, 1)]


def test_no_type_is_unknown_where_the_api_knows_it(said, reader):
    types = re.sub(r"/\*.*?\*/", "", (reader.folder / "openintent/types.gen.ts").read_text(), flags=re.DOTALL)

    without_texts = re.sub(r"'[^']*'", "''", types)
    loose = {line.strip() for line in without_texts.splitlines() if re.search(r"\b(unknown|any)\b", line)}
    assert loose == {"[key: string]: unknown;", "value?: unknown;"}, "state, metadata and the like are free JSON"
