# SPDX-License-Identifier: GPL-2.0-only
"""Only answers of the FIB are cached: with and without the cache, each packet has the
same next hop."""

import contextlib
import os
import time

from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

import frames as f
from network import (
    CLIENT_MAC, DROP, LB_MAC, REDIRECT, ROUTER, ROUTER_MAC, TX, VIP, VIP6, Program,
    configuration, on, service,
)
from tap import Skip, equal, test

LONG, SHORT = "10s", "100ms"
A, B = ("172.17.0.201", "02:42:0a:00:00:0a"), ("172.17.0.202", "02:42:0a:00:00:0b")
FAR = "172.21.0.9"


def file(port, age, backend=FAR):
    return configuration(service([backend], VIP, port), next_hop_age=age)


def frame(port, source, sport, tos=0, to=LB_MAC):
    packet = (Ether(src=CLIENT_MAC, dst=to) / IP(src=source, dst=VIP, tos=tos)
              / TCP(sport=sport, dport=port, flags="S"))
    return bytes(packet)


def hops(world, port, flows):
    """The MAC address that each flow's packet is sent to."""
    got = world.lbr.run([frame(port, *flow) for flow in flows])
    assert all(action == TX for action, _ in got), "not all were sent"
    return [data[:6].hex(":") for _, data in got]


def ip(*words):
    on("lbdsr0a", "ip", *words)


def cached(world):
    """How next hops are cached, and why."""
    return {(row["cached-by"], row["why"]) for row in world.lbr.rows("next-hops")}


@contextlib.contextmanager
def neighbours():
    for family in "-4", "-6":  # table_rows's
        on("lbdsr0a", "ip", family, "rule", "del", "lookup", "90", status=None)
    for address, mac in A, B:
        ip("neigh", "replace", address, "dev", "eth0", "lladdr", mac, "nud", "permanent")
    ip("route", "replace", FAR, "via", A[0])
    try:
        yield
    finally:
        for words in (("rule", "del", "priority", "99"),
                      ("route", "flush", "table", "99"), ("route", "del", FAR)):
            on("lbdsr0a", "ip", *words, status=None)
        for address, _ in A, B:
            ip("neigh", "del", address, "dev", "eth0")


FLOWS = [(f"172.17.{200 + n % 40}.{1 + n // 40}", 1024 + n) for n in range(2000)]


def until_followed(world, port, mac):
    """Send until a packet goes to `mac`; returns how many seconds that took."""
    start = time.monotonic()
    while hops(world, port, FLOWS[:1]) != [mac]:
        assert time.monotonic() - start < 5, f"never went to {mac}"
    return time.monotonic() - start


@test("next hop: a changed route is followed within the age, and not before the age is over")
def route_change(world):
    with neighbours():
        for age, port in (SHORT, 2101), (LONG, 2102), ("0s", 2103):
            ip("route", "replace", FAR, "via", A[0])
            world.apply(file(port, age))
            asked = time.monotonic()
            equal(hops(world, port, FLOWS[:1]), [A[1]], "the first packet's next hop")
            ip("route", "replace", FAR, "via", B[0])
            if age == LONG:
                met, took = set(hops(world, port, FLOWS[:50])), time.monotonic() - asked
                if met != {A[1]} and took > 10:
                    raise Skip(f"{took:.0f} s went by: too slow for it to be young")
                equal(met, {A[1]}, "hops while it is young")
            else:
                took = until_followed(world, port, B[1])
                # 0.1 s, and the time in which a busy machine runs nothing of this
                assert took < 3, f"{took:.2f} s"
            if age == "0s":
                equal(cached(world), {(None, "next-hop-age is 0")}, "shown")


@test("next hop: a changed MAC address is followed")
def mac_change(world):
    port, other = 2104, "02:42:0a:00:00:0c"
    with neighbours():
        world.apply(file(port, SHORT))
        equal(hops(world, port, FLOWS[:1]), [A[1]], "the next hop")
        ip("neigh", "replace", A[0], "dev", "eth0", "lladdr", other, "nud", "permanent")
        until_followed(world, port, other)


