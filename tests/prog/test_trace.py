# SPDX-License-Identifier: GPL-2.0-only
"""The line that each program writes about a packet, complete. The trace is shared by
the whole machine: a test knows its own lines by the client, whose address is random,
and consumes none."""

import contextlib
import ipaddress
import json
import random
import re

import frames as f
from network import (
    BACKEND_MAC, LB, LB_MAC, ROUTER, ROUTER6, ROUTER_MAC, VIP, VIP6, backend, configuration, on,
    service,
)
from oracle import mac
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.packet import Raw
from tap import Skip, equal, test
from test_restore import fresh
from table_rows import FIB, OTHER_MAC, prepared, setting

TRACE = "/sys/kernel/tracing/trace"
HOST, NEAR, NEAR6 = "backend0x", "172.19.0.3", "2001:db8:19::3"
CACHED = " (cached)"
RESOLVED = (f", fib SUCCESS via {ROUTER} {ROUTER_MAC} dev eth0 {LB_MAC}, "
            "forwarded XDP_TX")


def full(address):
    """As bpf_snprintf() writes it."""
    return f"[{ipaddress.ip_address(address).exploded}]" if ":" in address else address


class Client:
    """Packets of one client, and the lines of `role` about each."""

    def __init__(self, role):
        draw = random.SystemRandom()
        self.role, self.since, self.cached = role, 0.0, []
        self.v4 = ".".join(["10", *(str(draw.randrange(10, 255)) for _ in range(3))])
        self.v6 = "2001:db8" + "".join(f":{draw.randrange(1 << 16):x}" for _ in range(6))
        self.mac = mac(LB_MAC if role.name == "lbr" else BACKEND_MAC[role.host])

    def said(self, packet):
        if IP in packet:
            packet[IP].src = self.v4
        else:
            packet[IPv6].src = self.v6
        self.role.run([self.mac + bytes(packet)[6:]])
        text = on(self.role.host, "grep", "-F", "-e", f": {self.v4}:", "-e", f": {full(self.v6)}:",
                  TRACE, status=None)
        lines = [(float(time), line) for time, line in
                 re.findall(r" ([0-9.]+): bpf_trace_printk: (.*)", text)]
        # Whether the next hop was remembered depends on timing; see below.
        new = [line.replace(CACHED, "") for time, line in lines if time > self.since]
        self.cached = [CACHED in line for time, line in lines if time > self.since]
        self.since = max([self.since, *(time for time, _ in lines)])
        return new

    def line(self, to, rest, sport=40000):
        source, to = full(self.v6 if "[" in to else self.v4), to.replace("[]", full(VIP6))
        return f"xdp_{self.role.name} {self.role.host} eth0: {source}:{sport} > {to} {rest}"

    def check(self, packet, *wanted, sport=40000):
        """`wanted`: (destination, the rest of the line), or no line."""
        lines = [self.line(*wanted, sport)] if wanted else []
        equal(self.said(packet), lines, packet.summary())


@contextlib.contextmanager
def traced(role, mode):
    if not role("trace", mode, status=None):
        raise Skip("this kernel has no bpf_trace_vprintk()")
    try:
        yield
    finally:
        role("trace", "off")


@test("trace: all, xdp_lbr: a packet that is sent")
def all_sent(world):
    prepared(world, handshake_grace="0s")  # in which SYNs may be remembered
    with traced(world.lbr, "all"):
        for layer, to, sent in (
                (f.ip4, VIP, f"backend {NEAR}{RESOLVED}"),
                (f.ip6, "[]", f"backend {full(NEAR6)[1:-1]}"
                              + RESOLVED.replace(ROUTER, full(ROUTER6)[1:-1]))):
            client = Client(world.lbr)
            for packet, what, origin in (
                    (f.tcp(flags="S"), "tcp syn", "new"), (f.tcp(flags="R"), "tcp rst", "known"),
                    (f.tcp(), "tcp", "known"), (f.tcp(), "tcp", "known"),
                    (f.tcp(flags="R"), "tcp rst", "known")):
                client.check(layer() / packet, f"{to}:80", f"{what}, flow {origin}, {sent}")
            for origin in "new", "known":
                client.check(layer() / f.udp(), f"{to}:7777", f"udp, flow {origin}, {sent}")
        client = Client(world.lbr)
        other, = json.loads(on(world.lbr.host, "ip", "-j", "link", "show", "dev", "other0"))
        for port, fib in (
                (81, "BLACKHOLE, fib_blackhole XDP_DROP"),
                (84, "NOT_FWDED, fib_not_forwarded XDP_DROP"),
                (85, "NO_NEIGH via 172.17.0.99, neighbour_unresolved XDP_PASS"),
                (86, f"SUCCESS via 10.9.9.2 {OTHER_MAC} dev if{other['ifindex']} "
                     f"{other['address']}, redirected XDP_REDIRECT")):
            client.check(f.ip4() / f.tcp(port), f"{VIP}:{port}",
                         f"tcp, flow new, backend {FIB[port][0]}, fib {fib}")


