# SPDX-License-Identifier: GPL-2.0-only
"""BIG TCP in generic mode: packets longer than their length field can express."""

import struct

from scapy.layers.inet import TCP, UDP

import frames as f
from network import DROP, LB_MAC, PASS, ROUTER_MAC, TX, VIP, VIP6, configuration, service
from oracle import ETHER, ip, mac, total
from tap import equal, test
from test_errors import one
from test_methods import setting
from test_restore import came, fresh

NEAR = {4: "172.19.0.3", 6: "2001:db8:19::3"}
JUMBO = b"\xc2\x04"  # RFC 2675, at 4n + 2


def segment(layer):
    """Of an established connection: no SYN is that long."""
    flags = {"flags": "A"} if layer is TCP else {}
    return layer(sport=40000, dport=80, **flags)


def big4(length, layer=TCP, flags=0, to=VIP):
    """An IPv4 packet of `length` bytes that says 0."""
    packet = bytes(f.ip4(to) / segment(layer))
    frame = bytearray(packet + bytes(ETHER + length - len(packet)))
    frame[16:18] = b"\0\0"
    frame[20] |= flags
    return header_sum(frame)


def header_sum(frame):
    frame[24:26] = b"\0\0"
    frame[24:26] = struct.pack("!H", 0xFFFF - total(frame[14:34]))
    return bytes(frame)


def bare6(length, layer=TCP, to=VIP6):
    """An IPv6 packet of `length` bytes that says 0, as Linux makes it since 7.0."""
    packet = bytes(f.ip6(to) / segment(layer))
    return packet[:18] + b"\0\0" + packet[20:] + bytes(ETHER + length - len(packet))


def big6(length, layer=TCP, to=VIP6):
    """The same with a jumbo option, as Linux made it before."""
    packet = bytes(f.ip6(to) / segment(layer))
    option = packet[20:21] + b"\0" + JUMBO + struct.pack("!I", length - 40)
    head = packet[:18] + b"\0\0" + b"\0" + packet[21:54]
    return head + option + packet[54:] + bytes(ETHER + length - len(packet) - 8)


def balanced(frame, to):
    out = bytearray(mac(ROUTER_MAC) + mac(LB_MAC) + frame[12:])
    if frame[12:14] == b"\x08\0":
        out[22] -= 1
        out[30:34] = ip(to)
        return header_sum(out)
    out[21] -= 1
    out[38:54] = ip(to)
    return bytes(out)


def equals(got, action, frame, reason, what):
    """Keep 65,536 bytes out of the log."""
    equal((got[0], got[2]), (action, reason), what)
    assert bytes.fromhex(got[1]) == frame, f"{what}: other bytes"


BIG = {(4, ""): big4(65536), (6, "jumbo option"): big6(40 + 65536),
       (6, ""): bare6(40 + 65536)}
NOT_BIG = {
    "it says 0 and 65,535 would fit": big4(65535),
    "UDP": big4(65536, UDP),
    "a fragment": big4(65536, flags=0x20),
    "IPv6 that is no longer than a length can say": big6(65535),
    "IPv6, UDP": big6(40 + 65536, UDP),
    "IPv6 without the option, of 65,535 bytes": bare6(65535),
    "IPv6 without the option, of 60 bytes": bare6(60),
    "IPv6 without the option, UDP": bare6(40 + 65536, UDP),
}


@test("big: TCP of more than 65,535 bytes is sent; the frame's length counts")
def sent(world):
    world.up(setting(forward="rewrite"))
    for kind, frame in BIG.items():
        equals(one(world.lbr, frame), TX, balanced(frame, NEAR[kind[0]]), "forwarded", kind)
    for what, frame in NOT_BIG.items():
        equals(one(world.lbr, frame), DROP, frame, "malformed_vip", what)


@test("big: ipip refuses it: no outer header can hold its length")
def tunnelled(world):
    for cross in False, True:
        world.up(setting(cross, forward="ipip"))
        for kind, frame in BIG.items():
            equals(one(world.lbr, frame), DROP, frame, "fib_too_big", (cross, kind))


@test("big: restored at the backend")
def restored(world):
    role = fresh(world, configuration(*(service([NEAR[family]], vip) for family, vip in
                                        ((4, VIP), (6, VIP6)))))
    for family, frame in ((4, big4(65536, to=NEAR[4])), (6, big6(65576, to=NEAR[6])),
                          (6, bare6(65576, to=NEAR[6]))):
        frame = came(frame)
        wanted = bytearray(frame)
        if family == 4:
            wanted[30:34] = ip(VIP)
            wanted = header_sum(wanted)
        else:
            wanted[38:54] = ip(VIP6)
        equals(one(role, frame), PASS, wanted, "restored", family)