@test("next hop: multipath keeps the FIB's split, flow by flow")
def multipath(world):
    policy = "/proc/sys/net/ipv4/fib_multipath_hash_policy"
    before = on("lbdsr0a", "cat", policy)
    with neighbours():
        on("lbdsr0a", "sh", "-c", f"echo 1 >{policy}")
        ip("route", "replace", FAR, "nexthop", "via", A[0], "nexthop", "via", B[0])
        try:
            world.apply(file(2105, "0s"))
            asked = hops(world, 2105, FLOWS)
            share = asked.count(A[1]) / len(asked)
            assert 0.4 < share < 0.6, f"the FIB itself splits {share:.2f}"
            world.apply(file(2105, LONG))
            equal(cached(world), {("flow", "a route has several next hops")}, "shown")
            for turn in "first", "second":
                equal(hops(world, 2105, FLOWS), asked, f"hops at the {turn} packets")
        finally:
            on("lbdsr0a", "sh", "-c", f"echo {before.strip()} >{policy}")


@test("next hop: a rule on the source is obeyed, and shown")
def source_rule(world):
    with neighbours():
        world.apply(file(2106, LONG))
        equal(cached(world), {("backend", None)}, "shown before")
        ip("route", "add", FAR, "via", B[0], "table", "99")
        ip("rule", "add", "from", "172.17.201.0/24", "lookup", "99", "priority", "99")
        equal(cached(world), {("backend", "not as the routes are now: lbr apply")}, "shown after")
        world.apply(file(2106, LONG))
        equal(cached(world), {("flow", "a rule depends on more than the destination")},
              "shown after apply")
        wanted = [B[1] if source.startswith("172.17.201.") else A[1] for source, _ in FLOWS]
        for turn in "first", "second":
            equal(hops(world, 2106, FLOWS), wanted, f"hops at the {turn} packets")


@test("next hop: backends do not use each other's")
def backends_apart(world):
    with neighbours():
        near = [f"172.22.{n // 200}.{1 + n % 200}" for n in range(600)]
        ip("route", "add", "172.22.0.0/16", "via", ROUTER)
        for address in near[1::2]:
            ip("route", "add", address, "via", B[0])
        try:
            world.apply(configuration(service([*near[::2]], VIP, 2107),
                                      service([*near[1::2]], VIP, 2108), next_hop_age=LONG))
            for _ in range(2):
                equal(set(hops(world, 2107, FLOWS)), {ROUTER_MAC}, "by their common route")
                equal(set(hops(world, 2108, FLOWS)), {B[1]}, "by their own")
        finally:
            for address in near[1::2]:
                ip("route", "del", address)
            ip("route", "del", "172.22.0.0/16")


@test("next hop: a source that may not be routed is refused, before and after")
def unusual_source(world):

    world.apply(configuration(service(["2001:db8:19::3"], VIP6, 2109), next_hop_age=LONG))

    def action(source):
        packet = (Ether(src=CLIENT_MAC, dst=LB_MAC) / IPv6(src=source, dst=VIP6)
                  / f.tcp(2109))
        return world.lbr.run([bytes(packet)])[0][0]

    for source, wanted in (("fe80::1", DROP), ("2001:db8:17::4", TX), ("fe80::1", DROP),
                           ("ff05::1", DROP), ("2001:db8:17::5", TX)):
        equal(action(source), wanted, f"action for a packet from {source}")


@test("next hop: a missing one is not remembered")
def none_there(world):
    with neighbours():
        ip("route", "replace", "blackhole", FAR)
        world.apply(file(2114, LONG))
        for _ in range(2):
            [(action, _)] = world.lbr.run([frame(2114, *FLOWS[0])])
            equal(action, DROP, "action for a packet that no route leads on")
        ip("route", "replace", FAR, "via", A[0])
        equal(hops(world, 2114, FLOWS[:1]), [A[1]], "hop, at once")


@test("next hop: a rule on the type of service is obeyed within one flow")
def tos_rule(world):
    with neighbours():
        ip("route", "add", FAR, "via", B[0], "table", "99")
        ip("rule", "add", "tos", "0x10", "lookup", "99", "priority", "99")
        world.apply(file(2110, LONG))
        for tos, mac in (0, A[1]), (0x10, B[1]), (0, A[1]):
            flows = [(*flow, tos) for flow in FLOWS[:50]]
            equal(set(hops(world, 2110, flows)), {mac}, f"hops, type of service {tos}")


