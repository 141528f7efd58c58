# SPDX-License-Identifier: GPL-2.0-only
"""ICMP errors about a service's packets go to the backend that sent them, which restores the
VIP; errors that quote anything else are left alone. The
frames, and what becomes of them, are scapy's."""

import struct

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (
    ICMPv6DestUnreach, ICMPv6PacketTooBig, ICMPv6ParamProblem, ICMPv6TimeExceeded, IPv6,
    IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, IPv6ExtHdrRouting,
)
from scapy.layers.l2 import Ether
from scapy.packet import Raw

import frames as f
from network import (
    BACKEND_MAC, CLIENT, CLIENT6, DROP, LB, LB6, LB_MAC, PASS, ROUTER, ROUTER6, ROUTER_MAC, TX, VIP,
    VIP6, configuration, service,
)
from oracle import mac
from placing import TEN
from tap import equal, test
from test_restore import fresh

NEAR, NEAR6 = "172.19.0.3", "2001:db8:19::3"
TEN6 = [f"2001:db8:19::1:{n}" for n in range(1, 11)]


def link(packet, ethertype=None):
    return Ether(dst=LB_MAC, src=ROUTER_MAC, **({"type": ethertype} if ethertype else {})) / packet


def quote(l4, source=VIP, cut=8, **ip):
    """What a backend sent to the client, as a router quotes it."""
    packet = bytes(IP(src=source, dst=CLIENT, ttl=1, **ip) / l4)
    return packet[: (packet[0] & 15) * 4 + cut]


def error4(quoted, kind=3, code=4, to=VIP):
    return link(IP(src=ROUTER, dst=to, ttl=64) / ICMP(type=kind, code=code, nexthopmtu=1000)
                / Raw(quoted))


def quote6(l4, source=VIP6, cut=8, headers=None):
    base = IPv6(src=source, dst=CLIENT6, hlim=1)
    packet = bytes(base / headers / l4 if headers else base / l4)
    return packet[: len(packet) - len(bytes(l4)) + cut]


def error6(quoted, icmp=None, to=VIP6):
    return link(IPv6(src=ROUTER6, dst=to, hlim=64) / (icmp or ICMPv6PacketTooBig(mtu=1280))
                / Raw(quoted))


def reply(sport=40000, port=80, layer=TCP):
    return layer(sport=port, dport=sport) / Raw(b"x" * 100)


def address(frame):
    return Ether(frame)[IPv6].dst if frame[12:14] == b"\x86\xdd" else Ether(frame)[IP].dst


def sent(packet, to):
    """As xdp_lbr sends it: with another IP header, from xdp_lbr's own address."""
    out = Ether(bytes(packet))
    layer = out[IP] if IP in out else out[IPv6]
    out.dst, out.src, layer.dst = ROUTER_MAC, LB_MAC, to
    if IP in out:
        layer.ttl -= 1
        layer.src = LB
        del layer.chksum
    else:
        layer.hlim -= 1
        [was] = struct.unpack("!H", bytes(packet)[56:58])
        # When xdp_bkd sees it, the destination is the VIP again.
        error = Ether(bytes(packet))[IPv6]
        error.src = LB6
        del error.payload.cksum
        layer.payload.cksum = struct.unpack("!H", bytes(error)[42:44])[0]
        assert layer.payload.cksum != was
        layer.src = LB6
    return bytes(out)


def both(port=80, **more):
    return (service([NEAR], VIP, port, **more), service([NEAR6], VIP6, port, **more))


