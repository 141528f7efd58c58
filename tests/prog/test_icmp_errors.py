# SPDX-License-Identifier: GPL-2.0-only
"""xdp_lbr's own ICMP errors, compared byte by byte with scapy's: which packets get one,
who is told, how much of the packet is quoted, and how many are sent. A packet that is
not answered is left as it came."""

import contextlib
import random

from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_NOP
from scapy.layers.inet6 import ICMPv6PacketTooBig, IPv6, IPv6ExtHdrFragment
from scapy.layers.l2 import Ether
from scapy.packet import Raw

import frames as f
import test_methods as methods
from network import (
    DROP, LB, LB6, LB_MAC, PASS, ROUTER, ROUTER6, ROUTER_MAC, TX, VIP, VIP6, backend,
    configuration, on, service,
)
from oracle import ETHER
from placing import wait_for
from reports import exceeded, too_big
from tap import equal, test
from test_errors import error4, error6, one, quote, quote6, reply
from table_rows import changed, check, handed_up, sent

NEAR, NEAR6 = "172.19.0.3", "2001:db8:19::3"


def both(port=80, protocol="tcp", mtu="route"):
    return [service([backend(address).replace("}", f", mtu: {mtu}}}")], vip, port, protocol)
            for address, vip in ((NEAR, VIP), (NEAR6, VIP6))]


def setting(mtu="route", **settings):
    return configuration(*both(mtu=mtu), *both(7777, "udp", mtu), **settings)


def of_size(layer, size, l4=None, **fields):
    """A packet of `size` bytes; its IP header has these fields."""
    draw = random.Random(size)
    packet = layer(**fields) / (l4 or UDP(sport=40000, dport=7777))
    return packet / Raw(draw.randbytes(size - len(bytes(packet)) + ETHER))


SYN = TCP(sport=40000, dport=80, flags="S", options=f.TCP_OPTIONS)
DATA = TCP(sport=40000, dport=80, flags="PA")


@test("ICMP errors: TTL or hop limit 1 or 0: time exceeded, of any size")
def ttl(world):
    world.apply(setting(icmp_error_limit=1000000))
    rows = []
    packets = {
        "a SYN": f.ip4(ttl=1) / SYN,
        "TTL 0": f.ip4(ttl=0) / DATA / Raw(b"odd"),
        "options": f.ip4(ttl=1, options=f.ip_options()) / SYN,
        "a first fragment": f.ip4(ttl=1, flags="MF", id=next(IDS)) / f.udp(),
        "Ethernet padding": changed(f.ip4(ttl=1) / DATA / Raw(b"\0" * 6), IP, len=40),
        "a SYN (IPv6)": f.ip6(hlim=1) / SYN,
        "hop limit 0": f.ip6(hlim=0) / DATA / Raw(b"odd"),
    }
    packets.update({f"IPv6 {name}": f.ip6(hlim=1) / header / f.udp()
                    for name, header in f.headers6().items()})
    for size in [*range(28, 80), *range(540, 556), 1000, 1499, 1500]:
        packets[f"{size} bytes"] = of_size(f.ip4, size, ttl=1)
    for size in [*range(48, 90), *range(1224, 1240), 1499, 1500]:
        packets[f"{size} bytes (IPv6)"] = of_size(f.ip6, size, hlim=1)
    for name, packet in packets.items():
        packet = Ether(bytes(packet))
        rows.append((name, packet, "ttl_answered", TX, exceeded(packet)))
    check(world, rows)


IDS = iter(range(40000, 50000))


def damaged(packet):
    """Frames with one wrong bit each in the IPv4 header: in TOS, id, checksum, source or
    options."""
    frame = bytes(packet)
    for at in 1, 4, 5, 10, 11, *range(13, 16), *range(20, (frame[ETHER] & 15) * 4):
        for bit in 0x01, 0x40:
            wrong = bytearray(frame)
            wrong[ETHER + at] ^= bit
            yield bytes(wrong)


