# SPDX-License-Identifier: GPL-2.0-only
"""lbr explain: it writes nothing, and predicts what happens."""

import collections
import json
import os
import random
import subprocess

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6PacketTooBig, IPv6
from scapy.layers.l2 import Ether

from network import (
    CLIENT, CLIENT6, LB_MAC, ROOT, TOPO, TX, VIP, VIP6, backend, configuration, on, service,
)
from placing import TEN
from tap import equal, test
from test_vlan import AD, Vlans, tag

OTHER, OTHERS = "192.168.25.11", [f"172.19.2.{n}" for n in range(1, 11)]
TUNNEL = "192.168.25.12"
TEN6 = [f"2001:db8:19:1::{n}" for n in range(1, 11)]
MAPSUMS = "build/tests/prog/mapsums"


class Explain:
    """One `lbr explain` that answers many questions, on the CPU on which the program
    runs: each CPU has its own turns."""

    def __init__(self, world, *options):
        cpus = os.sched_getaffinity(world.lbr.program.process.pid)
        self.process = subprocess.Popen(
            [TOPO, "exec", "lbdsr0a", "LoadBalancer/lbr", "explain", "-j",
             *options],
            preexec_fn=lambda: os.sched_setaffinity(0, cpus),
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )

    def __call__(self, questions):
        self.process.stdin.write("".join(f"{question}\n" for question in questions))
        self.process.stdin.flush()
        answers = [self.process.stdout.readline() for _ in questions]
        assert all(answers), "not every question was answered"
        return [json.loads(answer) for answer in answers]

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        equal(self.process.wait(), 0, "exit status of explain")


def pool(first=0, **more):
    """Every scheduler but random, both families, a draining backend, a service of any port.
    Another `first` gives other weights, so many slots have another backend."""
    ten = [backend(row, 1 + (n + first) % 3, n == 4) for n, row in enumerate(TEN)][first:]
    return configuration(
        service(ten, port=80),
        service(ten, port=81, scheduler="source-hash"),
        service(ten, port=82, scheduler="round-robin"),
        service(ten, port=7777, protocol="udp"),
        service([backend(row) for row in OTHERS[first:]], vip=OTHER, port="any"),
        service([backend(row) for row in OTHERS[first:]], vip=TUNNEL, port=80, forward="ipip"),
        service(TEN6[first:], vip=VIP6, port=80),
        service(TEN6[first:], vip=VIP6, port=7777, protocol="udp"),
        lb_sources="['172.17.0.0/24', '2001:db8:17::/64']", flow_table_size=100000, **more)


def questions(count, seed):
    """Some come more than once, so that known flows are among them; some are for no service."""
    chance, ports_from = random.Random(seed), 1024 + 5 * seed
    ports = 20 * [80, 81, 7777, 9999] + [82]
    for _ in range(count):
        sport, dport = ports_from + chance.randrange(25), chance.choice(ports)
        protocol = chance.choice(("tcp", "tcp", "udp"))
        ends = (f"172.17.{chance.randrange(8)}.7:{sport} {chance.choice((VIP, VIP, OTHER, TUNNEL, '192.0.2.1'))}"
                if chance.random() < 0.7 else
                f"[2001:db8:17::{chance.randrange(1, 9)}]:{sport} [{VIP6}]")
        syn = " syn" if protocol == "tcp" and chance.random() < 0.25 else ""
        yield f"{ends}:{dport}/{protocol}{syn}"


def sums(world):
    """{map: hash of all that is in it}"""
    lines = on("lbdsr0a", MAPSUMS, f"{world.lbr.pins}/link-eth0").splitlines()
    return dict(line.split() for line in lines)


def destination(frame):
    packet = Ether(frame)
    return packet[IPv6 if IPv6 in packet else IP].dst


