# SPDX-License-Identifier: GPL-2.0-only
"""Packets from addresses that no sender has (RFC 1122 3.2.1.3, RFC 4291 2), or from the
VIP itself: not forwarded by any method, not answered and not restored. And neighbour
discovery for the VIP, which comes from link-local addresses and is left to the
kernel."""

from scapy.layers.inet import IP
from scapy.layers.inet6 import (
    ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6ND_RA, ICMPv6ND_Redirect, ICMPv6ND_RS,
    ICMPv6NDOptSrcLLAddr, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment,
)
from scapy.layers.l2 import Ether
from scapy.packet import Raw

import frames as f
from network import CLIENT6, CLIENT_MAC, DROP, PASS, TX, VIP, VIP6, configuration, service
from reports import exceeded
from tap import equal, test
from test_errors import error4, error6, quote, quote6, reply
from test_methods import NEAR, on_link, setting
from test_restore import fresh
from table_rows import check
from test_undone import HOST, arrives, at_backend, outside, plain

MARTIANS = ("0.0.0.0", "0.255.255.255", "127.0.0.1", "127.255.255.255", "224.0.0.1",
            "239.255.255.255", "240.0.0.1", "255.255.255.255", VIP)
MARTIANS6 = ("::", "::1", "::172.17.0.4", "::ffff:172.17.0.4", "fe80::1", "febf::1", "ff02::1",
             "ff0e::1", VIP6)
# Addresses next to these ranges, which hosts do have (NAT64's prefixes: RFC 6052, 8215).
HOSTS = "1.0.0.0", "126.255.255.255", "128.0.0.0", "223.255.255.255", "10.0.0.1"
HOSTS6 = ("64:ff9b::c000:201", "64:ff9b:1::c000:201", "::ffff:0:1.2.3.4", "100::1", "2001:db8::",
          "fec0::1", "fdff::1", "fe7f::1")
METHODS = ({"forward": "rewrite"}, {"forward": "rewrite", "checksum": "update"},
           {"forward": "dscp", "dscp": 46}, {"forward": "ipip"}, {"forward": "l2"})


def of(source, *above, **fields):
    """A packet from `source` to the VIP."""
    packet = (f.ip6(**fields) if ":" in source else f.ip4(**fields))
    for layer in above:
        packet /= layer
    (packet[IPv6] if ":" in source else packet[IP]).src = source
    return Ether(bytes(packet))


def kinds(source):
    yield "TCP", of(source, f.tcp())
    yield "SYN", of(source, f.tcp(flags="S", payload=b""))
    yield "UDP", of(source, f.udp())
    if ":" in source:
        yield "echo", of(source, f.echo6())
        yield "options", of(source, IPv6ExtHdrDestOpt(options=f.padded_options()), f.tcp())
        yield "fragment", of(source, IPv6ExtHdrFragment(m=1, id=9), f.udp())
        yield "hop limit 1", of(source, f.tcp(), hlim=1)
    else:
        yield "echo", of(source, f.echo4())
        yield "options", of(source, f.tcp(), options=f.ip_options())
        yield "fragment", of(source, f.udp(), flags="MF", id=9)
        yield "TTL 1", of(source, f.tcp(), ttl=1)


@test("sources: from no host's address, or the VIP's own: martian, by all methods")
def martians(world):
    for keys in METHODS:
        with on_link():
            world.apply(setting(**keys))
            check(world, [(f"{keys}: {name} from {source}", packet, "martian", DROP, bytes(packet))
                          for source in MARTIANS + MARTIANS6 for name, packet in kinds(source)])


@test("sources: any other is a host, is forwarded and told")
def hosts(world):
    world.apply(configuration(*(service([NEAR[family]], vip, 80, "tcp")
                                for family, vip in ((4, VIP), (6, VIP6))), icmp_error_limit=1000000))
    for source in HOSTS + HOSTS6:
        packet = of(source, f.tcp())
        [(action, _)] = world.lbr.run([bytes(packet)])
        equal(action, TX, f"a packet from {source}")
        last = of(source, f.tcp(), **({"hlim": 1} if ":" in source else {"ttl": 1}))
        check(world, [(f"TTL 1 from {source}", last, "ttl_answered", TX, exceeded(last))])


