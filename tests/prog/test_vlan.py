# SPDX-License-Identifier: GPL-2.0-only
"""Tagged frames in native mode. The running kernel may lack VLAN devices: here, plain
devices stand in for them (the FIB cannot tell), and the rows that the tool writes for a
VLAN device are written by hand, as common/core/abi.h specifies them.
tests/net/vlan.bats has real VLAN devices."""

import struct

import frames as f
import test_methods as methods
from network import (
    DROP, LB, LB6, LB_MAC, PASS, REDIRECT, ROUTER_MAC, TX, VIP,
    VIP6, Program, configuration, on, service,
)
from oracle import Read, ip, mac, redirected, reply
from tap import equal, test

PORT = 2301
IN_MAC, OUT_MAC, OUT_HOP = "02:42:0a:00:07:01", "02:42:0a:00:08:01", "02:42:0a:00:08:02"
FAR, FAR6 = "172.24.0.9", "2001:db8:24::9"
Q, AD = b"\x81\x00", b"\x88\xa8"


def tag(vlan, protocol=Q, priority=0):
    return protocol + struct.pack("!H", priority << 12 | vlan)


def tagged(frame, *tags):
    return frame[:12] + b"".join(tags) + frame[12:]


def number(of):
    """A tag as struct vlan has it; 0: none."""
    if not of:
        return 0
    return 0x8000 | (0x4000 if of[:2] == AD else 0) | (of[2] << 8 | of[3]) & 0xFFF


def update(host, pins, name, key, value):
    words = [f"{byte:#04x}" for byte in key], [f"{byte:#04x}" for byte in value]
    on(host, "bpftool", "map", "update", "pinned", f"{pins}/{name}", "key", *words[0],
       "value", *words[1])


class Vlans:
    """Devices of the load balancer that stand in for VLAN devices of eth0."""

    def __init__(self, world):
        self.world = world

    def lbr(self, *words):
        on("lbdsr0a", *words)

    def __enter__(self):
        for device, address in ("in7", IN_MAC), ("out8", OUT_MAC):
            self.lbr("ip", "link", "add", device, "address", address, "type", "veth",
                     "peer", f"{device}p")
            for link in device, f"{device}p":
                self.lbr("ip", "link", "set", link, "up")
            # Otherwise a veth refuses frames that are redirected to it.
            self.lbr("ethtool", "-K", f"{device}p", "gro", "on")
        self.lbr("ip", "address", "add", "10.8.0.1/24", "dev", "out8")
        self.lbr("ip", "address", "add", "2001:db8:8::1/64", "dev", "out8", "nodad")
        for hop in "10.8.0.2", "2001:db8:8::2":
            self.lbr("ip", "neigh", "replace", hop, "dev", "out8", "lladdr", OUT_HOP,
                     "nud", "permanent")
        self.lbr("ip", "route", "add", FAR, "via", "10.8.0.2")
        self.lbr("ip", "route", "add", FAR6, "via", "2001:db8:8::2")
        return self

    def __exit__(self, *_):
        self.world.lbr.close()
        self.world.lbr("down")
        for device in "in7", "out8":
            self.lbr("ip", "link", "del", device)
        self.world.apply(configuration(service(["172.19.0.3"])))

    def index(self, device):
        return int(on("lbdsr0a", "cat", f"/sys/class/net/{device}/ifindex"))

    def up(self, text, mode="native"):
        """Attached to all three, so that forwarding is on and their MAC addresses are known."""
        self.world.lbr("up", "-i", "eth0", "-i", "in7", "-i", "out8", "-m", mode, "--now",
                       "-c", self.world.file(text))
        self.world.lbr.close()
        self.world.lbr.program = Program("lbdsr0a", f"{self.world.lbr.pins}/link-eth0")

    def stands_for(self, device, outer, inner=b""):
        """`device` is the VLAN device of these tags above eth0."""
        pins, port = self.world.lbr.pins, self.index("eth0")
        here = struct.pack("=IHH", port, number(outer), number(inner))
        index = struct.pack("=I", self.index(device))
        update("lbdsr0a", pins, "vlans", here, index)
        update("lbdsr0a", pins, "vlan_ports", index, here)


