"""`python -m benchmarks`: measure everything, and write docs/performance.md.

`criteria` measures 8 and 16 clients only, `growth` only what a full database costs, `fanout` only streams and webhooks, `adapters` only what
the SDK's adapters add to a request, `console` only what its pages cost, `plans` only plans of many intents, `search` what a search takes, `hostile` what hostile requests cost, `gates` what gates and permits add to a write, `processes` two server processes against one, `profile` shows where the time of an operation goes, and `beside URL` measures another OpenIntent
server in turns with this one. They just print, as does whatever measures less than everything.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import requests

from benchmarks import (
    adapters,
    comparison,
    console,
    fanout,
    gates,
    growth,
    hostile_inputs,
    plans,
    processes,
    profiling,
    search,
    suite,
    webhooks,
)
from benchmarks.operations import OPERATIONS
from benchmarks.report import CLIENTS, CRITERIA_CLIENTS, Report
from benchmarks.suite import QUICK, ROOT, Scale
from tests.databases import VENDORS

PAGE = ROOT / "docs" / "performance.md"

PARTS = (
    "all",
    "criteria",
    "growth",
    "fanout",
    "adapters",
    "console",
    "plans",
    "search",
    "hostile",
    "gates",
    "processes",
    "profile",
    "beside",
)
ALONE: dict[str, Any] = {"hostile": hostile_inputs, "gates": gates, "processes": processes}
"""Modules that measure a part by themselves."""

tell = partial(print, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "what",
        nargs="?",
        choices=PARTS,
        default="all",
    )
    parser.add_argument("operations", nargs="*", metavar="OPERATION", help=f"only these of {', '.join(OPERATIONS)}")
    parser.add_argument("--database", choices=VENDORS, help="only this one")
    parser.add_argument("--quick", action="store_true", help="see that everything runs")
    parser.add_argument(
        "--intents", type=int, metavar="N", help="size of the full database of `growth`, with ten times as many events"
    )
    options = parser.parse_args()
    if options.what == "beside":
        options.url, *options.operations = options.operations or parser.error("beside takes the URL of the other server")
    if unknown := set(options.operations) - OPERATIONS.keys():
        parser.error(f"there is no operation {min(unknown)!r}")
    vendors = [options.database] if options.database else VENDORS
    if options.what == "profile":
        if len(options.operations) != 1:
            parser.error("profile takes one operation")
        profiling.show(OPERATIONS[options.operations[0]], vendors[0])
        return
    if options.what == "beside" or options.what in ALONE:
        with tempfile.TemporaryDirectory(prefix="openintent-bench-") as folder:
            print(_alone(parser, options, vendors[0], Path(folder)))
        return
    scale = QUICK if options.quick else Scale()
    if options.intents:
        scale = replace(scale, growth_intents=options.intents)
    if options.what == "search":
        with tempfile.TemporaryDirectory(prefix="openintent-bench-") as folder:
            found = [each for vendor in vendors for each in search.measure(vendor, scale, Path(folder), tell=tell)]
        print(search.table(found))
        return
    report = str(_measure(options.what, vendors, options.operations, scale))
    if options.what == "all" and not (options.quick or options.database or options.operations or options.intents):
        PAGE.write_text(report)
    print(report)


def _alone(parser: argparse.ArgumentParser, options: argparse.Namespace, vendor: str, folder: Path) -> str:
    """Return the table of a part that is measured by itself, on one database."""
    if options.what in ALONE:
        part = ALONE[options.what]
        try:
            return part.table([*part.measure(vendor, folder, is_quick=options.quick)])
        except ValueError as error:
            parser.error(str(error))
    scale = replace(QUICK if options.quick else Scale(), clients=(1, CLIENTS))
    try:
        return comparison.table([*comparison.measure(options.url, vendor, scale, folder, only=options.operations, tell=tell)])
    except requests.RequestException as error:
        parser.error(f"the server at {options.url} takes no intents with the keys of development mode: {error}")


def _measure(what: str, vendors: Sequence[str], only: Sequence[str], scale: Scale) -> Report:
    report = Report(replace(scale, clients=CRITERIA_CLIENTS) if what == "criteria" else scale, [], [])
    with tempfile.TemporaryDirectory(prefix="openintent-bench-") as folder, suite.workers() as pool:
        if what in ("all", "criteria"):
            report.results.extend(
                suite.measure(vendor, report.scale, Path(folder), pool, only=only, tell=tell) for vendor in vendors
            )
        if what in ("all", "growth"):
            report.growth.extend(growth.measure(vendor, scale, Path(folder), pool, tell=tell) for vendor in vendors)
        if what in ("all", "fanout"):
            report.fanout.extend(fanout.measure(vendor, scale, Path(folder), pool, tell=tell) for vendor in vendors)
            report.callbacks.extend(webhooks.measure(vendor, scale, Path(folder), pool, tell=tell) for vendor in vendors)
        if what in ("all", "adapters"):
            report.adapters.extend(adapters.measure(scale, Path(folder), pool, tell=tell))
        if what in ("all", "plans"):
            report.plans.extend(plans.measure(vendor, scale, Path(folder), pool, tell=tell) for vendor in vendors)
        if what in ("all", "console"):
            report.console.extend(console.measure(vendor, scale, Path(folder), tell=tell) for vendor in vendors)
    return report


if __name__ == "__main__":
    main()