@test("sources: not for a VIP: the kernel's, untouched")
def not_ours(world):
    world.apply(setting(forward="rewrite"))
    for source in MARTIANS[:-1] + MARTIANS6[:-1]:
        packet = of(source, f.tcp())
        if ":" in source:
            packet[IPv6].dst = "2001:db8:25::99"
        else:
            packet[IP].dst = "192.168.25.99"
        check(world, [(f"from {source}", packet, "not_vip", PASS, bytes(packet))])


@test("sources: an ICMP error from a martian, or about a flow of one")
def errors(world):
    world.apply(setting(forward="rewrite"))
    rows = []
    for source in MARTIANS + MARTIANS6:
        is6 = ":" in source
        from_it = (error6(quote6(reply())) if is6 else error4(quote(reply())))
        (from_it[IPv6] if is6 else from_it[IP]).src = source
        rows.append((f"from {source}", Ether(bytes(from_it)), "unmatched"))
        # The quoted packet was sent to that address.
        about = (error6 if is6 else error4)(with_client(source))
        rows.append((f"about {source}", Ether(bytes(about)), "martian"))
    check(world, [(name, packet, reason, DROP, bytes(packet)) for name, packet, reason in rows])


def with_client(source):
    is6 = ":" in source
    layer = IPv6(src=VIP6, dst=source) if is6 else IP(src=VIP, dst=source)
    return bytes(layer / reply())[: (40 if is6 else 20) + 8]


@test("sources: xdp_bkd leaves what comes from a martian, outside or inside")
def at_the_backend(world):
    role = fresh(world, setting(forward="ipip"))
    for source in MARTIANS + MARTIANS6:
        packet = of(source, f.tcp())
        frame = outside(packet, *(("2001:db8:17::2", NEAR[6]) if ":" in source else ()))
        equal(at_backend(role, frame), (PASS, frame, "martian_passed"), f"inside, {source}")
    packet = of(HOSTS[0], f.tcp())
    equal(at_backend(role, outside(packet)), (PASS, plain(packet), "decapsulated"), "a host's")
    for keys in METHODS[0], METHODS[2], METHODS[4]:
        text = setting(**keys).replace("172.17.0.50", NEAR[4]).replace("2001:db8:17::50", NEAR[6])
        role = fresh(world, text)
        for source in MARTIANS + MARTIANS6:
            packet = of(source, f.tcp())
            if keys["forward"] != "l2":
                layer = packet[IPv6] if ":" in source else packet[IP]
                layer.dst = NEAR[6 if ":" in source else 4]
                if keys["forward"] == "dscp":
                    setattr(layer, "tc" if ":" in source else "tos", 46 << 2)
                if ":" not in source:
                    del packet[IP].chksum
            frame = arrives(bytes(packet))
            equal(at_backend(role, frame), (PASS, frame, "martian_passed"), f"{keys}, {source}")
    equal(sum(role.restores().values()), 0, "restored")


LINK = ICMPv6NDOptSrcLLAddr(lladdr=CLIENT_MAC)
DISCOVERY = {
    133: ICMPv6ND_RS() / LINK, 134: ICMPv6ND_RA() / LINK, 135: ICMPv6ND_NS(tgt=VIP6) / LINK,
    136: ICMPv6ND_NA(tgt=CLIENT6), 137: ICMPv6ND_Redirect(tgt=CLIENT6, dst=CLIENT6),
}


@test("sources: neighbour discovery for a VIP is passed up, from this link only")
def discovery(world):
    world.apply(setting(forward="rewrite"))
    rows = []
    for source in CLIENT6, "fe80::4":
        for kind, message in DISCOVERY.items():
            for hlim, reason, action in ((255, "neighbour_discovery", PASS),
                                         (254, "unmatched", DROP)):
                packet = of(source, message, hlim=hlim)
                rows.append((f"{kind} from {source}", packet, reason, action, bytes(packet)))
        # Other ICMPv6 types are not, nor is a fragment of one of these (RFC 6980).
        for kind in 132, 138:
            packet = of(source, Raw(bytes([kind, 0]) + b"\0" * 22), hlim=255)
            packet[IPv6].nh = 58
            packet = Ether(bytes(packet))
            rows.append((f"{kind} from {source}", packet, "unmatched", DROP, bytes(packet)))
        part = of(source, IPv6ExtHdrFragment(m=1, id=8, nh=58), DISCOVERY[135], hlim=255)
        rows.append((f"in parts from {source}", part, "unmatched", DROP, bytes(part)))
    check(world, rows)
