"""The README's agents, verbatim: the first one as a program, the others within this one (protocol K-7)."""

import os
import signal
import subprocess
import sys

import pytest

from ..examples import example

pytestmark = pytest.mark.rule("K-7")


def test_an_agent_is_ten_lines(server, boss, tmp_path):
    program = tmp_path / "agent.py"
    program.write_text(example("Agents"))
    environment = {**os.environ, "OPENINTENT_URL": server.url}
    with subprocess.Popen([sys.executable, program], env=environment, stderr=subprocess.PIPE, text=True) as process:
        intent = boss.ask("research-agent", "Otters")

        assert boss.becomes(intent, "completed").state == {"findings": "All about Otters"}

        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert "research-agent is listening at" in process.stderr.read()


def test_workers(boss, capsys):
    names = {"client": boss}

    exec(compile(example("Workers"), "README.md", "exec"), names)

    assert capsys.readouterr().out == "Dear customer, …\n"
    intent = boss.get_intent(names["intent"].id)
    assert intent.status == "active"
    assert [each.error_type for each in boss.get_failures(intent.id)] == ["TimeoutError"]


def test_coordinators(boss, capsys):
    exec(compile(example("Coordinators"), "README.md", "exec"), {})

    assert capsys.readouterr().out == "flights: Book flights: done\nhotels: Book hotel: done\nRome Trip 2025 is booked\n"
    [portfolio] = [each for each in boss.list_portfolios(created_by="travel-coordinator") if each.name == "Rome Trip 2025"]
    assert portfolio.status == "completed"
