# SPDX-License-Identifier: GPL-2.0-only
"""xdp_bkd, while backends are in transition: what is passed on as more than one frame,
or otherwise than back to the router."""

import contextlib
import json
import subprocess

from scapy.layers.inet import IP, TCP, fragment
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment, fragment6
from scapy.layers.l2 import Ether
from scapy.packet import Raw

import frames as f
from network import (
    BACKEND_MAC, CLIENT, DROP, PASS, ROOT, TOPO, TX, VIP, VIP6, configuration, on,
)
from placing import wait_for
from tap import equal, test
from transition import (
    HOLD, HOST, LB4, LB6, NEAR, NEAR6, OTHER, OTHER6, THIRD, came, elsewhere, fresh, met, pair,
    passed_on, restored, row, sockets,
)

PAYLOAD = bytes(range(256)) * 12
IDS = iter(range(1000, 60000))
HOPS = {f.ip4: "ttl", f.ip6: "hlim"}


def cut(ip, dst, sport, flags="PA", ident=None, port=80, **fields):
    """The fragments of a packet, at least three, in order."""
    tcp = TCP(sport=sport, dport=port, flags=flags) / Raw(PAYLOAD)
    ident = ident or next(IDS)
    if ip is f.ip6:
        pieces = fragment6(ip(dst, **fields) / IPv6ExtHdrFragment(id=ident) / tcp, 1280)
    else:
        pieces = fragment(Ether(bytes(ip(dst, id=ident, **fields) / tcp)), 1280)
    pieces = [came(piece) for piece in pieces]
    assert len(pieces) >= 3
    return pieces


def become(role, frames, action, wanted, reason):
    got, counted = met(role, frames)
    equal(counted, {reason: len(frames)}, reason)
    equal([(done, left.hex()) for done, left in got],
          [(action, frame.hex()) for frame in wanted], reason)


def go(role, frames, to, left=48):
    become(role, frames, TX, [passed_on(frame, to, left) for frame in frames], "second_chance")


def stay(role, frames, vip, reason="restored"):
    become(role, frames, PASS, [restored(frame, vip) for frame in frames], reason)


BOTH = (f.ip4, NEAR, OTHER, VIP), (f.ip6, NEAR6, OTHER6, VIP6)


@test("passed on: fragments of TCP, as the first of their packet was")
def fragments(world):
    role = fresh(world, pair(), pair(VIP6, NEAR6, OTHER6))
    for ip, near, other, vip in BOTH:
        there, here = elsewhere(role, ip(near) / f.tcp(flags="A"))
        first, *rest = cut(ip, near, there[0])
        go(role, [first, *rest], other)
        go(role, [*rest, first, *reversed(rest)], other)
        stay(role, cut(ip, near, here[0]), vip)
        stay(role, cut(ip, near, there[0], "S"), vip)
        first, *rest = cut(ip, near, there[0])
        become(role, rest, PASS, rest, "fragment_passed")
        go(role, [first, *rest], other)
        # The same id again, of a packet that stays.
        ident = next(IDS)
        go(role, cut(ip, near, there[0], ident=ident), other)
        stay(role, cut(ip, near, here[0], ident=ident), vip)


@test("passed on: fragments: each by its own TTL; what the first has not left does not leave")
def fragments_spent(world):
    role = fresh(world, pair(), pair(VIP6, NEAR6, OTHER6))
    for ip, near, other, vip in BOTH:
        there, _ = elsewhere(role, ip(near) / f.tcp(flags="A"))
        # In one batch: a first fragment is remembered for 5 s.
        ident = next(IDS)
        frames = cut(ip, near, there[0], ident=ident, **{HOPS[ip]: 17})
        last = cut(ip, near, there[0], ident=ident, **{HOPS[ip]: 16})[1:]
        got, counted = met(role, frames + last)
        equal(counted, {"second_chance": len(frames), "second_chance_spent": len(last)}, vip)
        equal([frame for _, frame in got],
              [passed_on(frame, other, 16) for frame in frames] +
              [restored(frame, vip) for frame in last], vip)
        first, *_ = cut(ip, near, there[0], **{HOPS[ip]: 16})
        stay(role, [first], vip, "second_chance_spent")
        ident = next(IDS)
        first, *_ = cut(ip, near, there[0], ident=ident, **{HOPS[ip]: 16})
        _, *rest = cut(ip, near, there[0], ident=ident)
        equal(met(role, [first, *rest])[1], {"second_chance_spent": 1, "restored": len(rest)},
              "the rest of what stayed here")


