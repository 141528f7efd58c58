# SPDX-License-Identifier: GPL-2.0-only
"""The replies to health checks are handed to the namespace of `lbr run`, and
nothing else is: each packet that differs from a reply in one field passes as it
came. The rows that `lbr run` writes are written by hand, as common/core/check.h
has them."""

import contextlib
import socket
import struct

from scapy.layers.inet import ICMP, IP, TCP, UDP, fragment
from scapy.layers.inet6 import (
    ICMPv6DestUnreach, ICMPv6TimeExceeded, IPv6, IPv6ExtHdrFragment, fragment6,
)
from scapy.layers.l2 import Ether
from scapy.packet import Raw

import frames as f
from network import (
    CLIENT, CLIENT6, LB, LB6, LB_MAC, PASS, REDIRECT, ROUTER, ROUTER6, ROUTER_MAC, VIP, VIP6, on,
)
from oracle import mac
from tap import equal, test
from test_vlan import IN_MAC, OUT_MAC, Vlans, near_and_far, tag, tagged, update

CHECK_MAC = "02:6c:62:72:00:00"
PORT = 40001
OTHER, OTHER6 = "192.168.25.99", "2001:db8:25::99"


def packed(address):
    """As struct addr has it."""
    if ":" in address:
        return socket.inet_pton(socket.AF_INET6, address)
    return b"\0" * 10 + b"\xff\xff" + socket.inet_aton(address)


def row(own, protocol, vip, port):
    """Key and value of the map `checks`."""
    key = packed(own) + struct.pack("!HBB", PORT, protocol, 0)
    return key, packed(vip) + struct.pack("!HH", port, 0) + struct.pack("=III", 1, 1, 0)


ROWS = [row(LB, 6, VIP, 80), row(LB, 17, VIP, 7777), row(LB6, 6, VIP6, 80),
        row(LB6, 17, VIP6, 7777)]


@contextlib.contextmanager
def checks(world, veth=True):
    pins = world.lbr.pins
    for key, value in ROWS:
        update("lbdsr0a", pins, "checks", key, value)
    if veth:
        index = int(on("lbdsr0a", "cat", "/sys/class/net/eth0/ifindex"))
        update("lbdsr0a", pins, "check_veth", bytes(4), struct.pack("=I", index))
    try:
        yield
    finally:
        for key, _ in ROWS:
            on("lbdsr0a", "bpftool", "map", "delete", "pinned", f"{pins}/checks", "key",
               *(f"{byte:#04x}" for byte in key))
        on("lbdsr0a", "bpftool", "map", "delete", "pinned", f"{pins}/check_veth", "key",
           "0", "0", "0", "0", status=None)


def link(packet, to=LB_MAC):
    return Ether(dst=to, src=ROUTER_MAC) / packet


def reply(layer=TCP, sport=None, dport=PORT, **ip):
    """From the VIP to a check, IPv4."""
    sport = sport or (80 if layer is TCP else 7777)
    return link(IP(**{"src": VIP, "dst": LB, **ip}) / layer(sport=sport, dport=dport)
                / Raw(b"fine"))


def reply6(layer=TCP, sport=None, dport=PORT, **ip):
    sport = sport or (80 if layer is TCP else 7777)
    return link(IPv6(**{"src": VIP6, "dst": LB6, **ip}) / layer(sport=sport, dport=dport)
                / Raw(b"fine"))


def asked(layer=UDP, dport=7777, sport=PORT, src=LB, dst=VIP):
    """What a check has sent, as an ICMP error quotes it."""
    return bytes(IP(src=src, dst=dst) / layer(sport=sport, dport=dport) / Raw(b"hello"))


def asked6(layer=UDP, dport=7777, sport=PORT, src=LB6, dst=VIP6):
    return bytes(IPv6(src=src, dst=dst) / layer(sport=sport, dport=dport) / Raw(b"hello"))


def error(quoted, kind=3, code=3, src=VIP, dst=LB):
    return link(IP(src=src, dst=dst) / ICMP(type=kind, code=code) / Raw(quoted))


def error6(quoted, icmp=None, src=VIP6, dst=LB6):
    return link(IPv6(src=src, dst=dst) / (icmp or ICMPv6DestUnreach(code=4)) / Raw(quoted))


