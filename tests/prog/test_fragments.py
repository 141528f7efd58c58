# SPDX-License-Identifier: GPL-2.0-only
"""Fragments of a packet: all follow the first one, in any order behind it, and each is
treated as the first was, to the byte."""

import json
import struct
import time

from scapy.layers.inet import ICMP, IP, TCP, UDP, fragment
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment, fragment6
from scapy.layers.l2 import Ether
from scapy.packet import Raw

import frames as f
from network import (
    BACKEND_MAC, CLIENT, DROP, LB, LB6, PASS, ROUTER_MAC, TX, VIP, VIP6, configuration, on, service,
)
from oracle import mac
from placing import TEN, wait_for
from tap import equal, test
from test_errors import TEN6, address, error4, one, quote
from test_restore import fresh
from table_rows import sent

OTHER = ((LB, "192.168.25.99"), (LB6, "2001:db8:25::99"))
NEAR, NEAR6 = "172.19.0.3", "2001:db8:19::3"
PAYLOAD = bytes(range(256)) * 16
IDS = iter(range(1000, 60000))


def whole(ipv6=False, l4=None, ident=None):
    """A packet that will be fragmented; each has its own id."""
    l4 = l4 or UDP(sport=40000, dport=7777)
    ident = ident or next(IDS)
    if ipv6:
        return f.ip6() / IPv6ExtHdrFragment(id=ident) / l4 / Raw(PAYLOAD)
    return f.ip4(id=ident) / l4 / Raw(PAYLOAD)


def cut(packet):
    """Its fragments, in order; at least three."""
    if IPv6 in packet:
        pieces = fragment6(packet, 1280)
    else:
        # One checksum over the whole packet, as its sender computes it.
        pieces = fragment(Ether(bytes(packet)), 1280)
    pieces = [Ether(bytes(piece)) for piece in pieces]
    assert len(pieces) >= 3
    return pieces


def both(port=7777, protocol="udp", **more):
    return (service([NEAR], VIP, port, protocol, **more),
            service([NEAR6], VIP6, port, protocol, **more))


def met(role, pieces):
    """The result of each fragment: (action, bytes, reason), with the same reason for
    all. They are sent together: a first fragment is remembered for 5 s, in which a slow
    machine can read the counters only a few times."""
    before = role.reasons()
    left = role.run([bytes(piece) for piece in pieces])
    after = role.reasons()
    [(reason, rose)] = [(key, after[key] - before[key]) for key in after
                        if after[key] != before[key]]
    equal(rose, len(pieces), reason)
    return [(action, got.hex(), reason) for action, got in left]


def went(pieces, to):
    return [(TX, sent(piece, to).hex(), "forwarded") for piece in pieces]


KINDS = {
    "IPv4 UDP": (False, UDP(sport=40000, dport=7777), NEAR),
    "IPv4 TCP": (False, TCP(sport=40000, dport=80, flags="PA"), NEAR),
    "IPv4 SYN": (False, TCP(sport=40000, dport=80, flags="S"), NEAR),
    "IPv6 UDP": (True, UDP(sport=40000, dport=7777), NEAR6),
    "IPv6 TCP": (True, TCP(sport=40000, dport=80, flags="PA"), NEAR6),
}


@test("fragments: the first one first, the rest in any order")
def placed(world):
    world.apply(configuration(*both(), *both(80, "tcp")))
    for name, (ipv6, l4, to) in KINDS.items():
        first, *rest = cut(whole(ipv6, l4))
        for order in [first, *rest], [first, *reversed(rest)], [first, first, *rest, *rest]:
            equal(met(world.lbr, order), went(order, to), name)


@test("fragments: before their first they are dropped, behind it not")
def early(world):
    world.apply(configuration(*both(), *both(80, "tcp")))
    for name, (ipv6, l4, to) in KINDS.items():
        first, *rest = cut(whole(ipv6, l4))
        dropped = [(DROP, bytes(piece).hex(), "fragment") for piece in rest]
        equal(met(world.lbr, rest), dropped, name + ", before")
        equal(met(world.lbr, [first, *rest]), went([first, *rest], to), name + ", behind")


@test("fragments: of another client, VIP, protocol or packet is no first")
def others(world):
    world.apply(configuration(*both(), *both(80, "tcp"),
                              service(["172.19.0.4"], "192.168.25.12", 7777, "udp")))
    first, last, *_ = cut(whole())
    met(world.lbr, [first])
    for field, value in ("src", "172.17.0.44"), ("dst", "192.168.25.12"), ("id", 7), ("proto", 6):
        other = Ether(bytes(last))
        setattr(other[IP], field, value)
        equal(one(world.lbr, other)[2], "fragment", field)
    first, last, *_ = cut(whole(True))
    met(world.lbr, [first])
    for layer, field, value in ((IPv6, "src", "2001:db8:17::44"), (IPv6ExtHdrFragment, "id", 7)):
        other = Ether(bytes(last))
        setattr(other[layer], field, value)
        equal(one(world.lbr, other)[2], "fragment", field)
    # A packet is known by its id, whatever next header its fragments name (RFC 8200
    # 4.5).
    last[IPv6ExtHdrFragment].nh = 60
    equal(one(world.lbr, last)[2], "forwarded", "IPv6, of options")


