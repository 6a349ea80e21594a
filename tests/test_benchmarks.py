"""Benchmarks: their seeds, figures and report."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import adapters, comparison, console, fanout, plans, search, suite
from benchmarks.report import Report
from benchmarks.results import Results
from benchmarks.seed import Seeder
from benchmarks.suite import QUICK, manage, migrated_database
from tests.servers import Server

pytestmark = [pytest.mark.full, pytest.mark.database("sqlite")]


ROOT = Path(__file__).parent.parent


def quiet(line: str) -> None:
    pass


@pytest.fixture(scope="module")
def results(vendor: str, tmp_path_factory: pytest.TempPathFactory) -> Results:
    with suite.workers() as pool:
        return suite.measure(vendor, QUICK, tmp_path_factory.mktemp("bench"), pool, only=["update state"], tell=quiet)


def test_every_operation_is_measured_at_every_number_of_clients(results: Results) -> None:
    rows = {(each.operation, each.clients) for each in results.operations}

    assert rows == {(name, clients) for name in ("empty view without fast paths", "update state") for clients in QUICK.clients}
    for each in results.operations:
        assert 0 < each.steps <= QUICK.steps
        assert 0 < each.latency(0.5) <= each.latency(0.99)
        assert each.per_second > 0
        assert each.cpu > 0
        assert each.memory > 2**20


def test_the_raw_transaction_stands_beside_it(results: Results) -> None:
    assert [(each.name, each.threads) for each in results.raw] == [("update state", clients) for clients in QUICK.clients]
    assert all(each.per_second > 0 and each.cpu > 0 for each in results.raw)


def test_graph_reads_are_measured_on_every_tree(results: Results) -> None:
    assert list(results.trees) == list(QUICK.trees)
    assert all(each.steps == QUICK.reads for reads in results.trees.values() for each in reads)


def test_the_report_shows_what_was_measured(results: Results) -> None:
    report = str(Report(QUICK, [results], []))

    assert f"## {results.database}" in report
    assert report.count("| update state | 16 |") == 2
    assert "## Where the time goes" in report


def test_followers_are_measured_and_lose_nothing(vendor: str, tmp_path: Path) -> None:
    with suite.workers() as pool:
        measured = fanout.measure(vendor, QUICK, tmp_path, pool, tell=quiet)

    assert [(each.followers, each.is_spread) for each in measured.rounds] == [(20, False), (20, True)]
    for each in measured.rounds:
        heard_by = 1 if each.is_spread else each.followers
        assert (each.paced.deliveries, each.full.deliveries) == (10 * heard_by, 50 * heard_by)
        assert each.paced.lost == each.full.lost == 0
        assert 0 < each.paced.from_send[0.5] <= each.paced.from_send[0.99]
    assert "| 20: one intent |" in str(Report(QUICK, [], [], [measured]))


def test_plans_are_measured_alone_and_beside_reads(vendor: str, tmp_path: Path) -> None:
    with suite.workers() as pool:
        measured = plans.measure(vendor, QUICK, tmp_path, pool, tell=quiet)

    assert (len(measured.alone), len(measured.beside)) == (QUICK.plans_alone, QUICK.plans_beside)
    assert all(seconds > 0 for seconds in (*measured.alone, *measured.beside, *measured.reads, measured.elapsed))
    report = str(Report(QUICK, [], [], plans=[measured]))
    assert "plans of 50 intents: one alone, median" in report


def test_adapters_are_measured_with_the_server_up_and_away(tmp_path: Path) -> None:
    with suite.workers() as pool:
        measured = adapters.measure(QUICK, tmp_path, pool, tell=quiet)

    assert [each.server for each in measured] == ["up", "away"]
    for each in measured:
        for pair in each.request, each.chunk, each.real:
            assert pair.medians[0] > 0
            assert len(pair.bare) == len(pair.adapted) > 0
    assert "| up |" in str(Report(QUICK, [], [], adapters=measured))


def test_pages_of_the_console_are_measured(vendor: str, tmp_path: Path) -> None:
    measured = console.measure(vendor, QUICK, tmp_path, tell=quiet)

    assert measured.later.keys() == measured.first.keys() >= {"home", "inbox", "question", "intent", "costs"}
    assert "| question |" in str(Report(QUICK, [], [], console=[measured]))


def test_searches_are_measured_in_the_api_and_in_the_console(vendor: str, tmp_path: Path) -> None:
    found = [*search.measure(vendor, QUICK, tmp_path, tell=quiet)]

    assert [(each.search, each.where) for each in found] == [
        (name, where) for name in search.SEARCHES for where in ("API", "console")
    ]
    assert "| console | none |" in search.table(found)


@pytest.mark.rule("E-6")
def test_seeded_intents_are_what_their_log_replays_to(vendor: str, tmp_path: Path) -> None:
    url = migrated_database(vendor, tmp_path)
    with Seeder(url) as seeder:
        seeder.intents(50, events_each=12)
        seeder.tree(100)
        seeder.costs(100)
        seeder.portfolio(10)

    manage(url, "verify_log")  # Fails where it finds something.


def test_gates_and_permits_have_a_line_each() -> None:
    command = [sys.executable, "-m", "benchmarks", "gates", "--quick", "--database", "sqlite"]
    output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout

    assert [line.split(" | ")[0] for line in output.splitlines()[2:]] == ["| no gates", "| gated, with its permit"]


@pytest.mark.parametrize("operation", ["get intent", "update state under a lease"])
def test_profile_shows_the_share_of_each_layer(operation: str) -> None:
    command = [sys.executable, "-m", "benchmarks", "profile", operation, "--database", "sqlite"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    shares = {cells[1].strip(): cells[2] for line in shown.splitlines() if len(cells := line.split("|")) == 5}
    assert shares.keys() >= {"DRF and core.api", "authentication", "verbs", "database driver"}
    assert sum(float(share.strip("% ")) for share in shares.values() if "%" in share) == pytest.approx(100, abs=1)


def test_two_servers_are_measured_in_turns(vendor: str, tmp_path: Path) -> None:
    with Server(migrated_database(vendor, tmp_path)) as other:
        found = [
            *comparison.measure(other.url, vendor, replace(QUICK, clients=(2,)), tmp_path, only=["update state"], tell=quiet)
        ]

    [compared] = found
    assert compared.failure == ""
    assert (compared.ours.operation, compared.ours.clients) == ("update state", 2)
    for side in compared.ours, compared.theirs:
        assert 0 < side.steps <= QUICK.steps
        assert side.cpu > 0
    assert comparison.table(found).count("×") == 2


def test_missing_server_is_named() -> None:
    command = [sys.executable, "-m", "benchmarks", "beside", "http://127.0.0.1:9", "update state", "--quick"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    assert ended.returncode == 2
    assert "the server at http://127.0.0.1:9 takes no intents" in ended.stderr