@test("ICMP errors: a packet whose IPv4 header is damaged is dropped")
def unanswered(world):
    world.apply(setting(1400, icmp_error_limit=1000000))
    large = {"flags": "DF"}
    for name, packet, reason in (
            ("echo", f.ip4() / f.echo4(), "echo_answered"),
            ("echo, options", f.ip4(options=f.ip_options()) / f.echo4(), "echo_answered"),
            ("echo, all options", f.ip4(options=[IPOption_NOP()] * 40) / f.echo4(),
             "echo_answered"),
            ("TTL", f.ip4(ttl=1) / SYN, "ttl_answered"),
            ("TTL, options", f.ip4(ttl=1, options=f.ip_options()) / SYN, "ttl_answered"),
            ("too big", of_size(f.ip4, 1450, **large), "too_big_answered")):
        equal(one(world.lbr, packet)[2], reason, name)
        before = world.lbr.reasons()
        frames = list(damaged(packet))
        equal(world.lbr.run(frames), [(DROP, frame) for frame in frames], name)
        equal(world.lbr.reasons()["malformed_vip"] - before["malformed_vip"], len(frames), name)


@test("ICMP errors: nothing is said about errors and later fragments")
def silent(world):
    world.apply(setting(icmp_error_limit=1000000))
    rows = [("an error", changed(error4(quote(reply())), IP, ttl=1)),
            ("an error (IPv6)", changed(error6(quote6(reply())), IPv6, hlim=1))]
    ident = next(IDS)
    world.lbr.run([bytes(f.ip4(flags="MF", id=ident) / f.udp()),
                   bytes(f.ip6() / IPv6ExtHdrFragment(m=1, id=ident) / f.udp())])
    rows.append(("a later fragment", f.ip4(ttl=1, frag=1, proto=17, id=ident) / Raw(b"x" * 40)))
    rows.append(("a later fragment (IPv6)", f.ip6(hlim=1) / IPv6ExtHdrFragment(
        offset=1, nh=17, id=ident) / Raw(b"x" * 40)))
    check(world, [(name, packet, "ttl_exceeded", DROP, bytes(packet)) for name, packet in rows])
    # A packet for no service is not answered either.
    for packet in f.ip4(ttl=1) / f.tcp(9), f.ip6(hlim=1) / f.udp(9):
        check(world, [("no service", packet, "unmatched", DROP, bytes(packet))])


@test("ICMP errors: from clients of any unicast address")
def clients(world):
    world.apply(setting(icmp_error_limit=1000000))
    rows = []
    for source in "1.0.0.1", "126.1.1.1", "128.0.0.1", "10.0.0.255", "223.255.255.255":
        rows.append(changed(f.ip4(ttl=1) / SYN, IP, src=source))
    for source in "2001:db8::", "3fff::1", "fd00::1":
        rows.append(changed(f.ip6(hlim=1) / SYN, IPv6, src=source))
    check(world, [(packet.summary(), packet, "ttl_answered", TX, exceeded(packet))
                  for packet in rows])


@test("ICMP errors: without an address of its own it says nothing")
def no_address(world):
    on("lbdsr0a", "ip", "address", "del", f"{LB}/16", "dev", "eth0")
    try:
        world.up(setting())
        packet = f.ip4(ttl=1) / SYN
        check(world, [("no address", packet, "ttl_exceeded", DROP, bytes(packet))])
    finally:
        on("lbdsr0a", "ip", "address", "add", f"{LB}/16", "dev", "eth0")
        routes_back()
        world.up(setting())
    check(world, [("an address again", packet, "ttl_answered", TX, exceeded(packet))])


def routes_back():
    """Restores what the kernel removed together with the address."""
    on("lbdsr0a", "ip", "route", "replace", "172.19.0.0/16", "via", ROUTER)
    on("lbdsr0a", "ip", "neigh", "replace", ROUTER, "dev", "eth0", "lladdr", ROUTER_MAC,
       "nud", "permanent")


@test("ICMP errors: icmp-error-limit a second, the rest dropped and counted")
def limited(world):
    packet = f.ip4(ttl=1) / SYN
    for limit in 0, 1, 20:
        world.apply(setting(icmp_error_limit=limit))
        if limit:
            wait_for(lambda: one(world.lbr, packet)[2] == "ttl_answered", "another second")
        before = world.lbr.reasons()
        results = world.lbr.run([bytes(packet)] * 200)
        after = world.lbr.reasons()
        said = after["ttl_answered"] - before["ttl_answered"]
        refused = after["icmp_error_limited"] - before["icmp_error_limited"]
        equal(said + refused, 200, "answered and refused")
        # One was sent before, and a new second may begin meanwhile.
        assert limit - 1 <= said <= 2 * limit, f"limit {limit}: {said} answered"
        equal({got.hex() for action, got in results if action == DROP}, {bytes(packet).hex()},
              "what is refused")
        equal(sum(action == TX for action, _ in results), said, "sent")