def near_and_far():
    """One port whose backend is behind eth0, one whose is behind out8."""
    return configuration(
        *(service([near], vip, PORT) + service([far], vip, PORT + 1)
          for vip, near, far in ((VIP, "172.19.0.3", FAR),
                                 (VIP6, "2001:db8:19::3", FAR6))), next_hop_age="0s")


NEAR, OUT = (PORT, ROUTER_MAC, LB_MAC), (PORT + 1, OUT_HOP, OUT_MAC)


def sent(world, packet, way, came, leaves):
    """Sends `packet` (scapy's) with the tags `came`; expects it with the tags `leaves`."""
    port, destination, source = way
    packet = packet / f.tcp(port, "S")
    bare = bytes(packet)
    to = {PORT: ("172.19.0.3", "2001:db8:19::3"), PORT + 1: (FAR, FAR6)}[port]
    family = Read(bare).family
    wanted = redirected(bare, family, ip(to[family == 6]), 1, (mac(destination), mac(source)))
    [(action, got)] = world.lbr.run([tagged(bare, *came)])
    what = f"port {port}, {[t.hex() for t in came]} to {[t.hex() for t in leaves]}"
    equal(action, TX, f"action, {what}")
    equal(got.hex(), tagged(wanted, *leaves).hex(), f"frame, {what}")


def both(to=LB_MAC):
    for packet in f.ip4(), f.ip6():
        packet.dst = to
        yield packet


@test("VLAN: sent back with the tag that it has, priority and all")
def same_tag(world):
    with Vlans(world) as vlans:
        for outer, inner in (tag(100), b""), (tag(4094), tag(1)), (tag(100, AD), tag(100)):
            vlans.up(near_and_far())
            vlans.stands_for("out8", outer, inner)
            for priority in 0, 1, 0xF:
                tags = [bytes([*t[:2], t[2] | priority << 4, t[3]]) for t in (outer, inner) if t]
                for packet in both(OUT_MAC):
                    sent(world, packet, OUT, tags, tags)


@test("VLAN: from one into another, tags added, changed and taken off")
def other_tag(world):
    ways = (
        # in, out: as devices have them; then as a frame has them, with priority
        ((tag(100),), (tag(200),), (tag(100, priority=0xB),), (tag(200, priority=0xB),)),
        ((tag(100),), (tag(100, AD),), (tag(100, priority=3),), (tag(100, AD, 3),)),
        ((), (tag(200),), (), (tag(200),)),
        ((tag(100),), (), (tag(100, priority=5),), ()),
        ((), (tag(7, AD), tag(8)), (), (tag(7, AD), tag(8))),
        ((tag(7, AD), tag(8)), (), (tag(7, AD, 1), tag(8, Q, 2)), ()),
        ((tag(7), tag(8)), (tag(9),), (tag(7, Q, 6), tag(8, Q, 2)), (tag(9, Q, 6),)),
        ((tag(9),), (tag(7, AD), tag(8)), (tag(9, Q, 4),), (tag(7, AD, 4), tag(8))),
        ((tag(1), tag(2)), (tag(2), tag(1)), (tag(1, Q, 1), tag(2, Q, 2)),
         (tag(2, Q, 1), tag(1, Q, 2))),
    )
    with Vlans(world) as vlans:
        for inwards, outwards, came, leaves in ways:
            vlans.up(near_and_far())
            if inwards:
                vlans.stands_for("in7", *inwards)
            if outwards:
                vlans.stands_for("out8", *outwards)
            way, to = OUT, IN_MAC if inwards else LB_MAC
            if not outwards:
                way = NEAR
            for packet in both(to):
                sent(world, packet, way, came, leaves)


@test("VLAN: out of another port, with the tag that the device there has")
def other_port(world):
    with Vlans(world) as vlans:
        vlans.up(near_and_far())
        port = vlans.index("in7")
        update("lbdsr0a", world.lbr.pins, "vlan_ports", struct.pack("=I", vlans.index("out8")),
               struct.pack("=IHH", port, number(tag(300)), 0))
        before = world.lbr.reasons()["redirected"]
        for packet in both():
            bare = bytes(packet / f.tcp(PORT + 1, "S"))
            [(action, got)] = world.lbr.run([bare])
            equal((action, got[12:16]), (REDIRECT, tag(300)), "action and tag")
        equal(world.lbr.reasons()["redirected"] - before, 2, "redirected")


