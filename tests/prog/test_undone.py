# SPDX-License-Identifier: GPL-2.0-only
"""The forwarding methods other than plain rewrite, at the backend: behind xdp_bkd a
packet is what the client sent, except for TTL, MACs and the mark; all other packets
pass unchanged."""

from scapy.layers.inet import IP, fragment
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt
from scapy.layers.l2 import Ether
from scapy.packet import Raw

import frames as f
from network import (
    BACK_ROUTER_MAC, BACKEND_MAC, BOTH_WAYS, LB, LB6, PASS, TX, VIP, configuration, service,
)
from oracle import ETHER, mac
from tap import FEWER, equal, test
from test_errors import error4, one, quote, reply
from test_laws import packets, sums_true
from test_methods import LINK, NEAR, ends, hop, setting
from test_restore import fresh

HOST = "backend0x"


def arrives(frame):
    return mac(BACKEND_MAC[HOST]) + mac(BACK_ROUTER_MAC) + frame[12:]


def at_backend(role, frame):
    """(action, bytes, the reason that rose)"""
    action, got, reason = one(role, frame)
    return action, bytes.fromhex(got), reason


def as_sent(packet, mark_off=False):
    """What the server gets when the client sends this."""
    out = bytearray(arrives(bytes(hop(packet))))
    if not mark_off:
        return bytes(out)
    clean = Ether(bytes(out))
    layer = ends(clean)
    if IP in clean:
        layer.tos &= 3
        del layer.chksum
    else:
        layer.tc &= 3
    return bytes(clean)