@test("trace: all, xdp_lbr: whether the FIB was asked for the next hop, or it was remembered")
def cached(world):
    # A service for each, or the second would find the flows of the first.
    for port, age, wanted in (2201, "0s", [False, False]), (2202, "10s", [False, True]):
        world.apply(configuration(service([NEAR], VIP, port), next_hop_age=age))
        with traced(world.lbr, "all"):
            client = Client(world.lbr)
            got = []
            for _ in range(2):
                client.said(f.ip4() / f.tcp(port))
                got += client.cached
        equal(got, wanted, f"remembered, next-hop-age {age}")


@test("trace: all, xdp_lbr: a packet that no backend gets")
def all_else(world):
    prepared(world)
    with traced(world.lbr, "all"):
        client = Client(world.lbr)
        client.check(f.ip4() / f.echo4(), f"{VIP}:0", "icmp, echo_answered XDP_TX", sport=0)
        client.check(f.ip6() / f.echo6(), "[]:0", "icmpv6, echo_answered XDP_TX", sport=0)
        client.check(f.ip4(proto=47) / Raw(b"\0" * 20), f"{VIP}:0", "ip, unmatched XDP_DROP",
                     sport=0)
        client.check(f.ip4() / f.udp(9), f"{VIP}:9", "udp, unmatched XDP_DROP")
        client.check(f.ip4() / f.tcp(88), f"{VIP}:88", "tcp, no_backend XDP_DROP")
        client.check(f.ip4(ttl=1) / f.tcp(), f"{VIP}:80", "tcp, ttl_answered XDP_TX")
        client.check(f.ip4() / UDP(len=7), f"{VIP}:0", "udp, malformed_vip XDP_DROP", sport=0)
        client.check(f.ip4(LB) / f.tcp())  # no line: it is not for a VIP


@test("trace: all, xdp_lbr: why a flow has its backend")
def origins(world):
    other = "172.19.0.4"
    known, unknown, begun = (Client(world.lbr) for _ in range(3))

    def pool(*rows, grace="60s"):
        world.apply(configuration(service(rows, port=2101), handshake_grace=grace))

    def check(client, origin, address, syn=False):
        packet = f.ip4() / f.tcp(2101, flags="S" if syn else "PA")
        client.check(packet, f"{VIP}:2101", f"tcp{' syn' if syn else ''}, flow {origin}, "
                     f"backend {address}{RESOLVED}")

    pool(NEAR, grace="0s")
    with traced(world.lbr, "all"):
        check(known, "new", NEAR)
        pool(backend(NEAR, drain=True), other)
        check(known, "known", NEAR)
        check(unknown, "of previous table", NEAR)
        check(unknown, "known", NEAR)
        check(begun, "new", other, syn=True)
        check(known, "moved", other, syn=True)
        pool(other)
        check(unknown, "moved", other)
        check(unknown, "known", other)


@test("trace: new and off, xdp_lbr")
def begun(world):
    prepared(world)
    client, sent = Client(world.lbr), f"flow new, backend {NEAR}{RESOLVED}"
    with traced(world.lbr, "new"):
        client.check(f.ip4() / f.tcp(flags="S"), f"{VIP}:80", f"tcp syn, {sent}")
        client.check(f.ip4() / f.tcp())
        client.check(f.ip4() / f.udp(), f"{VIP}:7777", f"udp, {sent}")
        client.check(f.ip4() / f.udp())
        client.check(f.ip4() / f.echo4())
        client.check(f.ip4() / f.udp(9))
    client.check(f.ip4() / f.tcp(flags="S"))


@test("trace: xdp_bkd")
def backend_side(world):
    role = fresh(world, setting())
    client, rest = Client(role), f", VIP {VIP}, restored XDP_PASS"
    rest6 = f", VIP {full(VIP6)[1:-1]}, restored XDP_PASS"
    with traced(role, "all"):
        for _ in range(2):
            client.check(f.ip4(NEAR) / f.tcp(), f"{NEAR}:80", "tcp" + rest)
            client.check(f.ip4(NEAR) / f.udp(), f"{NEAR}:7777", "udp" + rest)
        client.check(f.ip6(NEAR6) / f.tcp(flags="S"), f"{full(NEAR6)}:80", "tcp syn" + rest6)
        client.check(f.ip4(NEAR) / f.echo4())
        client.check(f.ip4(NEAR) / f.tcp(22))
    client = Client(role)
    with traced(role, "new"):
        for _ in range(2):
            client.check(f.ip4(NEAR) / f.tcp(flags="S"), f"{NEAR}:80", "tcp syn" + rest)
            client.check(f.ip4(NEAR) / f.tcp())
        client.check(f.ip4(NEAR) / f.udp(), f"{NEAR}:7777", "udp" + rest)
        client.check(f.ip4(NEAR) / f.udp())
        packet = f.ip4(NEAR) / f.udp()
        packet[UDP].sport = 40001
        client.check(packet, f"{NEAR}:7777", "udp" + rest, sport=40001)
    client.check(f.ip4(NEAR) / f.tcp(flags="S"))
