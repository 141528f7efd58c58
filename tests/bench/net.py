#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""net.py FOLDER ROUNDS FRAMES: compare the load balancer with others, by frames that come
and go through a veth, on the hosts that tests/bench/run has set up. Files go to FOLDER."""

import contextlib
import json
import os
import platform
import statistics
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "prog"))

# pylint: disable=wrong-import-position
import network
from harness import FILE, Measure, Services, Wrong
from network import configuration, on
from packets import Template
from scenarios import K, Scenario
from table import cpu

LB, WIRES, PORT = "lbdsr0a", "wires", "lbdsr0a-eth0"
FLOWS = 64 * K
REFLECTOR, FORWARDING, DNAT = "bare XDP_TX reflector", "kernel forwarding", "nftables DNAT"
OURS = f"xdp_lbr, {FLOWS // K} k flows"
GOAL, LIMIT = 0.75, 0.60  # share of the reflector's rate
TIMES_DNAT = 4


class Process(Measure):
    """`measure`, on an interface that has no program of ours."""

    def __init__(self, host, interface):  # pylint: disable=super-init-not-called
        self.start(host, "-", interface)


def rules(vip, to):
    return f"""table ip bench {{
        chain prerouting {{
            type nat hook prerouting priority dstnat
            ip daddr {vip} udp dport 80 dnat to {to}
        }}
    }}"""


@contextlib.contextmanager
def reflector(_):
    with Process(LB, "eth0") as process:
        process("reflect")
        yield


@contextlib.contextmanager
def ours(setting):
    setting.role("up", "-i", "eth0", "-m", "native", "-c", setting.file)
    yield
    setting.role("down")


@contextlib.contextmanager
def forwarding(_):
    """As fast as possible: with GRO on, a veth takes frames without an skb, too."""
    on(LB, "ethtool", "-K", "eth0", "gro", "on")
    before = on(LB, "sysctl", "-n", "net.ipv4.conf.eth0.forwarding").strip()
    on(LB, "sysctl", "-qw", "net.ipv4.conf.eth0.forwarding=1")
    yield
    on(LB, "sysctl", "-qw", f"net.ipv4.conf.eth0.forwarding={before}")


@contextlib.contextmanager
def dnat(setting):
    with forwarding(setting):
        on(LB, "nft", "-f", "-", text=rules(setting.vip, setting.backend))
        yield
        on(LB, "nft", "delete", "table", "ip", "bench")


class Setting:
    """512 services, and a scenario of UDP packets to the first of them: 64 k flows, or one."""

    def __init__(self, world, flows, to_backend=False):
        scenario = Scenario("", 4, "udp", flows)
        services = Services(scenario)
        self.role, self.vip, self.backend = world.lbr, services.vip, services.backends[0]
        self.file = world.file(configuration(services.text, **FILE))
        self.flows = flows
        to = self.backend if to_backend else self.vip
        self.template = Template(scenario, "udp", flows, to, services.backends)
        # No UDP checksum: the driver's would be wrong, and conntrack verifies it.
        frame, at = self.template.frame, self.template.l4 + 6
        self.template.frame = frame[:at] + bytes(2) + frame[at + 2 :]


def rows(world):
    many, one = Setting(world, FLOWS), Setting(world, 1)
    return [(REFLECTOR, reflector, many), ("xdp_lbr, one flow", ours, one), (OURS, ours, many),
            (FORWARDING, forwarding, Setting(world, FLOWS, to_backend=True)),
            (DNAT, dnat, many)]


def measure(name, way, setting, frames):
    """Send `frames` packets; return the CPU time in ns for each that came back."""
    with way(setting), Process(WIRES, PORT) as process:
        process(setting.template.command())
        process("sink")
        process(f"send {max(setting.flows, frames // 10)}")  # warms up
        took, came = map(int, process(f"send {frames}"))
    if not took:
        raise Wrong("ksoftirqd's time is part of it, and it is not to be seen from here")
    if came < 0.98 * frames:
        raise Wrong(f"{name}: {came} of {frames} came back")
    return took / came


def table(document):
    print(f"{'CPU ns a packet, there and back':44} {'min':>7} {'median':>7} {'rate':>7}")
    for row in document["rows"]:
        print(f"{row['name']:44} {row['ns_min']:>7} {row['ns_median']:>7} {row['rate']:>7}")
    print("\nAll of it: sending, a veth each way, what is measured, the end. rate: of the "
          f"reflector's.\nLinux {document['kernel']}, {document['cpu']}, load "
          f"{document['load']:.1f}; {document['rounds']} rounds of {document['frames']} frames")
    print(f"{OURS}: {document['rate']} of the reflector's rate (limit {LIMIT}, goal {GOAL}), "
          f"{document['times_dnat']} times DNAT's (at least {TIMES_DNAT})")
    for bound in "limit", "goal":
        print(f"{bound} missed: {', '.join(document[f'{bound}_missed']) or 'none'}")


def bench(world, rounds, frames):
    took = {name: [] for name, *_ in rows(world)}
    for _ in range(rounds):
        for name, way, setting in rows(world):
            took[name].append(measure(name, way, setting, frames))
    median = {name: statistics.median(took[name]) for name in took}
    rate = round(median[REFLECTOR] / median[OURS], 2)
    times = round(median[DNAT] / median[OURS], 2)
    dnat_missed = ["times DNAT"] if times < TIMES_DNAT else []
    return {
        "kernel": platform.release(), "cpu": cpu(), "load": os.getloadavg()[0],
        "rounds": rounds, "frames": frames,
        "rows": [{"name": name, "ns_min": round(min(took[name])),
                  "ns_median": round(median[name]),
                  "rate": round(median[REFLECTOR] / median[name], 2)} for name in took],
        "rate": rate, "times_dnat": times,
        "limit_missed": (["rate"] if rate < LIMIT else []) + dnat_missed,
        "goal_missed": (["rate"] if rate < GOAL else []) + dnat_missed,
    }


def main():
    folder, rounds, frames = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    network.prepare()
    document = bench(network.World(folder), rounds, frames)
    if os.environ.get("BENCH_FORMAT") == "json":
        print(json.dumps(document, indent=1))
    else:
        table(document)


main()