@test("passed on: fragments: checksum: update changes the first one's only; dscp keeps its mark")
def fragments_methods(world):
    role = fresh(world, pair(checksum="update"), pair(VIP6, NEAR6, OTHER6, checksum="update"))
    for ip, near, other, _ in BOTH:
        there, _ = elsewhere(role, ip(near) / f.tcp(flags="A"))
        ident = next(IDS)
        frames = cut(ip, near, there[0], ident=ident)
        wanted = [passed_on(frame, other, 48) for frame in frames]
        whole = Ether(cut(ip, other, there[0], ident=ident)[0])
        out = Ether(wanted[0])
        assert out[TCP].chksum != whole[TCP].chksum
        out[TCP].chksum = whole[TCP].chksum
        become(role, frames, TX, [bytes(out), *wanted[1:]], "second_chance")
    role = fresh(world, pair(forward="dscp", dscp=10))
    there, _ = elsewhere(role, f.ip4(NEAR, tos=40) / f.tcp(flags="A"))
    go(role, cut(f.ip4, NEAR, there[0], tos=40), OTHER)


@test("passed on: fragments by ipip, each in its own outer packet")
def fragments_tunnelled(world):
    def outer(near):
        if ":" in near:
            return f.ether() / IPv6(src=LB6, dst=near)
        return f.ether() / IP(src=LB4, dst=near)

    for near, other in (NEAR, OTHER), (NEAR6, OTHER6):
        role = fresh(world, pair(VIP, near, other, forward="ipip"),
                     pair(VIP6, near, other, forward="ipip"), lb_sources=f"[{LB4}, '{LB6}']")
        for ip, vip in (f.ip4, VIP), (f.ip6, VIP6):
            seen = set()
            for sport in range(20000, 20016):
                frames = [came(outer(near) / Ether(piece).payload)
                          for piece in cut(ip, vip, sport)]
                _, counted = met(role, frames)
                [(reason, packets)] = counted.items()
                equal(packets, len(frames), reason)
                if reason == "second_chance":
                    go(role, frames, other)
                seen.add(reason)
            equal(seen, {"second_chance", "decapsulated"}, f"{vip} to {near}")


@test("passed on: fragments of what has its socket here stay; over the limit none is passed up")
def fragments_socket(world):
    role = fresh(world, pair(port=8088))
    there, _ = elsewhere(role, f.ip4(NEAR) / f.tcp(8088, flags="A"))
    with sockets(HOLD, VIP, CLIENT, "hold", there[0]):
        stay(role, cut(f.ip4, NEAR, there[0], port=8088), VIP)
        go(role, cut(f.ip4, NEAR, there[1], port=8088), OTHER)
    role = fresh(world, pair(port=8088), second_chance_limit=1)
    frames = cut(f.ip4, NEAR, there[1], port=8088)
    got, _ = met(role, [came(f.ip4(NEAR) / f.tcp(8088, flags="A"), there[1])] * 5 + frames)
    # A second may end in between.
    equal({action for action, _ in got} - {TX}, {DROP}, "what becomes of them")


@contextlib.contextmanager
def neighbours(mac, *addresses):
    """The host knows their MAC address, until the end. Here, none would answer."""
    place(mac, *addresses)
    try:
        yield
    finally:
        for address in addresses:
            on(HOST, "ip", "neigh", "del", address, "dev", "eth0")


def place(mac, *addresses):
    for address in addresses:
        on(HOST, "ip", "neigh", "replace", address, "lladdr", mac, "dev", "eth0",
           "nud", "permanent")


OTHER_MAC, MOVED_MAC = BACKEND_MAC["backend0y"], "02:42:ac:13:00:99"


def on_link(frame, ttl, to=OTHER_MAC):
    """As the client sent it, to another MAC address."""
    out = Ether(frame)
    out.src, out.dst = out.dst, to
    if IP in out:
        out[IP].ttl = ttl
        del out[IP].chksum
    else:
        out[IPv6].hlim = ttl
    return bytes(out)


def longest(role, size):
    """As on a card in generic mode whose MTU this is; 0: as on veth."""
    pinned = "pinned", f"{role.pins}/interfaces"
    for entry in json.loads(on(HOST, "bpftool", "-j", "map", "dump", *pinned)):
        value = [int(byte, 16) for byte in entry["value"]]
        value[-2:] = size.to_bytes(2, "little")
        on(HOST, "bpftool", "map", "update", *pinned, "key", *entry["key"],
           "value", *map(hex, value))