def answered_of(world, packets):
    """How many are answered; the rest is dropped and counted."""
    before = world.lbr.reasons()
    results = world.lbr.run([bytes(packet) for packet in packets])
    after = world.lbr.reasons()
    said = sum(action == TX for action, _ in results)
    rose = {name: after[name] - before[name] for name in after}
    equal((rose["too_big_answered"] + rose["ttl_answered"], rose["icmp_error_limited"]),
          (said, len(packets) - said), "counted")
    return said


@test("ICMP errors: who sends what is too big, or of TTL 1, spends nobody else's answers (native)")
def fair(world):
    world.up(setting(1400, icmp_error_limit=320), "native")  # 20 of a cell's

    def large(layer, source):
        packet = of_size(layer, 1450, DATA, **({"flags": "DF"} if layer is f.ip4 else {}))
        packet = Ether(bytes(packet))
        methods.ends(packet).src = source
        if IP in packet:
            del packet[IP].chksum
        return Ether(bytes(packet))

    def others(count):
        """Each packet is from another client: cells are hashed, so few clients share one."""
        return [large(f.ip4, f"198.51.{i // 250}.{i % 250 + 1}") for i in range(count)] + [
            large(f.ip6, f"2001:db8:{i + 1:x}::1") for i in range(count)]

    # Floods from one client, from one /64, and of packets with TTL 1.
    floods = {"IPv4": [large(f.ip4, "203.0.113.9")] * 400,
              "IPv6": [large(f.ip6, f"2001:db8:f00:1::{i:x}") for i in range(1, 401)]}
    for name, flood in floods.items():
        said = answered_of(world, flood)
        # 20, twice if a second ends meanwhile; another client may share the cell.
        assert 15 <= said <= 40, f"{name}: {said} of a flood answered"
        said = answered_of(world, others(100))
        assert said >= 190, f"{name}: {said} of 200 others answered"
    said = answered_of(world, [f.ip4(ttl=1) / SYN] * 1100)
    assert 320 <= said <= 640, f"{said} of TTL 1 answered"
    said = answered_of(world, others(100))
    assert said >= 190, f"TTL 1: {said} of 200 others answered"
    # And the other way round.
    wait_for(lambda: one(world.lbr, f.ip4(ttl=1) / SYN)[2] == "ttl_answered", "another second")
    answered_of(world, floods["IPv4"])
    assert answered_of(world, [f.ip4(ttl=1) / SYN] * 100) == 100, "TTL 1 after what was too big"
    world.apply(setting(1400, icmp_error_limit=0))
    equal(answered_of(world, others(50)), 0, "icmp-error-limit: 0")
    world.up(setting())


@contextlib.contextmanager
def narrow(mtu, lock="lock "):
    """Limits the MTU of the route to the backends."""
    ways = [f"route replace {NEAR}/32 via {ROUTER} dev eth0 mtu {lock}{mtu}",
            f"route replace {NEAR6}/128 via {ROUTER6} dev eth0 mtu {lock}{max(mtu, 1280)}"]
    on("lbdsr0a", "ip", "-batch", "-", text="\n".join(ways))
    try:
        yield
    finally:
        ways = [way.split(" via")[0].replace("replace", "del") for way in ways]
        on("lbdsr0a", "ip", "-batch", "-", text="\n".join(ways))


def kinds(size, ipv6=True):
    """Packets of one size that must not be fragmented, and their destinations."""
    rows = []
    for l4 in DATA, SYN, UDP(sport=40000, dport=7777):
        rows.append((of_size(f.ip4, size, l4, flags="DF"), NEAR))
        if ipv6:
            rows.append((of_size(f.ip6, size, l4), NEAR6))
    return rows


def sizes(mtu, at):
    """Larger packets are answered, others are sent."""
    rows = []
    for size in mtu + 1, mtu + 200, at:
        rows += [(f"{size} over {mtu}", packet, "too_big_answered", TX, too_big(packet, mtu))
                 for packet, _ in kinds(size, mtu >= 1280)]
    for size in mtu - 1, mtu:
        rows += [(f"{size} under {mtu}", packet, "forwarded", TX, sent(packet, to))
                 for packet, to in kinds(size, mtu >= 1280)]
    return rows


