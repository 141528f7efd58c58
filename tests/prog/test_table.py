# SPDX-License-Identifier: GPL-2.0-only
"""What xdp_lbr refuses and forwards, one row for each case (table_rows.py)."""

import contextlib
import json

from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment
from scapy.packet import Raw

import frames as f
from network import DROP, PASS, ROUTER, ROUTER6, TX, configuration, on
from reports import exceeded, too_big as too_big_answer
from table_rows import (
    SEEN, check, handed_up, prepared, routes, routes_once, rows_dropped, rows_echo,
    rows_forwarded, rows_passed, sent, setting,
)
from tap import test


@test("table: forwarded, redirected, handed up")
def forwarded(world):
    prepared(world)
    check(world, rows_forwarded())


@test("table: TTL or hop limit 1: answered, up to icmp-error-limit")
def ttl(world):
    prepared(world, icmp_error_limit=1000000)
    packets = f.ip4(ttl=1) / f.tcp(), f.ip4(ttl=0) / f.udp(), f.ip6(hlim=1) / f.tcp()
    check(world, [("TTL", packet, "ttl_answered", TX, exceeded(packet)) for packet in packets])
    prepared(world, icmp_error_limit=0)
    check(world, [("TTL", packet, "icmp_error_limited", DROP, bytes(packet)) for packet in packets])


@test("table: dropped, untouched")
def dropped(world):
    prepared(world)
    check(world, rows_dropped())


@test("table: passed, untouched")
def passed(world):
    prepared(world)
    check(world, rows_passed())


@test("table: echo answered")
def echo(world):
    prepared(world)
    check(world, rows_echo())


@test("table: unmatched: pass")
def unmatched_pass(world):
    prepared(world, unmatched="pass")
    rows = [(name, packet, "unmatched_passed", PASS, expected)
            for name, packet, reason, _, expected in rows_dropped() if reason == "unmatched"]
    assert len(rows) > 5
    check(world, rows)


@contextlib.contextmanager
def sysctl(key, value):
    path = f"/proc/sys/net/{key}"
    was = on("lbdsr0a", "cat", path)
    on("lbdsr0a", "tee", path, text=f"{value}\n")
    yield
    on("lbdsr0a", "tee", path, text=was)


@test("table: forwarding off")
def forwarding_off(world):
    prepared(world)
    packets = f.ip4() / f.tcp(), f.ip6() / f.tcp()
    rows = [("forwarding off", packet, "fib_forwarding_disabled", DROP, bytes(packet))
            for packet in packets]
    with sysctl("ipv4/conf/eth0/forwarding", 0):
        check(world, rows[:1])
    # The interface's own switch came with Linux 6.17; before, there is one for all
    # interfaces.
    key = "ipv6/conf/eth0/force_forwarding"
    if on("lbdsr0a", "sh", "-c", f"[ ! -e /proc/sys/net/{key} ] || echo yes"):
        with sysctl(key, 0), sysctl("ipv6/conf/eth0/forwarding", 0):
            check(world, rows[1:])
    else:
        with sysctl("ipv6/conf/all/forwarding", 0):
            check(world, rows[1:])


@test("table: no configuration")
def no_configuration(world):
    prepared(world)
    control = ["bpftool", "map", "update", "pinned", f"{world.lbr.pins}/control",
               "key", "0", "0", "0", "0", "value"]
    rows = [("no configuration", packet, "no_configuration", PASS, bytes(packet))
            for packet in (f.ip4() / f.tcp(), f.ip4() / f.echo4(), f.ip6() / f.udp())]
    words = on("lbdsr0a", "bpftool", "-j", "map", "lookup", "pinned",
               f"{world.lbr.pins}/control", "key", "0", "0", "0", "0")
    value = [str(int(byte, 16)) for byte in json.loads(words)["value"]]
    on("lbdsr0a", *control, "0", "0", "0", "0", *value[4:])
    try:
        check(world, rows)
    finally:
        on("lbdsr0a", *control, *value)


@test("table: larger than the route's MTU (native)")
def too_big(world):
    routes_once(world)
    world.up(setting(), "native")
    ways = [f"route replace 172.19.0.3/32 via {ROUTER} dev eth0 mtu lock 1300",
            f"route replace 2001:db8:19::3/128 via {ROUTER6} dev eth0 mtu lock 1300"]
    on("lbdsr0a", "ip", "-batch", "-", text="\n".join(ways))
    world.up(setting(), "native")  # makes lbr read which routes are locked
    rows = []
    for layer, to, head in (f.ip6, "2001:db8:19::3", 60), (f.ip4, "172.19.0.3", 40):
        large, small = (layer() / f.tcp(payload=b"x" * (size - head)) for size in (1301, 1300))
        if IPv6 in large:
            large[IPv6].nh = 44
            large[IPv6].payload = IPv6ExtHdrFragment(nh=6, offset=1, id=77) / Raw(b"x" * 1253)
            first = layer() / IPv6ExtHdrFragment(nh=6, m=1, id=77) / f.tcp(payload=b"")
            rows.append(("1301, a later fragment", large, "fib_too_big", DROP, bytes(large)))
        else:
            rows.append(("1301", large, "super_packet", PASS, handed_up(large, to)))
        rows.append(("1300", small, "forwarded", TX, sent(small, to)))
        whole = layer(**({} if layer is f.ip6 else {"flags": "DF"}))
        whole /= f.tcp(payload=b"x" * (1301 - head))
        rows.append(("1301, not to be cut", whole, "too_big_answered", TX,
                     too_big_answer(whole, 1300)))
    world.lbr.run([bytes(first)])  # it is remembered for 5 s
    try:
        check(world, rows)
    finally:
        ways = [way.split(" via")[0].replace("replace", "del") for way in ways]
        on("lbdsr0a", "ip", "-batch", "-", text="\n".join(ways))
        world.up(setting())


# No packet or route can produce the helper's own errors, nor a driver without headroom;
# test_methods.py, test_icmp_errors.py, test_solicit.py, test_pass.py, test_devices.py,
# test_checks.py and test_path_mtu.py produce the others.
BEYOND = {"fib_error", "no_room", "ttl_exceeded", "neighbour_missing", "neighbour_asked",
          "neighbour_prompted", "off_link", "no_outer_source", "local_passed", "would_loop",
          "device_passed", "device_unfit", "redirect_refused", "check_reply", "path_mtu_learned",
          "path_mtu_refused", "queued", "queue_full", "queue_lost",
          "request_fragmented", "released",
          "translating", "translated", "returned", "no_port", "no_flow"}


@test("table: every reason is met")
def complete(world):
    if not SEEN:
        return
    missing = set(world.lbr.reasons()) - SEEN - BEYOND
    assert not missing, f"no row for {sorted(missing)}"
