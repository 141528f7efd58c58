# SPDX-License-Identifier: GPL-2.0-only
"""Routers report the MTU of the path to a backend: a report is believed only if it quotes our
mark. Forged errors change nothing."""

import json
import random

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6PacketTooBig, ICMPv6TimeExceeded, IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Raw

import frames as f
import test_methods as methods
from network import (
    LB, LB6, LB_MAC, PASS, ROUTER, ROUTER6, ROUTER_MAC, TX, VIP, VIP6, configuration, service,
)
from oracle import ETHER, pseudo, total
from placing import wait_for
from reports import too_big
from tap import equal, test
from test_icmp_errors import DATA, of_size
from test_errors import one

PORT = 2601
FAR, FAR6 = "172.19.0.77", "2001:db8:19::77"  # no other test's: reports stay
# (VIP, backend, the packet's layer, bytes in front of it)
WAYS = ((VIP, FAR, f.ip4, 20), (VIP6, FAR, f.ip6, 20), (VIP, FAR6, f.ip4, 40),
        (VIP6, FAR6, f.ip6, 40))
CLIENTS = {4: "172.17.0.4", 6: "2001:db8:17::4"}


def up(world, vip, to, **settings):
    world.up(configuration(
        service([to], vip, PORT, forward="ipip"), service([to], vip, PORT, "udp", forward="ipip"),
        next_hop_age="0s", icmp_error_limit=1000000, lb_sources=f"['{LB}', '{LB6}']", **settings),
        "native")
    world.lbr("forget", "path-mtus")


def data(layer, size, sport=40000, **fields):
    if layer is f.ip4:
        fields.setdefault("flags", "DF")
    l4 = TCP(sport=sport, dport=PORT, flags="PA")
    return Ether(bytes(of_size(layer, size, l4, **fields)))


def leaves(world, packet):
    """The packet in its outer header, as the first router sees it."""
    [(action, got)] = world.lbr.run([bytes(packet)])
    equal(action, TX, packet.summary())
    return got[ETHER:]


def told(mtu, outer, cut=None, by=None, to=None, icmp=None):
    """A router's word on an outer packet, of which it quotes `cut` bytes."""
    if outer[0] >> 4 == 6:
        around = IPv6(src=by or ROUTER6, dst=to or LB6)
        icmp = icmp or ICMPv6PacketTooBig(mtu=mtu)
        quoted = outer[: cut or 1280 - 48]
    else:
        around = IP(src=by or ROUTER, dst=to or LB)
        icmp = icmp or ICMP(type=3, code=4, nexthopmtu=mtu)
        quoted = outer[: cut or 28]
    return Ether(bytes(Ether(dst=LB_MAC, src=ROUTER_MAC) / around / icmp / Raw(quoted)))


def heard(world, word, reason):
    """The error is passed to the kernel, too, unchanged."""
    action, got, why = one(world.lbr, word)
    equal((action, got, why), (PASS, bytes(word).hex(), reason), word.summary())


def second(world, outer):
    """Waits for the next second: sends wrong marks until no more are examined in this one, then
    a right one until it is believed."""
    wrong = bytearray(outer)
    wrong[5] ^= 1
    world.lbr.run([bytes(told(1400, bytes(wrong)))] * 8)
    wait_for(lambda: one(world.lbr, told(1400, outer))[2] == "path_mtu_learned", "another second")
    world.lbr("forget", "path-mtus")


def known(world):
    rows = world.lbr.rows("path-mtus")
    assert all(590 <= row["seconds-left"] <= 600 for row in rows), rows
    return {row["backend"]: row["mtu"] for row in rows}