@test("VLAN: generic mode: handed to the VLAN device, which has the tag")
def generic(world):
    with Vlans(world) as vlans:
        vlans.up(near_and_far(), "generic")
        vlans.stands_for("out8", tag(100))
        for packet in both():
            bare = bytes(packet / f.tcp(PORT + 1, "S"))
            [(action, got)] = world.lbr.run([bare])
            equal((action, got[12:14].hex()), (REDIRECT, bare[12:14].hex()), "action and type")


@test("VLAN: a tag that is no device's here passes untouched")
def foreign_tag(world):
    with Vlans(world) as vlans:
        vlans.up(near_and_far())
        vlans.stands_for("in7", tag(100))
        vlans.stands_for("out8", tag(100, AD), tag(7))
        cases = [(tag(101),), (tag(100, AD),), (tag(100), tag(7)), (tag(100), tag(100)),
                 (tag(0),), (tag(100, AD), tag(8)), (tag(7), tag(100, AD)),
                 (tag(100), tag(7), tag(7))]
        for tags in cases:
            for packet in both(IN_MAC):
                before = world.lbr.reasons()["vlan_tagged"]
                frame = tagged(bytes(packet / f.tcp(PORT, "S")), *tags)
                equal(world.lbr.run([frame]), [(PASS, frame)], f"{tags}")
                equal(world.lbr.reasons()["vlan_tagged"] - before, 1, f"{tags}: vlan_tagged")


@test("VLAN: ours, but for another MAC address; cut short; unmatched; TTL 1")
def refused(world):
    with Vlans(world) as vlans:
        vlans.up(near_and_far())
        vlans.stands_for("in7", tag(100))
        for packet, reason, action in (
                (f.ip4() / f.tcp(PORT), "foreign_mac", PASS),
                (f.ip4(dst="192.0.2.1") / f.tcp(PORT), "not_vip", PASS),
                (f.ip4() / f.tcp(PORT + 7), "unmatched", DROP),
                (f.ip4(ttl=1) / f.tcp(PORT), "ttl_exceeded", DROP),
                (f.ip4(len=98) / f.tcp(PORT, payload=b"x" * 55), "malformed_vip", DROP),
                (f.ip4(len=95) / f.tcp(PORT, payload=b"x" * 55), None, TX)):
            if reason != "foreign_mac":
                packet.dst = IN_MAC
            frame = tagged(bytes(packet), tag(100))
            before = world.lbr.reasons()
            [(did, got)] = world.lbr.run([frame])
            equal(did, action, f"{reason}: action")
            if reason:
                equal(got, frame, f"{reason}: frame")
                rose = world.lbr.reasons()[reason] - before[reason]
                # Multicast is not for our MAC address either.
                equal(min(rose, 1) if reason == "foreign_mac" else rose, 1, reason)


@test("VLAN: echo is answered in the VLAN, with its priority")
def echo(world):
    with Vlans(world) as vlans:
        vlans.up(near_and_far())
        vlans.stands_for("in7", tag(100))
        for packet in f.ip4() / f.echo4(), f.ip6() / f.echo6():
            packet.dst = IN_MAC
            bare = bytes(packet)
            [(action, got)] = world.lbr.run([tagged(bare, tag(100, Q, 7))])
            equal((action, got.hex()), (TX, tagged(reply(Read(bare)), tag(100, Q, 7)).hex()),
                  "the reply")


@test("VLAN: an ICMP error about a flow follows it, into another VLAN")
def error(world):
    with Vlans(world) as vlans:
        vlans.up(near_and_far())
        vlans.stands_for("in7", tag(100))
        vlans.stands_for("out8", tag(200))
        quoted = f.IP(src=VIP, dst="172.17.0.4") / f.TCP(sport=PORT + 1, dport=40000)
        packet = f.ether() / f.IP(src="172.17.0.3", dst=VIP) / f.ICMP(
            type=3, code=4, nexthopmtu=1000) / quoted
        packet.dst = IN_MAC
        [(action, got)] = world.lbr.run([tagged(bytes(packet), tag(100))])
        equal((action, got[12:16].hex(), got[34:38].hex()),
              (TX, tag(200).hex(), ip(FAR).hex()), "action, tag, destination")
        assert bytes(packet)[34:] in got, "what is in the error has changed"


