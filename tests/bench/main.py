#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""main.py FOLDER ROUNDS TURNS [REGEX]: the scenarios whose name REGEX finds,
on the hosts that tests/bench/run has set up. Files go to FOLDER."""

import itertools
import json
import os
import re
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "prog"))

# pylint: disable=wrong-import-position
import network
from network import ROOT, configuration, service
from packets import BECOMES, Template, swapped
from scenarios import SCENARIOS, VERIFIER
from table import show

MEASURE = "build/tests/bench/measure"
SERVICES, BACKENDS = 512, 4096
# Warming up must not wait for a second to pass, nor for a grace to end.
FILE = {"insert_limit": 10000000, "handshake_grace": "0s"}


class Wrong(Exception):
    """What was measured is not what was to be measured."""


class Measure:
    """The process that runs the programs (see measure.c)."""

    def __init__(self, role):
        self.process = subprocess.Popen(
            ["topology/topo", "exec", role.host, MEASURE,
             f"{role.pins}/link-eth0", f"{role.pins}/flows"],
            cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )

    def __call__(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise Wrong("the kernel refused, see above")
        return answer.split()

    def run(self, what, turns):
        """Turns are counted from 0: (the last, ns of each, action, frame)."""
        turn, took, action, frame = self(f"run {what} {turns}")
        return int(turn), int(took) / turns, int(action), bytes.fromhex(frame)

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def family_of(vip):
    return 6 if ":" in vip else 4


class Services:
    """512 services with 8 backends each, those that are measured among them."""

    def __init__(self, scenarios):
        self.rows = {}
        wanted = {self.key(scenario): None for scenario in scenarios}
        others = itertools.cycle((family, protocol, ()) for family in (4, 6)
                                 for protocol in ("tcp", "udp"))
        rows = [*wanted, *itertools.islice(others, SERVICES - len(wanted))]
        for number, key in enumerate(rows):
            each = BACKENDS // SERVICES
            if key[0] == 4:
                vip = f"198.18.{number >> 8}.{number & 255}"
                to = [f"172.19.{16 + (n >> 8)}.{n & 255}"
                      for n in range(number * each, (number + 1) * each)]
            else:
                vip = f"2001:db8:25::{number:x}"
                to = [f"2001:db8:19::1:{n:x}" for n in range(number * each, (number + 1) * each)]
            self.rows.setdefault(key, (vip, to))
            self.text = getattr(self, "text", "") + service(
                to, vip, 80, key[1], **dict(key[2]))

    @staticmethod
    def key(scenario):
        return (scenario.family, "udp" if scenario.packet == "udp" else "tcp",
                tuple(sorted(scenario.service.items())))

    def of(self, scenario):
        return self.rows[self.key(scenario)]


def check_last(scenario, template, backends, run):
    turn, _, action, left = run
    came = template.of_turn(turn)
    if not BECOMES[scenario.reason](came, action, left, backends):
        raise Wrong(f"turn {turn}: {came.hex()} became action {action}, {left.hex()}")


def measure(scenario, role, process, services, rounds, turns):
    """A row of the result. Floor and program in turn, so that what disturbs
    one disturbs the other."""
    vip, backends = services.of(scenario)
    template = Template(scenario, scenario.packet, vip)
    before, ran = role.reasons(), 0
    process("forget")
    process(template.command(False))
    if scenario.known:
        packet = "udp" if scenario.packet == "udp" else "ack"
        process("frame " + Template(scenario, packet, vip).frame.hex())
        process.run("subject", scenario.flows)
        process("frame " + template.frame.hex())
        ran += scenario.flows
    floor, took = [], []
    for number in range(rounds + 1):  # the first warms up
        run = process.run("floor", turns)
        if not swapped(template.of_turn(run[0]), *run[2:]):
            raise Wrong(f"floor: turn {run[0]}: action {run[2]}, {run[3].hex()}")
        floor.append(run[1])
        run = process.run("subject", turns)
        check_last(scenario, template, backends, run)
        took.append(run[1])
        ran += turns
    left_by = {reason: count - before[reason] for reason, count in role.reasons().items()
               if count != before[reason]}
    if left_by != {scenario.reason: ran}:
        raise Wrong(f"of {ran} packets, {left_by} left; wanted all {scenario.reason}")
    remembered = int(process("forget")[0])
    if scenario.remembered not in (None, remembered):
        raise Wrong(f"{remembered} flows were remembered, wanted {scenario.remembered}")
    return result(scenario, floor[1:], took[1:])


def result(scenario, floor, took):
    median, low = statistics.median(took), statistics.median(floor)
    return {
        "name": scenario.name,
        "ns_min": round(min(took), 1),
        "ns_median": round(median, 1),
        "floor_min": round(min(floor), 1),
        "floor_median": round(low, 1),
        "net_ns": round(median - low, 1),
        "over_floor": round(median / low, 2),
        "over_floor_min": round(min(took) / min(floor), 2),
        "limit": scenario.limit,
        "goal": scenario.goal,
    }


def groups(scenarios):
    """Those that one configuration file serves, together."""
    by_file = {}
    for scenario in scenarios:
        by_file.setdefault(tuple(sorted(scenario.file.items())), []).append(scenario)
    return by_file.items()


def driver_adds(process, rounds, turns):
    """What driver and tail call add to the bare XDP_TX, in ns."""
    bare, floor = [], []
    for _ in range(rounds):
        bare.append(process.run("bare", turns)[1])
        floor.append(process.run("floor", turns)[1])
    return {"bare_min": round(min(bare), 1), "floor_min": round(min(floor), 1),
            "driver_adds": round(min(floor) - min(bare), 1)}


def bench(world, scenarios, rounds, turns):
    document = {"rounds": rounds, "turns": turns, "scenarios": [], "failed": []}
    for settings, group in groups(scenarios):
        services = Services(group)
        file = world.file(configuration(services.text, **{**FILE, **dict(settings)}))
        world.lbr("up", "-i", "eth0", "-m", "native", "-c", file)
        process = Measure(world.lbr)
        for scenario in group:
            try:
                row = measure(scenario, world.lbr, process, services, rounds, turns)
            except Wrong as why:
                print(f"bench: cannot measure '{scenario.name}': {why}", file=sys.stderr)
                document["failed"].append(scenario.name)
                process.close()
                process = Measure(world.lbr)
                continue
            if "driver" not in document:
                document["driver"] = driver_adds(process, rounds, turns)
            document["scenarios"].append(row)
            print(".", end="", flush=True, file=sys.stderr)
        count = int(process("instructions")[0])
        process.close()
    document["scenarios"].append({
        "name": "verifier: xdp_lbr, instructions", "ns_min": None, "ns_median": None,
        "net_ns": None, "over_floor": None, "instructions": count, **VERIFIER})
    for bound in "limit", "goal":
        document[f"{bound}_missed"] = [
            row["name"] for row in document["scenarios"]
            if row[bound] and (row["over_floor"] or row.get("instructions")) > row[bound]]
    return document


def main():
    folder, rounds, turns = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    pattern = sys.argv[4] if len(sys.argv) > 4 else ""
    scenarios = [row for row in SCENARIOS if re.search(pattern, row.name)]
    if not scenarios:
        print(f"run: cannot measure '{pattern}': no such scenario", file=sys.stderr)
        sys.exit(2)
    network.prepare()
    world = network.World(folder)
    try:
        document = bench(world, scenarios, rounds, turns)
    finally:
        world.close()
    if os.environ.get("BENCH_FORMAT") == "json":
        print(json.dumps(document, indent=1))
    else:
        show(document)
    sys.exit(bool(document["failed"]))


main()