@test("undone: random packets through xdp_lbr and xdp_bkd are restored to what they were")
def law(world):
    # The outer header must fit into the frame, too.
    came = [frame for frame in packets(20241109, 800 // FEWER) if len(frame) <= ETHER + 1500 - 40]
    assert len(came) > 600 // FEWER
    assert all(map(sums_true, came))
    methods = [({"forward": "rewrite", "checksum": "update"}, "restored"),
               ({"forward": "dscp", "dscp": 33}, "restored"),
               ({"forward": "dscp", "dscp": 1, "checksum": "update"}, "restored"),
               ({"forward": "ipip"}, "decapsulated"),
               ({"forward": "ipip", "cross": True}, "decapsulated")]
    for keys, reason in methods:
        text = setting(**keys)
        world.apply(text)
        role = fresh(world, text)
        lefts = world.lbr.run(came)
        equal({action for action, _ in lefts}, {TX}, f"{keys}: action")
        wanted = [as_sent(Ether(sent), keys["forward"] == "dscp") for sent in came]
        for turn, mode in enumerate(BOTH_WAYS):
            role("trace", mode, status=None)
            before = role.reasons()[reason]
            answers = role.run([arrives(left) for _, left in lefts])
            equal(role.reasons()[reason] - before, len(came), f"{keys}: {reason}")
            equal(sum(role.restores().values()), len(came) * (turn + 1), f"{keys}: by row")
            for sent, right, (action, got) in zip(came, wanted, answers):
                equal((action, got.hex()), (PASS, right.hex()), f"{keys}: {sent.hex()}")
                assert sums_true(got), f"{keys}: a sum is wrong: {got.hex()}"


def outside(inner, source=LB, to=NEAR[4], **fields):
    """`inner` (a scapy packet) in an outer header as a load balancer would send it."""
    inner = ends(inner)
    protocol = 4 if isinstance(inner, IP) else 41
    if ":" in to:
        outer = IPv6(src=source, dst=to, nh=protocol, **fields)
    else:
        outer = IP(src=source, dst=to, proto=protocol, **fields)
    return bytes(Ether(dst=BACKEND_MAC[HOST], src=BACK_ROUTER_MAC) / outer / bytes(inner))


def plain(inner):
    return arrives(bytes(inner))


@test("undone: xdp_bkd removes an outer header if it is from lb-sources and for a listed service")
def taken_off(world):
    text = setting(forward="ipip")
    role = fresh(world, text)
    four, six = f.ip4() / f.tcp(), f.ip6() / f.udp()
    option = IPv6ExtHdrDestOpt(options=f.padded_options())
    with_option = Ether(dst=BACKEND_MAC[HOST], src=BACK_ROUTER_MAC) / IPv6(
        src=LB6, dst=NEAR[6]) / option
    with_option[IPv6ExtHdrDestOpt].nh = 41
    rows = [
        (outside(four), plain(four)), (outside(six, LB6, NEAR[6]), plain(six)),
        (outside(four, options=f.ip_options()), plain(four)),
        (outside(four, "172.17.0.77"), plain(four)),
        (bytes(with_option / bytes(six[IPv6])), plain(six)),
        (outside(error4(quote(reply()))), plain(error4(quote(reply())))),
    ]
    for frame, wanted in rows:
        equal(at_backend(role, frame), (PASS, wanted, "decapsulated"), frame.hex())
    stray = [
        (outside(four, "172.18.0.2"), "foreign_source"),
        (outside(four, to="172.19.0.4"), "not_listed"),
        (outside(f.ip4() / f.tcp(81)), "not_listed"),
        (outside(f.ip4("192.168.25.99") / f.tcp()), "not_listed"),
        (outside(f.ip4(NEAR[4]) / f.tcp()), "not_listed"),
        (outside(f.ip4() / f.echo4()), "not_listed"),
        (outside(six), "not_listed"),  # the file lists it at the IPv6 address
        (outside(f.ip4(frag=9, id=77) / Raw(b"x" * 16)), "fragment_passed"),
        (outside(f.ip4(ihl=4) / f.tcp()), "not_listed"),
        (outside(four)[:60], "malformed"),
        (outside(f.ip4(len=2000) / f.tcp()), "not_listed"),
        (outside(four, flags="MF"), "fragment_passed"),
        (outside(error4(quote(reply(), source="192.168.25.99"))), "not_listed"),
        (bytes(Ether(dst=BACKEND_MAC[HOST]) / f.ip4(NEAR[4])[IP] / f.tcp()), "not_listed"),
    ]
    for frame, reason in stray:
        equal(at_backend(role, frame), (PASS, frame, reason), frame.hex())
    equal(sum(role.restores().values()), len(rows), "by row")


@test("undone: inner fragments come out, later ones like the first")
def fragments(world):
    role = fresh(world, setting(forward="ipip"))
    whole = f.ip4() / f.udp(payload=b"x" * 64)
    for part in fragment(whole[IP], 32):
        packet = f.ether() / part
        equal(at_backend(role, outside(packet)), (PASS, plain(packet), "decapsulated"),
              packet.summary())
    stray = outside(f.ip4(NEAR[4], flags="MF", id=9) / f.udp())
    equal(at_backend(role, stray), (PASS, stray, "not_listed"), "for no service")


@test("undone: xdp_bkd carries congestion marks in (RFC 6040), or leaves the packet to the kernel")
def congestion(world):
    role = fresh(world, setting(forward="ipip"))
    becomes = {(0, 3): None, (2, 3): 3, (1, 3): 3, (3, 0): 3, (2, 1): 1, (1, 2): 1, (2, 2): 2,
               (0, 1): 0, (0, 2): 0}
    for (inner, outer), ecn in becomes.items():
        four, six = f.ip4(tos=0xB8 | inner) / f.tcp(), f.ip6() / f.tcp()
        six[IPv6].tc = 0xB8 | inner
        for packet, frame in ((four, outside(four, tos=outer)),
                              (six, outside(six, LB6, NEAR[6], tc=outer))):
            wanted = Ether(plain(packet))
            if ecn is None:
                equal(at_backend(role, frame), (PASS, frame, "congestion_lost"), "inside 0")
                continue
            if IP in wanted:
                wanted[IP].tos = 0xB8 | ecn
                del wanted[IP].chksum
            else:
                wanted[IPv6].tc = 0xB8 | ecn
            equal(at_backend(role, frame), (PASS, bytes(wanted), "decapsulated"),
                  f"{inner} in {outer}")


@test("undone: xdp_bkd: dscp restores packets with the mark, and no others")
def marked(world):
    other = "192.168.25.11"
    role = fresh(world, configuration(
        service([NEAR[4]], VIP, forward="dscp", dscp=10),
        service([NEAR[4]], other, forward="dscp", dscp=11),
        service([NEAR[4]], "192.168.25.12", 81)))
    for tos, port, vip in ((10 << 2, 80, VIP), (11 << 2, 80, other), (10 << 2 | 3, 80, VIP),
                           (10 << 2, 81, "192.168.25.12"), (0, 81, "192.168.25.12"),
                           (0, 80, None), (12 << 2, 80, None), (10 << 2, 22, None)):
        packet = Ether(arrives(bytes(f.ip4(NEAR[4], tos=tos) / f.tcp(port))))
        wanted = Ether(bytes(packet))
        if vip:
            wanted[IP].dst = vip
            wanted[IP].tos = tos & 3 if port == 80 else tos
            del wanted[IP].chksum
        equal(at_backend(role, bytes(packet)),
              (PASS, bytes(wanted), "restored" if vip else "not_listed"), f"{tos}, port {port}")
    echo = arrives(bytes(f.ip4(NEAR[4], tos=40) / f.echo4()))
    equal(at_backend(role, echo), (PASS, echo, "not_listed"), "a ping with the mark")


@test("undone: xdp_bkd: l2: packets are for the VIP already, and are counted")
def direct(world):
    role = fresh(world, setting(forward="l2").replace(LINK[4], NEAR[4]).replace(LINK[6], NEAR[6]))
    for packet, reason in ((f.ip4() / f.tcp(), "delivered"), (f.ip6() / f.udp(), "delivered"),
                           (error4(quote(reply())), "delivered"), (f.ip4() / f.tcp(81), "not_listed"),
                           (f.ip4(NEAR[4]) / f.tcp(), "not_listed")):
        frame = arrives(bytes(packet))
        equal(at_backend(role, frame), (PASS, frame, reason), packet.summary())
    equal(sum(role.restores().values()), 3, "by row")


@test("undone: xdp_bkd: what left the file is restored during its grace, by its method")
def grace(world):
    world.apply(setting(forward="ipip"))
    role = fresh(world, setting(forward="ipip"))
    four = f.ip4() / f.tcp()
    role("apply", world.file("lb-sources: ['172.17.0.2']\n" + configuration(
        service([NEAR[4]], VIP, 9))))
    equal(at_backend(role, outside(four))[2], "decapsulated", "within the grace")
    role("apply", world.file(configuration(service([NEAR[4]], VIP, 9))))
    equal(at_backend(role, outside(four))[2], "foreign_source", "no lb-sources")
