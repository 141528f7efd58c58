# SPDX-License-Identifier: GPL-2.0-only
"""The forwarding methods other than plain rewrite, at the load balancer: each packet
that leaves is compared byte by byte with scapy's; packets that are refused."""

import contextlib
import struct

from scapy.layers.inet import IP, TCP, UDP, fragment
from scapy.layers.inet6 import (
    IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, fragment6,
)
from scapy.layers.l2 import Ether
from scapy.packet import Raw

import frames as f
from network import (
    DROP, LB, LB6, LB_MAC, ROUTER6, ROUTER_MAC, TX, VIP, VIP6, configuration, on, service,
)
from oracle import ETHER, ip, total
from reports import too_big
from tap import equal, test
from test_errors import GOOD, error6, one, quote6, reply

NEAR = {4: "172.19.0.3", 6: "2001:db8:19::3"}
LINK = {4: "172.17.0.50", 6: "2001:db8:17::50"}  # on the load balancer's segment
LINK_MAC = "02:42:ac:11:00:50"
OWN, OWN6, VIPS = LB, LB6, {4: VIP, 6: VIP6}
SOURCES = "['172.17.0.0/24', '2001:db8:17::/64']"
MET = set()


def setting(cross=False, **keys):
    rows = []
    for family, vip in VIPS.items():
        to = (LINK if keys["forward"] == "l2" else NEAR)[10 - family if cross else family]
        rows += [service([to], vip, **keys), service([to], vip, 7777, "udp", **keys)]
    settings = {"lb_sources": SOURCES} if keys["forward"] == "ipip" else {}
    return configuration(*rows, **settings)


def ends(layer):
    return layer[IP] if IP in layer else layer[IPv6]


def hop(packet, to=ROUTER_MAC, source=LB_MAC):
    """As a router leaves it: TTL, MACs and, by scapy, the header's sum."""
    out = Ether(bytes(packet))
    out.dst, out.src = to, source
    if IP in out:
        out[IP].ttl -= 1
        del out[IP].chksum
    else:
        out[IPv6].hlim -= 1
    return Ether(bytes(out))


def redirected(packet, dscp=None, update=False, to=NEAR, macs=(ROUTER_MAC, LB_MAC)):
    """With the backend's address and mark; with `update`, all checksums computed anew."""
    out = hop(packet, *macs)
    layer = ends(out)
    layer.dst = to[4 if IP in out else 6]
    if IP in out:
        del layer.chksum
    if dscp is not None and IP in out:
        layer.tos = dscp << 2 | layer.tos & 3
    elif dscp is not None:
        layer.tc = dscp << 2 | layer.tc & 3
    if update:
        for kind in TCP, UDP:
            if kind in out and not (kind is UDP and not out[UDP].chksum):
                del out[kind].chksum
    return bytes(out)


def tunnelled(packet, cross=False, to=NEAR, macs=(ROUTER_MAC, LB_MAC)):
    """`packet` in a header from LB; the mark in it cannot be predicted."""
    out = hop(packet)
    link = Ether(dst=macs[0], src=macs[1])
    inner = ends(out)
    tos = inner.tos if IP in out else inner.tc
    protocol = 4 if IP in out else 41
    family = 4 if (IP in out) != cross else 6
    if family == 4:
        outer = IP(src=OWN, dst=to[4], ttl=64, tos=tos, proto=protocol, flags="DF", id=0)
        return bytes(link / outer / bytes(inner))
    outer = IPv6(src=OWN6, dst=to[6], hlim=64, tc=tos, nh=protocol, fl=0)
    return bytes(link / outer / bytes(inner))


def without_mark(frame):
    """In an outer header, the id or flow label is a keyed hash."""
    if frame[12:14] == b"\x86\xdd" and frame[20] in (4, 41):
        return frame[:15] + bytes([frame[15] & 0xF0]) + b"\0\0" + frame[18:]
    if frame[12:14] == b"\x08\0" and frame[23] in (4, 41):
        equal(total(frame[14:34]), 0xFFFF, "the outer header's sum")
        return frame[:18] + b"\0\0" + frame[20:24] + b"\0\0" + frame[26:]
    return frame


def samples():
    """Also with ECN bits, and with a class of service that the client has set."""
    packets_ = {
        "TCP": f.ip4(tos=0xB9) / f.tcp(),
        "SYN": f.ip4(flags="DF", tos=3) / f.tcp(flags="S", options=f.TCP_OPTIONS, payload=b""),
        "options": f.ip4(options=f.ip_options()) / f.tcp(),
        "UDP": f.ip4() / f.udp(),
        "UDP, no checksum": f.ip4() / UDP(sport=5, dport=7777, chksum=0) / Raw(b"x"),
        "odd": f.ip4() / f.tcp(payload=b"odd"),
        "TTL 2": f.ip4(ttl=2) / f.tcp(),
        "IPv6 UDP": f.ip6() / f.udp(),
        "IPv6 header, TCP": f.ip6() / IPv6ExtHdrDestOpt(options=f.padded_options()) / f.tcp(),
        "IPv6 TCP": f.ip6() / f.tcp(),
    }
    packets_["IPv6 TCP, class"] = f.ip6() / f.tcp()
    packets_["IPv6 TCP, class"][IPv6].tc = 0xBA
    return packets_