REPLIES = {
    "TCP": reply(),
    "TCP, SYN and ACK": link(IP(src=VIP, dst=LB) / TCP(sport=80, dport=PORT, flags="SA")),
    "TCP, options": reply(options=f.ip_options()),
    "UDP": reply(UDP),
    "IPv6 TCP": reply6(),
    "IPv6 UDP": reply6(UDP),
    "port unreachable": error(asked()),
    "time exceeded, of a router": error(asked(TCP, 80), 11, 0, src=ROUTER),
    "IPv6 port unreachable": error6(asked6()),
    "IPv6 time exceeded, of a router": error6(asked6(TCP, 80), ICMPv6TimeExceeded(), src=ROUTER6),
}
FOREIGN = {
    "from another address": reply(src=OTHER),
    "from another port": reply(sport=81),
    "to another port": reply(dport=PORT + 1),
    "to another address": reply(dst=CLIENT),
    "of another protocol": reply(UDP, sport=80),
    "UDP from another port": reply(UDP, sport=7778),
    "UDP from a client": reply(UDP, src=CLIENT),
    "IPv6 from another address": reply6(src=OTHER6),
    "IPv6 from another port": reply6(sport=81),
    "IPv6 to another port": reply6(dport=PORT + 1),
    "IPv6 to another address": reply6(dst=CLIENT6),
    "error about another port": error(asked(sport=PORT + 1)),
    "error about another server's port": error(asked(dport=7778)),
    "error about another server": error(asked(dst=OTHER)),
    "error about another's packet": error(asked(src=CLIENT)),
    "IPv6 error about another server": error6(asked6(dst=OTHER6)),
    "IPv6 error about another's packet": error6(asked6(src=CLIENT6)),
}


def handed(frame):
    """As it must arrive at the veth: without tags, with its MAC address as destination."""
    return mac(CHECK_MAC) + frame[6:]


@test("checks: replies, and errors about checks, are handed over")
def replies(world):
    world.apply(near_and_far())
    with checks(world):
        before = world.lbr.reasons()["check_reply"]
        for name, packet in REPLIES.items():
            frame = bytes(packet)
            [(action, got)] = world.lbr.run([frame])
            equal((action, got.hex()), (REDIRECT, handed(frame).hex()), name)
        equal(world.lbr.reasons()["check_reply"] - before, len(REPLIES), "check_reply")


@test("checks: fragments of a reply are handed over, and no other packet's")
def fragments(world):
    world.apply(near_and_far())
    with checks(world):
        for packet in reply(UDP, id=7), link(
                IPv6(src=VIP6, dst=LB6) / IPv6ExtHdrFragment(id=7)
                / UDP(sport=7777, dport=PORT) / Raw(b"fine")):
            packet[UDP].payload = Raw(bytes(4000))
            pieces = fragment6(packet, 1280) if IPv6 in packet else fragment(packet, 1280)
            frames = [bytes(piece) for piece in pieces]
            assert len(frames) >= 3
            for frame in frames:
                [(action, got)] = world.lbr.run([frame])
                equal((action, got.hex()), (REDIRECT, handed(frame).hex()), packet.summary())
            packet[UDP].sport = 7778
            packet[IPv6ExtHdrFragment if IPv6 in packet else IP].id = 8
            pieces = fragment6(packet, 1280) if IPv6 in packet else fragment(packet, 1280)
            for frame in map(bytes, pieces):
                equal(world.lbr.run([frame]), [(PASS, frame)], "of another port")


@test("checks: a packet that differs from a reply in one field passes as it came")
def foreign(world):
    world.apply(near_and_far())
    with checks(world):
        before = world.lbr.reasons()["check_reply"]
        for name, packet in FOREIGN.items():
            equal(world.lbr.run([bytes(packet)]), [(PASS, bytes(packet))], name)
        equal(world.lbr.reasons()["check_reply"] - before, 0, "check_reply")


@test("checks: while no check runs, nothing is handed over")
def none(world):
    world.apply(near_and_far())
    with checks(world, veth=False):
        for name, packet in REPLIES.items():
            equal(world.lbr.run([bytes(packet)]), [(PASS, bytes(packet))], name)


@test("checks: VLAN tags are taken off replies, and off nothing else")
def vlans(world):
    with Vlans(world) as devices:
        devices.up(near_and_far())
        devices.stands_for("in7", tag(100))
        devices.stands_for("out8", tag(200), tag(7))
        with checks(world):
            for tags in (tag(100, priority=3),), (tag(200), tag(7)):
                to = IN_MAC if len(tags) == 1 else OUT_MAC
                for packet in reply(), reply6(UDP), error(asked()):
                    packet.dst = to
                    bare = bytes(packet)
                    [(action, got)] = world.lbr.run([tagged(bare, *tags)])
                    equal((action, got.hex()), (REDIRECT, handed(bare).hex()), f"{tags}")
                packet = reply(sport=81)
                packet.dst = to
                frame = tagged(bytes(packet), *tags)
                equal(world.lbr.run([frame]), [(PASS, frame)], f"foreign, {tags}")