@test("fragments: all of a packet to one backend, under every scheduler")
def one_backend(world):
    for scheduler in "maglev", "random":
        world.apply(configuration(
            *(service(pool, vip, port, protocol, scheduler=scheduler)
              for pool, vip in ((TEN, VIP), (TEN6, VIP6))
              for port, protocol in ((2401, "udp"), (2402, "tcp")))))
        reached = set()
        for number in range(60):
            ipv6, is_tcp = number & 1, number & 2
            sport = 20000 + number
            l4 = (TCP(sport=sport, dport=2402, flags="S") if is_tcp
                  else UDP(sport=sport, dport=2401))
            pieces = cut(whole(ipv6, l4))
            went_to = {address(got) for _, got in world.lbr.run(map_bytes(pieces))}
            equal(len(went_to), 1, f"{scheduler}, {l4.summary()}: backends of one packet")
            reached |= went_to
        assert len(reached) > 5, f"{scheduler}: only {reached}"


def map_bytes(packets):
    return [bytes(packet) for packet in packets]


@test("fragments: of no service, or not for a VIP")
def strays(world):
    world.apply(configuration(*both()))
    first, *rest = cut(whole(l4=UDP(sport=40000, dport=9)))
    for piece in first, *rest:
        equal(one(world.lbr, piece), (DROP, bytes(piece).hex(), "unmatched"), "another port")
    for piece in cut(whole()):
        piece[IP].dst = LB
        del piece[IP].chksum
        piece = Ether(bytes(piece))
        equal(one(world.lbr, piece), (PASS, bytes(piece).hex(), "not_vip"), "the host's own")
    for piece in cut(whole(l4=ICMP(type=8))):
        equal(one(world.lbr, piece), (DROP, bytes(piece).hex(), "unmatched"), "an echo")


@test("fragments: a first is remembered for 5 s")
def aged(world):
    world.apply(configuration(*both()))
    first, last, *_ = cut(whole())
    met(world.lbr, [first])
    since = time.monotonic()
    equal(one(world.lbr, last)[2], "forwarded", "at once")
    wait_for(lambda: one(world.lbr, last)[2] == "fragment", "the end of the 5 s")
    assert time.monotonic() - since > 4, "it was forgotten before"


def remembered(role):
    """How many first fragments are remembered."""
    dump = on(role.host, "bpftool", "-j", "map", "dump", "pinned", f"{role.pins}/fragments")
    return len(json.loads(dump))


@test("fragments: a first is remembered if it is for this host's MAC address and a VIP")
def asked_first(world):
    world.apply(configuration(*both(), *both(80, "tcp")))
    for name, (ipv6, l4, _) in KINDS.items():
        first, last, *_ = cut(whole(ipv6, l4))
        layer = IPv6 if ipv6 else IP
        count = remembered(world.lbr)
        flooded = Ether(bytes(first))
        flooded.dst = ROUTER_MAC
        equal(one(world.lbr, flooded)[2], "foreign_mac", name)
        equal(one(world.lbr, last)[2], "fragment", f"{name}, behind another host's")
        for destination in OTHER[ipv6]:
            stray = Ether(bytes(first))
            stray[layer].dst = destination
            if not ipv6:
                del stray[IP].chksum
            equal(one(world.lbr, Ether(bytes(stray)))[2], "not_vip", f"{name}, {destination}")
        equal(remembered(world.lbr) - count, 0, f"{name}, of others")
        equal(one(world.lbr, first)[2], "forwarded", name)
        equal(remembered(world.lbr) - count, 1, f"{name}, of a VIP")
        equal(one(world.lbr, last)[2], "forwarded", f"{name}, behind its own")


@test("fragments: xdp_bkd remembers a first for its own MAC address")
def asked_first_behind(world):
    role = fresh(world, configuration(*both(80, "tcp")))
    for ipv6, address_ in (False, NEAR), (True, NEAR6):
        first, last, *_ = cut(whole(ipv6, TCP(sport=40000, dport=80, flags="PA")))
        near, far = (Ether(mac(BACKEND_MAC["backend0x"]) + sent(piece, address_)[6:])
                     for piece in (first, last))
        flooded = Ether(bytes(near))
        flooded.dst = ROUTER_MAC
        count = remembered(role)
        equal(one(role, flooded)[2], "foreign_mac", address_)
        equal(one(role, far)[2], "fragment_passed", f"{address_}, behind another host's")
        equal(remembered(role) - count, 0, f"{address_}, of others")
        equal(one(role, near)[2], "restored", address_)
        equal(remembered(role) - count, 1, address_)
        equal(one(role, far)[2], "restored", f"{address_}, behind its own")