GOOD = {
    "too big": error4(quote(reply())),
    "time exceeded": error4(quote(reply()), 11, 0),
    "host unreachable": error4(quote(reply()), 3, 1),
    "parameter problem": error4(quote(reply()), 12, 0),
    "all of the packet quoted": error4(quote(reply(), cut=120)),
    "quoted IPv4 options": error4(quote(reply(), options=f.ip_options())),
    "UDP": error4(quote(reply(port=7777, layer=UDP))),
    "IPv6 too big": error6(quote6(reply())),
    "IPv6 unreachable": error6(quote6(reply()), ICMPv6DestUnreach(code=3)),
    "IPv6 time exceeded": error6(quote6(reply()), ICMPv6TimeExceeded()),
    "IPv6 parameter problem": error6(quote6(reply()), ICMPv6ParamProblem()),
    "IPv6 UDP": error6(quote6(reply(port=7777, layer=UDP))),
    "IPv6 quoted headers": error6(quote6(reply(), headers=IPv6ExtHdrHopByHop())),
    "IPv6 quoted atomic fragment": error6(quote6(reply(), headers=IPv6ExtHdrFragment(id=7))),
}
STRAY = {
    "a port of no service": error4(quote(reply(port=81))),
    "sent by another than the VIP": error4(quote(reply(), source="192.168.25.99")),
    "a quote of 7 bytes": error4(quote(reply(), cut=7)),
    "a quote of 7 bytes, and padding": Ether(bytes(error4(quote(reply(), cut=7))) + b"\0" * 6),
    "no quote": error4(b""),
    "a later fragment": error4(quote(reply(), frag=10)),
    "GRE": error4(quote(Raw(b"\0" * 20), proto=47)),
    "a redirect": error4(quote(reply()), 5, 1),
    "a source quench": error4(quote(reply()), 4, 0),
    "IPv6 a port of no service": error6(quote6(reply(port=81))),
    "IPv6 sent by another": error6(quote6(reply(), source="2001:db8:25::99")),
    "IPv6 a quote of 7 bytes": error6(quote6(reply(), cut=7)),
    "IPv6 a later fragment": error6(quote6(reply(), headers=IPv6ExtHdrFragment(offset=4))),
    "IPv6 a routing header": error6(
        quote6(reply(), headers=IPv6ExtHdrRouting(segleft=1, addresses=["::1"]))),
    "IPv6 multicast listener query": error6(b"\0" * 60, ICMPv6DestUnreach(type=130)),
}


def one(role, packet):
    """(action, bytes, the reason that rose)"""
    before = role.reasons()
    [(action, got)] = role.run([bytes(packet)])
    after = role.reasons()
    [reason] = [key for key in after if after[key] != before[key]]
    return action, got.hex(), reason


def remembered(world):
    """The flows of our client: flows of earlier tests may end meanwhile."""
    return {(row["client"], row["service"], row["protocol"])
            for row in world.lbr.rows("flows")}


@test("errors: to the service's backend, however much is quoted")
def forwarded(world):
    world.apply(configuration(*both(), *both(7777, protocol="udp")))
    flows = remembered(world)
    for name, packet in GOOD.items():
        to = NEAR6 if IPv6 in packet else NEAR
        equal(one(world.lbr, packet), (TX, sent(packet, to).hex(), "forwarded"), name)
    equal(remembered(world) - flows, set(), "flows remembered")


@test("errors: one that quotes no packet of a service is dropped, untouched")
def stray(world):
    world.apply(configuration(*both(), *both(7777, protocol="udp")))
    for name, packet in STRAY.items():
        equal(one(world.lbr, packet), (DROP, bytes(packet).hex(), "unmatched"), name)


@test("errors: to the backend of the quoted flow, remembered or not")
def the_flows_own(world):
    world.apply(configuration(service(TEN, VIP, 2301, scheduler="random"),
                              service(TEN6, VIP6, 2301, scheduler="random"),
                              service(TEN, VIP, 2302), service(TEN6, VIP6, 2302)))
    apart = 0
    for port in 2301, 2302:
        for sport in range(20000, 20100):
            for layer, error, quoted in (f.ip4, error4, quote), (f.ip6, error6, quote6):
                begun = layer() / TCP(sport=sport, dport=port, flags="S")
                [(_, first)] = world.lbr.run([bytes(begun)])
                [(action, got)] = world.lbr.run([bytes(error(quoted(reply(sport, port))))])
                equal((action, address(got)), (TX, address(first)), f"port {port}, from {sport}")
                [(_, table)] = world.lbr.run([bytes(error(quoted(reply(sport + 9999, port))))])
                apart += address(table) != address(first)
    assert apart > 200, "all flows have one backend"


@test("errors: xdp_bkd delivers them to the VIP that sent the quoted packet")
def restored(world):
    role = fresh(world, configuration(*both(), *both(7777, protocol="udp")))
    to = mac(BACKEND_MAC["backend0x"])
    for name, packet in GOOD.items():
        near = sent(packet, NEAR6 if IPv6 in packet else NEAR)
        whole = Ether(near)
        layer = whole[IPv6] if IPv6 in whole else whole[IP]
        layer.dst = VIP6 if IPv6 in whole else VIP
        if IP in whole:
            del whole[IP].chksum
        equal(one(role, to + near[6:]), (PASS, (to + bytes(whole)[6:]).hex(), "restored"), name)
    for name, packet in STRAY.items():
        near = to + sent(packet, NEAR6 if IPv6 in packet else NEAR)[6:]
        equal(one(role, near), (PASS, near.hex(), "not_listed"), name)