IN_TAGS = [], [tag(100)], [tag(9, AD), tag(8)]
OUT_TAGS = [tag(200)], [tag(7, AD), tag(8)]
MACS = OUT_HOP, OUT_MAC


def by_method():
    """(keys, backends, function from a packet to the frame that should leave)"""
    far, near = {4: FAR, 6: FAR6}, {4: "10.8.0.2", 6: "2001:db8:8::2"}
    return (
        ({"forward": "dscp", "dscp": 46}, far, lambda p: methods.redirected(p, 46, False, far, MACS)),
        ({"forward": "rewrite", "checksum": "update"}, far,
         lambda p: methods.redirected(p, None, True, far, MACS)),
        ({"forward": "ipip"}, far, lambda p: methods.tunnelled(p, False, far, MACS)),
        ({"forward": "ipip"}, {4: FAR6, 6: FAR},
         lambda p: methods.tunnelled(p, True, far, MACS)),
        ({"forward": "l2"}, near, lambda p: bytes(methods.hop(p, *MACS))))


@test("VLAN: by each method: the packet, and tags that stay, are added, changed, taken off")
def each_method(world):
    sources = f"['{LB}', '{LB6}']"
    with Vlans(world) as vlans:
        for keys, to, wanted in by_method():
            text = configuration(
                *(service([to[family]], vip, PORT, **keys) for family, vip in ((4, VIP), (6, VIP6))),
                outer_source=sources, lb_sources=sources)
            for inwards in IN_TAGS:
                for outwards in OUT_TAGS:
                    vlans.up(text)
                    if inwards:
                        vlans.stands_for("in7", *inwards)
                    vlans.stands_for("out8", *outwards)
                    for packet in both(IN_MAC if inwards else LB_MAC):
                        packet /= f.tcp(PORT)
                        what = f"{keys}, {inwards} to {outwards}: {packet.summary()}"
                        [(action, got)] = world.lbr.run([tagged(bytes(packet), *inwards)])
                        equal(action, TX, what)
                        equal(got[12 : 12 + 4 * len(outwards)], b"".join(outwards), what)
                        bare = got[:12] + got[12 + 4 * len(outwards) :]
                        equal(methods.without_mark(bare).hex(), methods.without_mark(wanted(packet)).hex(), what)


@test("VLAN: answered from the VLAN device's address, with the tag")
def answered(world):
    with Vlans(world) as vlans:
        on("lbdsr0a", "ip", "address", "add", "10.7.0.1/24", "dev", "in7")
        vlans.up(near_and_far())
        vlans.stands_for("in7", tag(100))
        packet = f.ip4(ttl=1) / f.tcp(PORT)
        packet.dst = IN_MAC
        [(action, got)] = world.lbr.run([tagged(bytes(packet), tag(100, Q, 5))])
        equal((action, got[12:16].hex(), got[30:34].hex(), got[38]),
              (TX, tag(100, Q, 5).hex(), ip("10.7.0.1").hex(), 11), "action, tag, source, type")


@test("VLAN: ipip, no outer-source: from the address of where the packet came in")
def own_source(world):
    with Vlans(world) as vlans:
        on("lbdsr0a", "ip", "address", "add", "10.7.0.1/24", "dev", "in7")
        on("lbdsr0a", "ip", "address", "add", "2001:db8:7::1/64", "dev", "in7", "nodad")
        # to backends of either family, for either family's packets
        for to in {4: FAR, 6: FAR6}, {4: FAR6, 6: FAR}:
            vlans.up(configuration(*(service([to[family]], vip, PORT, forward="ipip")
                                     for family, vip in ((4, VIP), (6, VIP6))),
                                   lb_sources="['10.0.0.0/8', '2001:db8::/32']"))
            vlans.stands_for("in7", tag(100))
            vlans.stands_for("out8", tag(200))
            for family, packet in zip((4, 6), both(IN_MAC)):
                [(action, got)] = world.lbr.run([tagged(bytes(packet / f.tcp(PORT)), tag(100))])
                at, wanted = (26, "2001:db8:7::1") if ":" in to[family] else (30, "10.7.0.1")
                equal((action, got[at : at + len(ip(wanted))].hex()), (TX, ip(wanted).hex()),
                      f"IPv{family} in {to[family]}")
