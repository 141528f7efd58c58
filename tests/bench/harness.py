# SPDX-License-Identifier: GPL-2.0-only
"""A scenario, set up and measured, on the hosts that tests/bench/run has made."""

import contextlib
import itertools
import statistics
import subprocess

from becomes import NEAR_MAC, becomes, swapped
from network import ROOT, TOPO, configuration, on, service
from packets import FIRST_PORT, SOURCE, Template

MEASURE = "build/tests/bench/measure"
SERVICES, BACKENDS = 512, 4096
FLOW_TABLE = 1000000  # the default
# insert-limit must not slow down the warm-up.
FILE = {"insert_limit": 10000000}
SOURCES = "['172.17.0.0/16', '2001:db8:17::/64']"


# A client on the backend itself, connected to the backend's web server.
HOLD = """
import socket, sys
vip, source, port = sys.argv[1:]
client = socket.create_connection((vip, 80), 20, (source, int(port)))
print("ready", flush=True)
sys.stdin.read()
"""


class Wrong(Exception):
    """What was measured is not what the scenario says."""


class Measure:
    """The process that runs the programs (see measure.c)."""

    def __init__(self, role):
        self.start(role.host, role.pins, "eth0")

    def start(self, host, pins, interface):
        self.process = subprocess.Popen(
            ["topology/topo", "exec", host, MEASURE, pins, interface],
            cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )

    def __call__(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise Wrong("the kernel refused, see above")
        return answer.split()

    def number(self, command):
        return int(self(command)[0])

    def run(self, what, turns):
        """(number of the last turn, ns of each turn, action, frame)"""
        turn, took, action, frame = self(f"run {what} {turns}")
        return int(turn), int(took) / turns, int(action), bytes.fromhex(frame)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


class Services:
    """512 services with 8 backends each; the first is the scenario's."""

    def __init__(self, scenario):
        own = (scenario.family, "udp" if scenario.packet == "udp" else "tcp", scenario.service)
        others = itertools.cycle((family, protocol, {}) for family in (4, 6)
                                 for protocol in ("tcp", "udp"))
        rows = [own, *itertools.islice(others, SERVICES - 1)]
        self.vip, self.backends = self.addresses(own[0], 0)
        if scenario.service.get("forward") == "l2":
            self.backends = self.beside(own[0])
        rows_of_own = self.backends
        if scenario.moves:
            rows_of_own = self.moving()
        elif scenario.fills:
            rows_of_own = [*self.backends[:-1],
                           f"{{address: '{self.backends[-1]}', state: filling}}"]
        self.text = "".join(
            service(backends if number else rows_of_own, vip, 80, protocol, **keys)
            for number, (family, protocol, keys) in enumerate(rows)
            for vip, backends in [self.addresses(family, number)])

    @staticmethod
    def addresses(family, number):
        """(VIP, its backends); in the same order in both families."""
        each = BACKENDS // SERVICES
        indices = range(number * each, (number + 1) * each)
        if family == 4:
            return (f"198.18.{number >> 8}.{number & 255}",
                    [f"172.19.{16 + (n >> 8)}.{n & 255}" for n in indices])
        return f"2001:db8:25::{number:x}", [f"2001:db8:19::1:{n:x}" for n in indices]

    def moving(self):
        """The first backend drains and the second fills, so each slot has two candidates."""
        self.backends = self.backends[:2]
        return [f"{{address: '{address}', state: {state}}}"
                for address, state in zip(self.backends, ("draining", "filling"))]

    @staticmethod
    def beside(family):
        """Backends on the load balancer's own segment."""
        form = "172.17.16.{}" if family == 4 else "2001:db8:17::1:{:x}"
        addresses = [form.format(n) for n in range(BACKENDS // SERVICES)]
        for address in addresses:
            on("lbdsr0a", "ip", "neigh", "replace", address, "dev", "eth0", "lladdr", NEAR_MAC,
               "nud", "permanent")
        return addresses


class Bench:
    """One scenario, on a program that has just been loaded."""

    def __init__(self, world, scenario, rounds, turns):
        self.scenario, self.rounds, self.turns = scenario, rounds, turns
        self.services = Services(scenario)
        self.role = world.lbr if scenario.program == "lbr" else world.bkd["backend0x"]
        self.template = self.frames(scenario.packet)
        self.process, self.ran = None, 0
        settings = {**FILE, **scenario.file}
        if scenario.service.get("forward") == "ipip":
            settings["lb_sources"] = SOURCES
        text = configuration(self.services.text, **settings)
        own = [] if scenario.program == "lbr" else ["-a", self.services.backends[0]]
        self.role("down")
        self.role("up", "-i", "eth0", "-m", "native", *own, "-c", world.file(text))

    def frames(self, packet, flows=None):
        return Template(self.scenario, packet, flows or self.scenario.flows,
                        self.services.vip, self.services.backends)

    def subject(self, turns):
        self.ran += turns
        return self.process.run("subject", turns)

    def age(self):
        """Fill the table in random order, as long use does."""
        self.process(self.frames("ack", 1 << 31).command(twice=True))
        self.subject(2 * FLOW_TABLE)
        self.process("forget")

    def remember(self):
        packet = "udp" if self.scenario.packet == "udp" else "ack"
        self.process(self.frames(packet).command(self.scenario.grows, twice=True))
        self.subject(2 * self.scenario.flows)  # a flow is remembered at its second packet

    def one_round(self):
        """ns of (floor, program)"""
        floor = self.process.run("floor", self.turns)
        came = self.template.of_turn(floor[0])
        if not swapped(came, *floor[2:]):
            raise Wrong(f"floor: {came.hex()} became {floor[3].hex()}, action {floor[2]}")
        program = self.subject(self.turns)
        came = self.template.of_turn(program[0])
        if not becomes(self.scenario)(came, *program[2:], self.services.vip,
                                      self.services.backends):
            raise Wrong(f"{came.hex()} became {program[3].hex()}, action {program[2]}")
        return floor[1], program[1]

    def driver_adds(self):
        """What driver and tail call add to a bare XDP_TX."""
        runs = [[self.process.run(what, self.turns)[1] for what in ("bare", "floor")]
                for _ in range(self.rounds)]
        bare, floor = (min(column) for column in zip(*runs))
        return {"bare_min": round(bare, 1), "floor_min": round(floor, 1),
                "driver_adds": round(floor - bare, 1)}

    def check_way(self):
        """Did all packets take the path that the scenario is named after?"""
        left_by = {reason: count for reason, count in self.role.reasons().items() if count}
        if left_by != {self.scenario.reason: self.ran}:
            raise Wrong(f"of {self.ran} packets, all had to leave as {self.scenario.reason}; "
                        f"counted: {left_by}")
        if self.scenario.remembered is None:
            return
        flows = self.process.number("forget")
        # A full bucket may have cost one flow in 100 (flows.h).
        if not 0.99 * self.scenario.remembered <= flows <= self.scenario.remembered:
            raise Wrong(f"{flows} flows are remembered, wanted {self.scenario.remembered}")

    @contextlib.contextmanager
    def socket(self):
        """The socket of flow 0, on the backend."""
        host, source = self.role.host, SOURCE[self.scenario.family]
        address = source + ("/32" if self.scenario.family == 4 else "/128"), "dev", "lo"
        on(host, "ip", "address", "add", *address)
        try:
            with subprocess.Popen(
                    [TOPO, "exec", host, "/usr/bin/python3", "-c", HOLD, self.services.vip, source,
                     str(FIRST_PORT)],
                    cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
                if process.stdout.readline() != "ready\n":
                    raise Wrong("the flow has no socket")
                yield
        finally:
            on(host, "ip", "address", "del", *address)

    def measure(self, with_driver):
        """(the scenario's row, the driver's row if asked for, the verifier's row)"""
        held = self.socket() if self.scenario.held else contextlib.nullcontext()
        with held, Measure(self.role) as self.process:
            if self.scenario.aged:
                self.age()
            if self.scenario.known:
                self.remember()
            self.process(self.template.command(self.scenario.grows))
            self.one_round()  # warms up
            rounds = [self.one_round() for _ in range(self.rounds)]
            self.check_way()
            return (self.row(*zip(*rounds)), self.driver_adds() if with_driver else None,
                    self.process.number("instructions"))

    def row(self, floor, took):
        median, below = statistics.median(took), statistics.median(floor)
        return {
            "name": self.scenario.name,
            "ns_min": round(min(took), 1),
            "ns_median": round(median, 1),
            "floor_min": round(min(floor), 1),
            "floor_median": round(below, 1),
            "net_ns": round(median - below, 1),
            "over_floor": round(median / below, 2),
            "over_floor_min": round(min(took) / min(floor), 2),
            "limit": self.scenario.limit,
            "goal": self.scenario.goal,
        }