@test("path MTU: a router that quotes our mark is believed, by every way (native)")
def learned(world):
    for vip, to, layer, head in WAYS:
        up(world, vip, to)
        large = data(layer, 1450)
        outer = leaves(world, large)
        for mtu in 1400, 1301 + head, 1450 + head - 1:
            heard(world, told(mtu, outer), "path_mtu_learned")
            equal(known(world), {to: mtu}, "shown")
            methods.check(world, large, too_big(large, mtu - head), "too_big_answered", TX)
        # In an outer IPv6 header, 8 bytes of the inner TCP header are enough.
        heard(world, told(1400, outer, 28 if head == 20 else 40 + len(layer()) - ETHER + 8),
              "path_mtu_learned")
        # Another router is believed too, and so is a report about another flow's
        # packet.
        world.lbr("forget", "path-mtus")
        other = leaves(world, data(layer, 1450, 40001))
        heard(world, told(1390, other, by="192.0.2.1" if head == 20 else "2001:db8:ffff::1"),
              "path_mtu_learned")
        equal(known(world), {to: 1390}, "the last word counts")
        world.lbr("forget", "-b", "192.0.2.9", "path-mtus")
        equal(known(world), {to: 1390}, "of another backend, nothing is forgotten")
        world.lbr("forget", "-b", to, "path-mtus")
        equal(known(world), {}, "forgotten")
        methods.check(world, large, methods.tunnelled(large, vip == VIP and head == 40
                                                      or vip == VIP6 and head == 20,
                                                      {4: FAR, 6: FAR6}))


