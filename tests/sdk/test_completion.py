"""Completion by jedi, as in Jupyter, IPython and vim: it offers the members of what a call returns (protocol K-8)."""

import json
import subprocess
import sys

import pytest
from openintent import Arbitration, Event, Intent, Lease, Permit

pytestmark = [pytest.mark.full, pytest.mark.database("sqlite"), pytest.mark.rule("K-8"), pytest.mark.case("console L2")]

PROGRAM = """
import json, sys
sys.path.append(sys.argv[1])
import jedi
print(json.dumps([[each.name for each in jedi.Script(code).complete()] for code in json.load(sys.stdin)]))
"""

START = "from openintent import AsyncOpenIntentClient, OpenIntentClient\nclient = OpenIntentClient('http://x')\n"
ASYNC_START = f"{START}async def main():\n  async with AsyncOpenIntentClient('http://x') as client:\n    "

WRITTEN = {
    "client.create_intent('x').": Intent,
    "client.list_intents()[0].": Intent,
    "client.wait_for_decision('x', 'y').": Arbitration,
    "for event in client.stream():\n    event.": Event,
    "with client.lease('x', 'draft') as lease:\n    lease.": Lease,
    "with client.permit('x', 'deploy', 'shop', reason='…') as permit:\n    permit.": Permit,
}
AWAITED = {
    "intent = await client.get_intent('x')\n    intent.": Intent,
    "async with client.lease('x', 'draft') as lease:\n      lease.": Lease,
    "async for event in client.stream():\n      event.": Event,
}


@pytest.fixture(scope="module")
def jedi(tmp_path_factory):
    folder = tmp_path_factory.mktemp("jedi")
    install = [sys.executable, "-m", "uv", "pip", "install", "-q", "--target", str(folder), "jedi>=0.19,<1"]
    installed = subprocess.run(install, capture_output=True, text=True)
    assert installed.returncode == 0, installed.stderr
    return folder


def test_the_members_of_a_result_are_offered(jedi):
    cases = {START + text: model for text, model in WRITTEN.items()} | {
        ASYNC_START + text: model for text, model in AWAITED.items()
    }

    run = subprocess.run([sys.executable, "-c", PROGRAM, str(jedi)], input=json.dumps([*cases]), capture_output=True, text=True)

    assert run.returncode == 0, run.stderr
    for (code, model), offered in zip(cases.items(), json.loads(run.stdout), strict=True):
        assert {*model.__dataclass_fields__} <= {*offered}, code