@test("passed on: what GRO has merged, in generic mode on a card: dropped, untouched, and counted")
def merged(world):
    for ip, near, other, vip in BOTH:
        role = fresh(world, pair(vip, near, other))
        there, here = elsewhere(role, ip(near) / f.tcp(flags="A"))
        room = 1500 - len(ip(near)) - len(f.tcp()) + 14
        fits, merged = (came(ip(near) / f.tcp(flags="PA") / Raw(bytes(size)), there[0])
                        for size in (room, room + 1))
        longest(role, 1500)
        row(role, fits, TX, passed_on(fits, other, 48), "second_chance")
        row(role, merged, DROP, merged, "second_chance_merged")
        ours = came(ip(near) / f.tcp(flags="S") / Raw(bytes(room + 1)), here[0])
        row(role, ours, PASS, restored(ours, vip), "restored")
        longest(role, 0)
        row(role, merged, TX, passed_on(merged, other, 48), "second_chance")
    role = fresh(world, pair(forward="ipip"), lb_sources=f"[{LB4}]")
    longest(role, 1500)
    inner = Ether(bytes(f.ip4(VIP) / f.tcp(flags="PA") / Raw(bytes(1450)))).payload
    _, counted = met(role, [came(f.ether() / IP(src=LB4, dst=NEAR) / inner, sport)
                            for sport in range(20000, 20016)])
    equal(set(counted), {"second_chance_merged", "decapsulated"}, "by ipip")
    longest(role, 0)


@test("passed on: l2: to the next backend's MAC address, by TTL at most three times")
def l2(world):
    """Also where backends are of the other family than the VIP."""
    with neighbours(OTHER_MAC, OTHER, OTHER6):
        l2_rows(world, NEAR, OTHER, NEAR6, OTHER6)
        l2_rows(world, NEAR6, OTHER6, NEAR, OTHER)


def l2_rows(world, near, other, near6, other6):
    role = fresh(world, pair(VIP, near, other, forward="l2"),
                 pair(VIP6, near6, other6, forward="l2"))
    for ip, vip in (f.ip4, VIP), (f.ip6, VIP6):
        there, here = elsewhere(role, ip(vip) / f.tcp(flags="A"))
        for ttl, left in (255, 48), (49, 48), (48, 32), (17, 16):
            frame = came(ip(vip, **{HOPS[ip]: ttl}) / f.tcp(flags="A"), there[0])
            row(role, frame, TX, on_link(frame, left), "second_chance")
        frame = came(ip(vip, **{HOPS[ip]: 16}) / f.tcp(flags="A"), there[0])
        row(role, frame, PASS, frame, "second_chance_spent")
        for sport, flags in (here[0], "A"), (there[0], "S"):
            frame = came(ip(vip) / f.tcp(flags=flags), sport)
            row(role, frame, PASS, frame, "delivered")
        frames = cut(ip, vip, there[0])
        become(role, frames, TX, [on_link(frame, 48) for frame in frames], "second_chance")


@test("passed on: l2: a backend without a MAC address here: dropped, and counted")
def l2_unknown(world):
    """Nobody has THIRD; the other one is behind the router."""
    for other in THIRD, "172.17.0.4":
        role = fresh(world, pair(VIP, NEAR, other, forward="l2"))
        got, counted = met(role, [came(f.ip4(VIP) / f.tcp(flags="A"), sport)
                                  for sport in range(20000, 20016)])
        equal({action for action, _ in got}, {DROP, PASS}, other)
        equal(set(counted), {"second_chance_neighbour", "delivered"}, other)


@contextlib.contextmanager
def follows(world, file):
    """`bkd run` on the host."""
    process = subprocess.Popen(
        [TOPO, "exec", HOST, world.bkd[HOST].tool, "run", "-l", "127.0.0.1:8498", "-c", file],
        cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


@test("passed on: l2: bkd apply reads the MAC addresses, and bkd run follows them")
def l2_followed(world):
    def goes_to(mac):
        [(_, got)] = role.run([frame])
        return got == on_link(frame, 48, mac)

    file = world.file(configuration(pair(forward="l2")))
    with neighbours(OTHER_MAC, OTHER):
        role = fresh(world, pair(forward="l2"))
        there, _ = elsewhere(role, f.ip4(VIP) / f.tcp(flags="A"))
        frame = came(f.ip4(VIP) / f.tcp(flags="A"), there[0])
        place(MOVED_MAC, OTHER)
        assert goes_to(OTHER_MAC), "nobody has told xdp_bkd"
        role("apply", file)
        assert goes_to(MOVED_MAC), "bkd apply"
        with follows(world, file):
            place(OTHER_MAC, OTHER)
            wait_for(lambda: goes_to(OTHER_MAC), "bkd run", 30)