def check(world, packet, wanted, reason="forwarded", action=TX, name=""):
    MET.add(reason)
    did, got, rose = one(world.lbr, packet)
    equal((did, without_mark(bytes.fromhex(got)).hex(), rose),
          (action, without_mark(wanted).hex(), reason), f"{name}: {packet.summary()}")


@contextlib.contextmanager
def on_link():
    for address in LINK.values():
        on("lbdsr0a", "ip", "neigh", "replace", address, "dev", "eth0", "lladdr", LINK_MAC,
           "nud", "permanent")
    try:
        yield
    finally:
        for address in LINK.values():
            on("lbdsr0a", "ip", "neigh", "del", address, "dev", "eth0")


@test("methods: dscp: the backend's address and the mark; ECN's bits stay")
def dscp(world):
    for checksum, update in ("keep", False), ("update", True):
        world.apply(setting(forward="dscp", dscp=46, checksum=checksum))
        for name, packet in samples().items():
            check(world, packet, redirected(packet, 46, update), name=f"{name}, {checksum}")


@test("methods: rewrite, checksum: update: every sum is true")
def updated(world):
    world.apply(setting(forward="rewrite", checksum="update"))
    for name, packet in samples().items():
        wanted = redirected(packet, update=True)
        check(world, packet, wanted, name=name)
        assert "no checksum" in name or wanted != redirected(packet), f"{name}: not changed"


@test("methods: ipip: in IPv4 and in IPv6, packets of both")
def ipip(world):
    for cross in False, True:
        world.apply(setting(cross, forward="ipip"))
        for name, packet in samples().items():
            check(world, packet, tunnelled(packet, cross), name=f"{name}, cross {cross}")


@test("methods: a damaged IPv4 header does not become a good one by ipip, and stays wrong by the others")
def damaged(world):
    for keys in {"forward": "ipip"}, {"forward": "dscp", "dscp": 46}, {"forward": "rewrite"}:
        for cross in (False, True) if keys["forward"] == "ipip" else (False,):
            world.apply(setting(cross, **keys))
            for packet in f.ip4() / f.tcp(), f.ip4(options=f.ip_options()) / f.udp():
                frame = bytearray(bytes(packet))
                frame[ETHER + 15] ^= 0x01  # the client's address
                frame = bytes(frame)
                if keys["forward"] == "ipip":
                    check(world, Ether(frame), frame, "malformed_vip", DROP)
                    continue
                [(action, got)] = world.lbr.run([frame])
                equal(action, TX, f"{keys}")
                size = (got[ETHER] & 15) * 4
                equal(total(got[ETHER : ETHER + size]), total(frame[ETHER : ETHER + size]),
                      f"{keys}: the header's sum")


@test("methods: l2: MAC addresses and TTL change; backends of either family")
def l2(world):
    with on_link():
        for cross in False, True:
            world.apply(setting(cross, forward="l2"))
            for name, packet in samples().items():
                check(world, packet, bytes(hop(packet, LINK_MAC)), name=f"{name}, cross {cross}")


@test("methods: ipip: outer-source: every address of a prefix is used, and no other")
def outer_source(world):
    flows = f.Flows(80)
    text = setting(forward="ipip")
    for line, wanted in (("", 1), ("outer-source: [203.0.113.7]\n", 1),
                         ("outer-source: [203.0.113.64/28]\n", 16)):
        world.apply(line + text)
        sources = {left[26:30] for _, left in world.lbr.run(flows.frames(range(1000, 1500)))}
        equal(len(sources), wanted, f"outer sources, {line}")
        prefix = {"": OWN}.get(line, "203.0.113.7" if "7]" in line else "203.0.113.64")
        for source in sources:
            equal(source[:3] + bytes([source[3] & (0xF0 if wanted == 16 else 0xFF)]), ip(prefix),
                  "its prefix")
        [once, again] = (world.lbr.run([flows.frame(1000)])[0][1] for _ in range(2))
        equal(once, again, "one flow, twice")
    world.apply("outer-source: ['2001:db8:99::/64']\n" + setting(True, forward="ipip"))
    lefts = [left for _, left in world.lbr.run(flows.frames(range(1000, 1500)))]
    sources, labels = {left[22:38] for left in lefts}, {left[15:18] for left in lefts}
    assert len(sources) > 495 and {s[:8] for s in sources} == {ip("2001:db8:99::")[:8]}
    assert len(labels) > 490, "flow labels"


def addressed(packet, method):
    """An error, as it leaves."""
    family = 4 if IP in packet else 6
    if method == "l2":
        return bytes(hop(packet, LINK_MAC))
    if method == "ipip":
        return tunnelled(packet)
    out = Ether(redirected(packet, 46))
    ends(out).src = OWN if family == 4 else OWN6
    if family == 4:
        del out[IP].chksum
    else:
        # The VIP's owner verifies the checksum.
        error = Ether(bytes(packet))[IPv6]
        error.src = OWN6
        del error.payload.cksum
        out[IPv6].payload.cksum = struct.unpack("!H", bytes(error)[42:44])[0]
    return bytes(out)