def chunks(count, seed):
    """A hundred packets at a time, so that none changes the answer about another."""
    chunk = {}
    for question in questions(count, seed):
        ends = question.removesuffix(" syn")
        if len(chunk) == 100 or ends in chunk or (":82/" in ends and ":82/" in str(chunk)):
            yield list(chunk.values())
            chunk = {}
        chunk[ends] = question
    yield list(chunk.values())


def same(world, count, seed, *options):
    """What explain says of each packet, and what the program then does."""
    explain, said = Explain(world, *options), collections.Counter()
    before = world.lbr.reasons()
    for chunk in chunks(count, seed):
        told = explain(chunk)
        became = world.lbr.run([bytes.fromhex(each["frame"]) for each in told])
        for question, each, (action, sent) in zip(chunk, told, became):
            equal((each["returned"], each["sent"]), (action, sent.hex()), question)
            if action == TX:
                equal(destination(sent), each["backend"], f"backend of {question}")
            said[each["reason"]] += 1
            said[each["selected-by"]] += 1
    explain.close()
    after = world.lbr.reasons()
    counted = {name: n - before[name] for name, n in after.items() if n > before[name]}
    equal({name: said[name] for name in counted}, counted, "reasons")
    return said


@test("explain: what it says of 10,000 packets is what becomes of them")
def says(world):
    world.up(pool(handshake_grace="0s"))
    said = same(world, 6000, 1)
    world.apply(pool(1, handshake_grace="1min"))
    said += same(world, 4000, 2)
    for what in ("forwarded", "unmatched", "not_vip", "flow-table", "scheduler",
                 "previous-generation", "reselection"):
        assert said[what] >= 5, f"{what}: {said[what]} times only"


@test("explain: 10,000 of them write into no map")
def writes_nothing(world):
    world.up(pool())
    same(world, 500, 3)
    world.apply(pool(1, handshake_grace="1min"))
    before = sums(world)
    assert {"flows", "hot_flows", "reasons", "rr_turns", "next_hops"} <= set(before)
    for options in [], ["--error"]:
        explain = Explain(world, *options)
        for chunk in chunks(10000, 3):
            explain(chunk)
        explain.close()
        equal(sums(world), before, f"maps, {options}")
    world.lbr.run(2 * [bytes.fromhex(json.loads(
        world.lbr("explain", "-j", f"{CLIENT}:5", f"{VIP}:80"))["frame"])])
    after = sums(world)
    changed = {name for name, was in before.items() if after[name] != was}
    assert {"reasons", "flows", "begun_flows", "backend_counts"} <= changed, changed


@test("explain: the whole packet is printed, and each step")
def steps(world):
    world.up(pool())
    for question, kind in ((f"{CLIENT}:1234 {VIP}:80", TCP), (f"{CLIENT}:1234 {VIP}:7777/udp", UDP),
                           (f"[2001:db8:17::4]:1234 [{VIP6}]:80/tcp", TCP)):
        told = json.loads(world.lbr("explain", "-j", *question.split()))
        frame = Ether(bytes.fromhex(told["frame"]))
        layer = frame[IPv6 if IPv6 in frame else IP]
        equal(layer[kind].sport, 1234, "source port")
        again = layer.copy()
        del again[kind].chksum
        if IP in frame:
            del again.chksum
        equal(bytes(again).hex(), bytes(layer).hex(), "with scapy's checksums")
    assert "\n  outer ip " in world.lbr("explain", f"{CLIENT}:1234", f"{TUNNEL}:80")
    text = world.lbr("explain", "--syn", f"{CLIENT}:1234", f"{VIP}:80")
    for line in (f"packet: {CLIENT}:1234 > {VIP}:80 tcp syn", "interface: eth0",
                 f"service: {VIP}:80/tcp, maglev", "reason: forwarded", "action: XDP_TX"):
        assert f"\n{line}\n" in f"\n{text}", f"{line} is not in\n{text}"
    for what in "slot", "backend", "next-hop", "meaning", "headers":
        assert f"\n{what}: " in text or f"\n{what}:\n" in text, f"{what} is not in\n{text}"
    told = json.loads(world.lbr("explain", "-j", "--error", f"{CLIENT}:1234", f"{TUNNEL}:80"))
    equal([told[key] for key in ("client", "client-port", "vip", "port", "protocol", "icmp-error")],
          [CLIENT, 1234, TUNNEL, 80, "tcp", True], "packet")
    equal([row["header"] for row in told["headers"]],
          ["ethernet", "outer ip", "ip", "icmp", "quoted ip", "quoted ports"], "headers")
    world.lbr("explain", "--syn", "--error", f"{CLIENT}:1234", f"{VIP}:80", status=2)
    for vlan in "x", "4095", "1,2,3", "7,", "-1", "":
        world.lbr("explain", "--vlan", vlan, f"{CLIENT}:1234", f"{VIP}:80", status=1)
    # In generic mode there would be no tag.
    world.lbr("explain", "--vlan", "7", f"{CLIENT}:1234", f"{VIP}:80", status=1)
    for wrong in (["1.2.3.4"], ["1.2.3.4:5", "x"], ["1.2.3.4:5", f"[{VIP6}]:80"],
                  ["1.2.3.4:0", f"{VIP}:80"], ["1.2.3.4:5", f"{VIP}:80/sctp"]):
        world.lbr("explain", *wrong, status=2 if len(wrong) == 1 else 1)