@test("next hop: a backend that takes the index of one that left has its own next hop")
def place_taken(world):
    other = "172.21.0.10"

    def sent_to(*pool):
        world.apply(configuration(service([*pool], VIP, 2111), next_hop_age=LONG))
        return set(hops(world, 2111, FLOWS[:50]))

    with neighbours():
        ip("route", "add", other, "via", B[0])
        try:
            equal(sent_to("172.19.0.3", FAR), {ROUTER_MAC, A[1]}, "hops")
            sent_to("172.19.0.3")
            equal(sent_to("172.19.0.3", other), {ROUTER_MAC, B[1]}, "hops then")
        finally:
            ip("route", "del", other)


@contextlib.contextmanager
def one_cpu():
    """Everything that is started here shares one CPU, and so its caches."""
    cpus = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cpus)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cpus)


@test("next hop: for packets that come in by another interface, the FIB is asked again")
def other_interface(world):
    eth0 = int(on("lbdsr0a", "cat", "/sys/class/net/eth0/ifindex"))
    mac, index = "02:42:0a:00:00:11", str(eth0 + 800)  # the same entry for the answer
    with neighbours():
        ip("link", "add", "in0", "index", index, "address", mac, "type", "veth", "peer", "in1")
        for link in "in0", "in1":
            ip("link", "set", link, "up")
        ip("route", "add", FAR, "via", B[0], "table", "99")
        ip("rule", "add", "iif", "in0", "lookup", "99", "priority", "99")
        path = world.file(file(2112, LONG))
        try:
            world.up(file(2112, LONG))
            equal(cached(world), {("backend", None)}, "shown")
            world.lbr("up", "-i", "eth0", "-i", "in0", "-m", "generic", "-c", path)
            world.lbr.close()
            with one_cpu():
                world.lbr.program, second = (
                    Program("lbdsr0a", f"{world.lbr.pins}/link-{link}") for link in ("eth0", "in0"))
            for _ in range(2):
                equal(hops(world, 2112, FLOWS[:1]), [A[1]], "come in by eth0")
                [(action, got)] = second.run([frame(2112, *FLOWS[0], to=mac)])
                equal((action, got[:6].hex(":")), (REDIRECT, B[1]), "come in by in0")
            second.close()
        finally:
            world.lbr.close()
            world.lbr("down")
            ip("link", "del", "in0")
            world.apply(file(2112, LONG))


# What is added, and whether it routes packets to one backend differently.
TELLING = (
    ("rule add from 172.17.201.0/24 lookup 99 priority 99", True),
    ("rule add ipproto tcp lookup 99 priority 99", True),
    ("rule add tos 0x10 lookup 99 priority 99", True),
    ("-6 rule add dport 80 lookup 99 priority 99", True),
    ("route add 172.23.0.0/24 tos 0x10 via 172.17.0.3", True),
    ("-6 route add 2001:db8:23::/64 from 2001:db8:24::/64 via 2001:db8:17::3", True),
    ("route add 172.23.0.0/24 nexthop via 172.17.0.3 nexthop via 172.17.0.4", True),
    ("nexthop add id 9903 group 9901/9902", True),
    ("nexthop add id 9903 group 9901", False),
    ("rule add to 172.21.0.0/16 lookup 99 priority 99", False),
    ("rule add iif eth0 lookup 99 priority 99", False),
    ("rule add fwmark 7 lookup 99 priority 99", False),
    ("route add 172.23.0.0/24 via 172.17.0.3", False),
)


@test("next hop: which rules and routes tell packets to one backend apart, and which do not")
def telling(world):
    with neighbours():
        world.apply(file(2113, LONG))
        for number in 1, 2:
            ip("nexthop", "add", "id", f"990{number}", "via", f"172.17.0.{2 + number}",
               "dev", "eth0")
        try:
            for words, tells in TELLING:
                equal(cached(world), {("backend", None)}, f"shown before {words}")
                ip(*words.split())
                wanted = ("backend", "not as the routes are now: lbr apply" if tells else None)
                equal(cached(world), {wanted}, f"shown after {words}")
                if words.startswith("nexthop"):
                    words = "nexthop del id 9903"
                ip(*words.replace(" add ", " del ").split())
        finally:
            ip("nexthop", "flush")