@test("methods: ICMP errors go to the quoted flow's backend, by its method")
def errors(world):
    with on_link():
        for method, keys in ("dscp", {"dscp": 46}), ("ipip", {}), ("l2", {}):
            world.apply(setting(forward=method, **keys))
            for name, packet in GOOD.items():
                check(world, packet, addressed(packet, method), name=f"{method}: {name}")


@test("methods: all fragments go to one backend by each method; none before the first")
def fragments(world):
    ident = 0x5100
    with on_link():
        for keys, wanted in (
                ({"forward": "dscp", "dscp": 46}, lambda part: redirected(part, 46)),
                ({"forward": "ipip"}, tunnelled),
                ({"forward": "l2"}, lambda part: bytes(hop(part, LINK_MAC)))):
            world.apply(setting(**keys))
            four, six = f.ip4(id=ident) / f.udp(payload=b"x" * 99), f.ip6() / f.udp(payload=b"x" * 250)
            head = IPv6ExtHdrFragment(id=ident)
            six = six[IPv6].copy()
            six.payload = head / six.payload
            rows = [[f.ether() / part for part in fragment(four[IP], 32)],
                    [f.ether() / part for part in fragment6(six, 120)]]
            for parts in rows:
                assert len(parts) > 2
                late = Ether(bytes(parts[-1]))
                check(world, late, bytes(late), "fragment", DROP, name="before the first")
                for part in parts:
                    part = Ether(bytes(part))
                    check(world, part, wanted(part), name=f"{keys}")
            ident += 1


@test("methods: ICMPv6 errors, checksum: update: the sum is true")
def errors_updated(world):
    world.apply(setting(forward="rewrite", checksum="update"))
    out = Ether(bytes(hop(error6(quote6(reply())))))
    out[IPv6].dst, out[IPv6].src = NEAR[6], OWN6
    del out[IPv6].payload.cksum
    check(world, error6(quote6(reply())), bytes(out))


@test("methods: refused, untouched: off the link, no source, too big")
def refused(world):
    one_of = {4: f.ip4() / f.tcp(), 6: f.ip6() / f.tcp()}

    def drops(reason, packet):
        check(world, packet, bytes(packet), reason, DROP)

    world.apply(setting(forward="l2").replace(LINK[4], NEAR[4]).replace(LINK[6], NEAR[6]))
    for packet in one_of.values():
        drops("off_link", packet)
    on("lbdsr0a", "ip", "address", "del", f"{LB6}/64", "dev", "eth0")
    try:
        world.up(setting(True, forward="ipip"))
        # The IPv6 route was removed with the address.
        on("lbdsr0a", "ip", "route", "replace", "2001:db8:19::/64", "via", ROUTER6, "dev", "eth0",
           "onlink")
        on("lbdsr0a", "ip", "neigh", "replace", ROUTER6, "dev", "eth0", "lladdr", ROUTER_MAC,
           "nud", "permanent")
        drops("no_outer_source", one_of[4])
        world.apply("outer-source: ['2001:db8:99::1']\n" + setting(True, forward="ipip"))
        equal(one(world.lbr, one_of[4])[2], "forwarded", "with outer-source")
    finally:
        on("lbdsr0a", "ip", "address", "add", f"{LB6}/64", "dev", "eth0", "nodad")
        on("lbdsr0a", "ip", "route", "replace", "2001:db8:19::/64", "via", ROUTER6)
        on("lbdsr0a", "ip", "neigh", "replace", ROUTER6, "dev", "eth0", "lladdr", ROUTER_MAC,
           "nud", "permanent")
    world.up(setting(forward="ipip"), "native")
    for layer, head in (f.ip4(), 20), (f.ip4(flags="DF"), 20), (f.ip6(), 40):
        most = 1500 - head - (len(layer) - ETHER) - 20
        large, fits = (layer / f.tcp(payload=b"x" * size) for size in (most + 1, most))
        check(world, fits, tunnelled(fits))
        # Packets that may be fragmented, too, because no host would fragment them.
        large = Ether(bytes(large))
        check(world, large, too_big(large, 1500 - head), "too_big_answered")
    world.up(setting(forward="ipip"))
    assert MET >= {"off_link", "no_outer_source"}


@test("methods: a change of method takes effect at once, although next hops are remembered")
def changed(world):
    packet = f.ip4() / f.tcp()
    with on_link():
        for keys, wanted in (
                ({"forward": "rewrite"}, redirected(packet)),
                ({"forward": "ipip"}, tunnelled(packet)),
                ({"forward": "dscp", "dscp": 9}, redirected(packet, 9)),
                ({"forward": "rewrite"}, redirected(packet))):
            world.apply("next-hop-age: 10s\n" + setting(**keys))
            for _ in range(2):
                check(world, packet, wanted, name=str(keys))
        world.apply("next-hop-age: 10s\n" + setting(forward="l2").replace(LINK[4], NEAR[4]))
        check(world, packet, bytes(packet), "off_link", DROP)
