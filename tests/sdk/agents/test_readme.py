"""Agents of the documents, verbatim: the README's as a program, the guide's within this one (protocol K-7)."""

import os
import signal
import subprocess
import sys

import pytest

from tests.system.concurrent_clients import until

from ..specification_examples import GUIDES, README, example

pytestmark = [pytest.mark.rule("K-7"), pytest.mark.database("sqlite")]


def test_ten_line_agent_asks_for_a_decision_and_uses_it(server, operator, tmp_path):
    program = tmp_path / "agent.py"
    program.write_text(example("An agent that asks for a decision", README))
    environment = {**os.environ, "OPENINTENT_URL": server.url}
    with subprocess.Popen([sys.executable, program], env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            intent = operator.create_assigned("support-agent", "Answer the complaint")
            question = until(lambda: operator.get_arbitrations(intent.id), "a question")[0]
            operator.record_decision(intent.id, "refund", rationale="Third complaint", arbitration_id=question.id)

            assert operator.wait_for_status(intent, "completed").state == {"resolution": "refund", "reason": "Third complaint"}

            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
            assert "support-agent is listening at" in process.stderr.read()
        finally:
            process.kill()  # Leaving the block waits for its end, also after a failed assertion.


def test_workers(operator, capsys):
    names = {"client": operator}

    exec(compile(example("Workers", GUIDES / "agents.md"), "agents.md", "exec"), names)

    assert capsys.readouterr().out == "Dear customer, …\n"
    intent = operator.get_intent(names["intent"].id)
    assert intent.status == "active"
    assert [each.error_type for each in operator.get_failures(intent.id)] == ["TimeoutError"]


def test_coordinators(operator, capsys):
    exec(compile(example("Coordinators", GUIDES / "agents.md"), "agents.md", "exec"), {})

    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "flights: Book flights: done"
    # The portfolio is read at an earlier event, so the last comment may come after it is complete, or after the stop.
    assert printed.count("Rome Trip 2025 is booked") == 1
    assert set(printed[1:]) <= {"hotels: Book hotel: done", "Rome Trip 2025 is booked"}
    [portfolio] = [each for each in operator.list_portfolios(created_by="travel-coordinator") if each.name == "Rome Trip 2025"]
    assert portfolio.status == "completed"