def counted(world):
    rows = world.lbr.rows("backends")
    return [(row["service"], row["backend"], row["packets"]) for row in rows]


@test("ICMP errors: larger than the route takes: frag needed, packet too big (native)")
def by_route(world):
    with narrow(1300):
        world.up(setting(icmp_error_limit=1000000), "native")
        check(world, sizes(1300, 1500))
        before = counted(world)
        check(world, sizes(1300, 1500)[:1])
        equal(counted(world), before, "sent to backends")
    with narrow(1000):
        world.up(setting(icmp_error_limit=1000000), "native")
        check(world, sizes(1000, 1500))


@test("ICMP errors: larger than the file's mtu (native)")
def by_file(world):
    world.up(setting(1400, icmp_error_limit=1000000), "native")
    check(world, sizes(1400, 1500))
    # The route's MTU is smaller.
    with narrow(1300):
        world.up(setting(1400, icmp_error_limit=1000000), "native")
        check(world, sizes(1300, 1500))
    # A change of the route: takes effect when the FIB is asked again.
    world.apply(setting(1350, icmp_error_limit=1000000, next_hop_age="0s"))
    check(world, sizes(1350, 1500))


@test("ICMP errors: IPv4 that may be cut is left to routers, or to the kernel")
def cut(world):
    world.up(setting(1400), "native")
    packet = of_size(f.ip4, 1450, DATA)
    check(world, [("by a router further on", packet, "forwarded", TX, sent(packet, NEAR))])
    with narrow(1300):
        world.up(setting(1400), "native")
        for size in 1301, 1450:
            packet = of_size(f.ip4, size, DATA)
            check(world, [("by the kernel", packet, "super_packet", PASS,
                           handed_up(packet, NEAR))])


@test("ICMP errors: generic mode: of the size of what may be several, nothing is said")
def generic(world):
    with narrow(1300):
        world.up(setting(icmp_error_limit=1000000))
        rows = []
        for packet, to in kinds(1400):
            if UDP in packet or packet[TCP].flags == "S":
                rows.append(("a SYN, or UDP", packet, "too_big_answered", TX, too_big(packet, 1300)))
            else:
                rows.append(("data", packet, "forwarded", TX, sent(packet, to)))
        piece = of_size(lambda: f.ip6() / IPv6ExtHdrFragment(m=1, id=next(IDS)), 1400)
        rows.append(("a first fragment", piece, "too_big_answered", TX, too_big(piece, 1300)))
        # The TTL is that of each packet, however many there are.
        piece = of_size(f.ip4, 1400, DATA, ttl=1)
        rows.append(("TTL 1", piece, "ttl_answered", TX, exceeded(piece)))
        piece = of_size(f.ip4, 9000, DATA, ttl=1)
        rows.append(("TTL 1, several", piece, "ttl_exceeded", DROP, bytes(piece)))
        piece = of_size(f.ip4, 9000, UDP(sport=40000, dport=7777), flags="DF")
        rows.append(("UDP, several", piece, "forwarded", TX, sent(piece, NEAR)))
        check(world, rows)
    world.up(setting())


@test("ICMP errors: 3,000 random packets of TTL 1, every sum from nothing")
def random_packets(world):
    world.apply(setting(icmp_error_limit=1000000))
    draw = random.Random(20240701)
    rows = []
    for _ in range(3000):
        layer = draw.choice((f.ip4, f.ip6))
        l4 = draw.choice((DATA, SYN, UDP(sport=40000, dport=7777))).copy()
        l4.sport = draw.randrange(1, 65536)
        packet = layer(**({"ttl": 1, "tos": draw.randrange(256)} if layer is f.ip4
                          else {"hlim": 1})) / l4 / Raw(draw.randbytes(draw.randrange(1400)))
        rows.append(Ether(bytes(packet)))
    for packet, (action, got) in zip(rows, world.lbr.run([bytes(packet) for packet in rows])):
        equal(action, TX, packet.summary())
        equal(got.hex(), exceeded(packet).hex(), packet.summary())
