#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""main.py FOLDER ROUNDS TURNS [REGEX]: run the scenarios whose name matches REGEX on the
hosts that tests/bench/run has set up. Files go to FOLDER."""

import json
import os
import platform
import re
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "prog"))

# pylint: disable=wrong-import-position
import network
from harness import Bench, Wrong
from scenarios import SCENARIOS, VERIFIER
from table import Table, cpu


def verifier_row(program, instructions):
    return {"name": f"verifier: xdp_{program}", "ns_min": None, "ns_median": None,
            "net_ns": None, "over_floor": None, "instructions": instructions, **VERIFIER}


def missed(rows, bound):
    return [row["name"] for row in rows if row[bound]
            and (row["over_floor"] or row["instructions"]) > row[bound]]


def bench(world, scenarios, rounds, turns, each):
    """The document; `each` is called with every row as soon as there is one."""
    rows, failed, driver, instructions = [], [], None, {}
    for scenario in scenarios:
        try:
            row, adds, count = Bench(world, scenario, rounds, turns).measure(not driver)
        except (Wrong, AssertionError) as why:
            print(f"bench: cannot measure '{scenario.name}': {why}", file=sys.stderr)
            failed.append(scenario.name)
            continue
        rows.append(row)
        driver = driver or adds
        instructions[scenario.program] = count
        each(row)
    for program, count in instructions.items():
        rows.append(verifier_row(program, count))
        each(rows[-1])
    return {
        "kernel": platform.release(), "cpu": cpu(), "load": os.getloadavg()[0],
        "rounds": rounds, "turns": turns,
        "driver": driver,
        "scenarios": rows, "failed": failed,
        "limit_missed": missed(rows, "limit"), "goal_missed": missed(rows, "goal"),
    }


def main():
    folder, rounds, turns = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    pattern = sys.argv[4] if len(sys.argv) > 4 else ""
    scenarios = [row for row in SCENARIOS if re.search(pattern, row.name)]
    if not scenarios:
        print(f"run: cannot measure '{pattern}': no such scenario", file=sys.stderr)
        sys.exit(2)
    as_json = os.environ.get("BENCH_FORMAT") == "json"
    table = Table(None if as_json else sys.stdout)
    network.prepare()
    document = bench(network.World(folder), scenarios, rounds, turns, table.row)
    table.end(document)
    if as_json:
        print(json.dumps(document, indent=1))
    sys.exit(bool(document["failed"]))


main()