@test("fragments: an error that quotes a first one goes where that went")
def errors(world):
    world.apply(configuration(*both()))
    reply = UDP(sport=7777, dport=40000, len=4008) / Raw(b"x" * 100)
    equal(one(world.lbr, error4(quote(reply, flags="MF")))[2], "forwarded", "a first one")
    equal(one(world.lbr, error4(quote(reply, flags="MF", frag=1)))[2], "unmatched", "another")


@test("fragments: xdp_bkd restores all of a packet, and leaves its host's own alone")
def restored(world):
    role = fresh(world, configuration(*both(), *both(80, "tcp")))
    to = mac(BACKEND_MAC["backend0x"])

    def near(piece, address):
        """As it reaches the backend."""
        return Ether(to + sent(piece, address)[6:])

    def back(piece, address, vip):
        frame = near(piece, address)
        layer = frame[IPv6] if IPv6 in frame else frame[IP]
        layer.dst = vip
        if IP in frame:
            del frame[IP].chksum
        return bytes(frame).hex()

    for name, (ipv6, l4, address_) in KINDS.items():
        first, *rest = cut(whole(ipv6, l4))
        vip = VIP6 if ipv6 else VIP
        frames = [near(piece, address_) for piece in rest]
        equal(met(role, frames), [(PASS, bytes(frame).hex(), "fragment_passed")
                                  for frame in frames], name)
        order = [first, *reversed(rest)]
        equal(met(role, [near(piece, address_) for piece in order]),
              [(PASS, back(piece, address_, vip), "restored") for piece in order], name)
    for l4 in UDP(sport=40000, dport=2049), UDP(sport=53, dport=40000):
        for piece in cut(whole(l4=l4)):
            frame = near(piece, NEAR)
            equal(one(role, frame), (PASS, bytes(frame).hex(), "not_listed"), "its own")


def by_address(fragments="by-address"):
    return configuration(*(service(pool, vip, port, protocol, **more) for pool, vip in
                           ((TEN, VIP), (TEN6, VIP6)) for port, protocol, more in
                           ((7777, "udp", {"fragments": fragments}), (80, "tcp", {}))))


@test("fragments: by-address: in any order, and all of a client to one backend")
def any_order(world):
    world.apply(by_address())
    pools, flows = set(), world.flows()
    for number in range(40):
        ipv6, reached = number & 1, set()
        for sport in range(20000, 20003):
            pieces = cut(whole(ipv6, UDP(sport=sport, dport=7777)))
            pieces += [Ether(bytes(piece)) for piece in pieces[:1]]
            small = (f.ip6() if ipv6 else f.ip4()) / f.udp()
            for piece in [*reversed(pieces), small]:
                client = f"2001:db8:17::{number + 100:x}" if ipv6 else f"172.17.1.{number}"
                layer = piece[IPv6] if ipv6 else piece[IP]
                layer.src = client
                if not ipv6:
                    del piece[IP].chksum
                    piece = Ether(bytes(piece))
                action, got, reason = one(world.lbr, piece)
                equal((action, reason), (TX, "forwarded"), piece.summary())
                reached.add(address(bytes.fromhex(got)))
        equal(len(reached), 1, f"backends of client {number}")
        pools |= reached
    assert len(pools) > 10, f"only {pools}"
    equal(world.flows() - flows, 40, "flows remembered, one a client")


@test("fragments: by-address: of that service's protocol only, and while the file says so")
def of_udp(world):
    world.apply(by_address())
    _, last, *_ = cut(whole(l4=TCP(sport=40000, dport=80)))
    equal(one(world.lbr, last)[2], "fragment", "of TCP")
    # In an IPv4 header this number is an ordinary protocol.
    equal(one(world.lbr, f.ip4(proto=44) / Raw(b"x" * 40))[2], "unmatched", "protocol 44")
    _, last, *_ = cut(whole())
    equal(one(world.lbr, last)[2], "forwarded", "of UDP")
    text = by_address("by-id")
    said = world.lbr("apply", "-n", world.file(text))
    equal([line for line in said.splitlines() if "fragments" in line],
          [f"~ service {vip}:7777/udp fragments by-address -> by-id"
           for vip in (VIP, f"[{VIP6}]")], "what apply -n says")
    world.apply(text)
    equal(one(world.lbr, last)[2], "fragment", "by-id")
    equal(one(world.lbr, f.ip4() / f.udp(9))[2], "unmatched", "another port")


@test("fragments: by-address: an error follows the client's packets")
def error_by_address(world):
    world.apply(by_address())
    for sport in range(20000, 20020):
        [(_, sent_to), (_, error_to)] = world.lbr.run(
            [bytes(f.ip4() / UDP(sport=sport, dport=7777) / Raw(b"x")),
             bytes(error4(quote(UDP(sport=7777, dport=sport) / Raw(b"x" * 100))))])
        equal(address(error_to), address(sent_to), f"from {sport}")