@test("path MTU: without the mark, or with a wrong sum, nobody is believed (native)")
def refused(world):
    for vip, to, layer, head in WAYS:
        up(world, vip, to)
        outer = leaves(world, data(layer, 1450))

        def changed(at, bits, outer=outer):
            out = bytearray(outer)
            out[at] ^= bits
            return bytes(out)

        mark = (4, 5) if head == 20 else (2, 3)
        least = 576 if head == 20 else 1280
        inner = head + (4 if layer is f.ip4 else 1)
        rows = {"the mark": changed(mark[0], 1), "the mark's end": changed(mark[1], 0x80),
                "the backend": changed(head - 1, 1)}
        if head == 20:
            rows["the packet inside"] = changed(inner, 1)
        else:
            rows["the flow inside"] = changed(head + (20 if layer is f.ip4 else 40), 1)
        for name, forged in rows.items():
            second(world, outer)
            heard(world, told(1400, forged), "path_mtu_refused")
            equal(known(world), {}, name)
        second(world, outer)
        for mtu in 0, 68, least - 1, 1450 + head, 9000, 65535:
            heard(world, told(mtu, outer), "path_mtu_refused")
        summed = bytearray(bytes(told(1400, outer)))
        summed[36 if head == 20 else 56] ^= 1
        heard(world, Ether(bytes(summed)), "path_mtu_refused")
        # About something else: for the kernel only.
        strangers = [told(1400, changed(15 if head == 20 else 23, 1)),  # not sent by us
                     told(1400, changed(9 if head == 20 else 6, 0x11)),  # no outer header
                     told(1400, outer, 24 if head == 20 else 60)]
        if head == 20:
            other = bytearray(bytes(told(1400, outer)))
            other[35] = 1  # host unreachable, and an MTU where it has none
            add = int.from_bytes(other[36:38], "big") + 3
            other[36:38] = (add % 0x10000 + add // 0x10000).to_bytes(2, "big")
            strangers += [told(1400, outer, icmp=ICMP(type=11)),
                          told(1400, outer, icmp=ICMP(type=3, code=1)), Ether(bytes(other)),
                          told(1400, outer, to="172.17.0.99")]
        else:
            strangers.append(told(1400, outer, icmp=ICMPv6TimeExceeded()))
        for word in strangers:
            action, got, why = one(world.lbr, word)
            equal((action, got), (PASS, bytes(word).hex()), word.summary())
            assert why in ("not_vip", "path_mtu_refused"), why
        equal(known(world), {}, "nothing is learned")


@test("path MTU: of a flood of guesses four are looked at in a second (native)")
def guessed(world):
    up(world, VIP, FAR)
    outer = leaves(world, data(f.ip4, 1450))
    second(world, outer)
    good = bytes(told(1400, outer))
    wrong = bytearray(outer)
    wrong[5] ^= 1
    bad = bytes(told(1400, bytes(wrong)))
    before = world.lbr.reasons()
    world.lbr.run([bad, good] * 200)
    after = world.lbr.reasons()
    said = after["path_mtu_learned"] - before["path_mtu_learned"]
    # Each is examined until four were wrong; a new second may begin meanwhile.
    assert 3 <= said <= 8, f"{said} good ones looked at among wrong ones"
    equal(after["path_mtu_refused"] - before["path_mtu_refused"], 400 - said, "counted")
    second(world, outer)  # afterwards a right report is believed again


@test("path MTU: IPv6 is told of no less than 1280, and such a packet is sent (native)")
def least(world):
    for vip, to, head in (VIP6, FAR, 20), (VIP6, FAR6, 40):
        up(world, vip, to)
        large, small = data(f.ip6, 1281), data(f.ip6, 1280)
        heard(world, told(1280, leaves(world, data(f.ip6, 1450))), "path_mtu_learned")
        methods.check(world, large, too_big(large, 1280), "too_big_answered", TX)
        methods.check(world, small, methods.tunnelled(small, head == 20, {4: FAR, 6: FAR6}))
    up(world, VIP, FAR)
    four = data(f.ip4, 600)
    heard(world, told(576, leaves(world, data(f.ip4, 1450))), "path_mtu_learned")
    methods.check(world, four, too_big(four, 556), "too_big_answered", TX)
    four = data(f.ip4, 556)
    methods.check(world, four, methods.tunnelled(four, False, {4: FAR, 6: FAR6}))


@test("path MTU: forgotten where the file's mtu changes, kept by every other change (native)")
def kept(world):
    def text(mtu, weight=1):
        return configuration(service([f"{{address: '{FAR}', mtu: {mtu}, weight: {weight}}}"], VIP,
                                     PORT, forward="ipip"),
                             next_hop_age="0s", lb_sources=f"['{LB}', '{LB6}']")

    world.up(text("route"), "native")
    world.lbr("forget", "path-mtus")
    outer = leaves(world, data(f.ip4, 1450))
    heard(world, told(1400, outer), "path_mtu_learned")
    for change in (lambda: world.apply(text("route", 2)), lambda: world.up(text("route"), "native"),
                   lambda: world.lbr("apply", "-n", world.file(text(1300)))):
        change()
        equal(known(world), {FAR: 1400}, "kept")
    # The key is kept too: packets that were sent before the change still prove
    # themselves.
    second(world, outer)
    heard(world, told(1400, outer), "path_mtu_learned")
    world.apply(text(1450))
    equal(known(world), {}, "mtu: changed")
    heard(world, told(1400, outer), "path_mtu_learned")
    path = world.file(text(1450))
    world.lbr("up", "-i", "eth0", "-m", "native", "--drop-flows", "-c", path)
    equal(known(world), {}, "up --drop-flows")


@test("path MTU: outer packets never cut, marks that say nothing of each other (native)")
def marks(world):
    for vip, to, layer, head in WAYS:
        up(world, vip, to)
        packets = [data(layer, 700, sport, **({"id": sport} if layer is f.ip4 else {}))
                   for sport in range(20000, 22000)]
        got = [frame[ETHER:] for _, frame in world.lbr.run([bytes(p) for p in packets])]
        if head == 20:
            assert all(frame[6:8] == b"\x40\0" for frame in got), "DF"
        seen = {int.from_bytes(frame[4:6] if head == 20 else frame[1:4], "big") & 0xFFFFF
                for frame in got}
        # With IPv6 inside IPv4 they are by flow label, and here that is one.
        many = 1 if head == 20 and layer is f.ip6 else 1900
        assert many <= len(seen) <= (1 if many == 1 else 2000), f"{len(seen)} marks of 2,000"
        # All packets of a flow have one label; the same packet has the same mark twice.
        [a, b] = (leaves(world, data(layer, size)) for size in (700, 90))
        if head == 40:
            equal(a[1:4], b[1:4], "a flow's label")
        equal(leaves(world, packets[0])[:8], got[0][:8], "the same again")
        packet = of_size(layer, 90, UDP(sport=1, dport=PORT))
        if head == 20:
            equal(leaves(world, packet)[4:8], b"\0\0\x40\0", "a small one")


def explained(world):
    """What `explain` says about flows of both families, with their MTU, but without the mark in
    outer headers, which changes with time."""
    ends = ((CLIENTS[4], VIP), (f"[{CLIENTS[6]}]", f"[{VIP6}]"))
    rows = [json.loads(line) for line in world.lbr("explain", "-j", text="".join(
        f"{client}:{40000 + i} {vip}:80/tcp\n" for client, vip in ends for i in range(10))
    ).splitlines()]
    for row in rows:
        del row["sent"]
        for header in row["headers"]:
            if header["header"] == "outer ip":
                header["after"] = header["after"].partition(", checksum")[0]
    return rows


class Forger:
    """Makes errors to `own`, as if about what it sent to `to`."""

    def __init__(self, draw, layer, own, to):
        self.draw, self.six = draw, ":" in to
        head, inner = (40 if self.six else 20), bytes(layer() / DATA)[ETHER:]
        outer = (IPv6 if self.six else IP)(src=own, dst=to) / Raw(inner)
        outer = bytearray(bytes(outer))
        outer[6 if self.six else 9] = 4 if layer is f.ip4 else 41
        if not self.six:
            outer[6] = 0x40
        self.frame = bytearray(bytes(told(1400, bytes(outer), 1000)))
        self.icmp = ETHER + head
        self.quote = self.icmp + 8
        self.inner = self.quote + head

    def sum_up(self, frame):
        at = self.icmp
        frame[at + 2 : at + 4] = b"\0\0"
        cover = pseudo(frame, 58, len(frame) - at) if self.six else b""
        frame[at + 2 : at + 4] = (0xFFFF ^ total(cover + frame[at:])).to_bytes(2, "big")

    def purposely(self):
        """About a flow of the sender's own: everything in it is right except the mark."""
        frame = self.frame.copy()
        self.write(frame, self.inner + 4, self.draw.randbytes(2))
        if self.six:
            self.write(frame, self.quote + 1, self.draw.randbytes(3))
        else:
            self.write(frame, self.quote + 4, self.draw.randbytes(2))
        self.write(frame, self.icmp + 6, self.draw.choice((576, 1280, 1300, 1400)).to_bytes(2, "big"))
        self.sum_up(frame)
        return bytes(frame)

    @staticmethod
    def write(frame, at, data):
        frame[at : at + len(data)] = data

    def anything(self):
        """With random source, MTU, quote and checksum; the other fields are mostly
        right, so that it is examined."""
        frame, draw = self.frame.copy(), self.draw
        for at, size in ((ETHER + 12, 4), (self.icmp + 4, 4), (self.quote, 40), (self.inner, 40),
                         (self.icmp, 2), (self.quote + 4, 2)):
            if draw.random() < 0.4:
                self.write(frame, at, draw.randbytes(size))
        if draw.random() < 0.7:
            self.sum_up(frame)
        return bytes(frame)


METHODS = (({"forward": "rewrite"}, False), ({"forward": "dscp", "dscp": 46}, False),
           ({"forward": "ipip"}, False), ({"forward": "ipip"}, True), ({"forward": "l2"}, False),
           ({"forward": "l2"}, True))


@test("path MTU: 10,000 random errors and 1,000 on purpose change nothing, by any method")
def unmoved(world):
    draw = random.Random(20261129)
    with methods.on_link():
        for keys, cross in METHODS:
            world.up(methods.setting(cross, **keys), "native")
            world.lbr("forget", "path-mtus")
            hops = methods.LINK if keys["forward"] == "l2" else methods.NEAR
            before, reasons = explained(world), world.lbr.reasons()
            for family, layer in ((4, f.ip4), (6, f.ip6)):
                to = hops[10 - family if cross else family]
                forger = Forger(draw, layer, LB6 if ":" in to else LB, to)
                world.lbr.run([forger.anything() for _ in range(5000)])
                world.lbr.run([forger.purposely() for _ in range(500)])
            equal(explained(world), before, f"{keys}, cross {cross}")
            equal(known(world), {}, f"{keys}, cross {cross}: learned")
            rose = world.lbr.reasons()["path_mtu_refused"] - reasons["path_mtu_refused"]
            assert rose >= 1000, f"only {rose} were looked at"
    world.up(methods.setting(forward="rewrite"))