@test("explain: ICMP errors: what it says of 4,000 is what becomes of them")
def errors(world):
    world.up(pool(handshake_grace="0s"))
    # Flows that the errors are about.
    same(world, 1000, 4)
    said = same(world, 2000, 4, "--error")
    world.apply(pool(1, handshake_grace="1min"))
    said += same(world, 2000, 4, "--error")
    for what in ("forwarded", "unmatched", "not_vip", "flow-table", "scheduler",
                 "previous-generation"):
        assert said[what] >= 5, f"{what}: {said[what]} times only"
    for client, vip, kind in (CLIENT, VIP, ICMP), (CLIENT6, VIP6, ICMPv6PacketTooBig):
        told = json.loads(world.lbr("explain", "-j", "--error", f"[{client}]:1234".replace(
            f"[{CLIENT}]", CLIENT), f"[{vip}]:80".replace(f"[{VIP}]", VIP)))
        frame = Ether(bytes.fromhex(told["frame"]))
        whole = frame.payload.copy()
        delattr(whole[kind], "chksum" if kind is ICMP else "cksum")
        equal(bytes(whole).hex(), bytes(frame.payload).hex(), "with scapy's checksum")


@test("explain: in a VLAN: what it says of 3,000 is what becomes of them")
def in_vlans(world):
    with Vlans(world) as vlans:
        vlans.lbr("ip", "link", "set", "in7", "address", LB_MAC)
        # Only the packets that are asked about may be counted.
        vlans.lbr("sysctl", "-qw", "net.ipv6.conf.in7p.disable_ipv6=1",
                  "net.ipv6.conf.out8p.disable_ipv6=1")
        for text, outer, inner in ("7", tag(7), b""), ("100,7", tag(100, AD), tag(7)):
            vlans.up(pool())
            vlans.stands_for("in7", outer, inner)
            for options in [], ["--error"]:
                said = same(world, 700, 5, "-i", "eth0", "--vlan", text, *options)
                assert min(said["forwarded"], said["not_vip"]) >= 5, said
            told = json.loads(world.lbr(
                "explain", "-j", "-i", "eth0", "--vlan", text, f"{CLIENT}:1234", f"{VIP}:80"))
            tags = outer + inner
            equal(bytes.fromhex(told["frame"])[12:][:len(tags)], tags, "tags")
            rows = {row["header"]: row["before"] for row in told["headers"]}
            equal(rows["ip"].split(",")[0], f"{CLIENT} > {VIP}", "header before")
        said = same(world, 200, 6, "-i", "eth0", "--vlan", "8")
        equal(set(said), {"vlan_tagged", None}, "of a VLAN that is no device's")
