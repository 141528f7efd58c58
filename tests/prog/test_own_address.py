# SPDX-License-Identifier: GPL-2.0-only
"""restore: tc, where the host has no socket for the VIP: what bkd_in and bkd_out make of
packets, with scapy as the oracle. Nothing changes but the one address and the sums."""

import contextlib

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6DestUnreach, ICMPv6PacketTooBig, IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Raw

import frames as f
from network import CLIENT, CLIENT6, VIP, VIP6, Program, at_own, service
from tap import equal, test
from transition import HOST, NEAR, NEAR6, came, fresh, sockets

PASSED = 0xffffffff  # TC_ACT_UNSPEC
FAMILIES = (IP, CLIENT, VIP, NEAR), (IPv6, CLIENT6, VIP6, NEAR6)
ROUTER = {IP: "198.51.100.1", IPv6: "2001:db8:99::1"}
DSCP = {"forward": "dscp", "dscp": 10}


@contextlib.contextmanager
def programs(world, **keys):
    """Both programs, with services of both families and protocols."""
    role = fresh(world, *(service([at_own(own)], vip, port, protocol, **keys)
                          for _, _, vip, own in FAMILIES
                          for port, protocol in ((8088, "tcp"), (7788, "udp"))))
    link = f"{role.pins}/link-eth0"
    comes, leaves = Program(HOST, link, "behind"), Program(HOST, link, "leaving")
    try:
        yield comes, leaves, role
    finally:
        comes.close()
        leaves.close()


def whole(packet):
    """A frame of it, with all sums by scapy."""
    return Ether(bytes(f.ether() / packet))


def turned(packet, side, address):
    """What it is to become: `side`, src or dst, is that address."""
    packet = packet.copy()
    inside = packet
    while inside:
        for sum_ in "chksum", "cksum":
            if sum_ in inside.fields and not (isinstance(inside, UDP) and not inside.chksum):
                delattr(inside, sum_)
        inside = inside.payload
    layer = packet[IP] if IP in packet else packet[IPv6]
    setattr(layer, side, address)
    return bytes(packet)


def becomes(program, frame, wanted, what):
    [(action, out)] = program.run([bytes(frame)])
    equal(action, PASSED, what)
    equal(out.hex(), bytes(wanted).hex(), what)


def above(kind, sport, dport, payload, **fields):
    return kind(sport=sport, dport=dport, **fields) / Raw(payload)


PORTS = {TCP: 8088, UDP: 7788}


@test("own address: VIP to own address, and back; sums are true, whatever the payload")
def both_ways(world):
    for keys in {}, DSCP:
        with programs(world, **keys) as (comes, leaves, _):
            for ip, client, vip, own in FAMILIES:
                for kind, port in PORTS.items():
                    for payload in b"", b"x", b"odd payload", bytes(1400):
                        what = f"{keys} {vip} {kind.__name__} {len(payload)}"
                        frame = whole(ip(src=client, dst=vip) / above(kind, 4000, port, payload))
                        becomes(comes, frame, turned(frame, "dst", own), what)
                        frame = whole(ip(src=own, dst=client) / above(kind, port, 4000, payload))
                        becomes(leaves, frame, turned(frame, "src", vip), f"{what}: back")


@test("own address: no UDP checksum stays none, both ways")
def no_sum(world):
    with programs(world) as (comes, leaves, _):
        frame = whole(IP(src=CLIENT, dst=VIP) / above(UDP, 4000, 7788, b"no sum", chksum=0))
        becomes(comes, frame, turned(frame, "dst", NEAR), "comes")
        frame = whole(IP(src=NEAR, dst=CLIENT) / above(UDP, 7788, 4000, b"no sum", chksum=0))
        becomes(leaves, frame, turned(frame, "src", VIP), "leaves")


@test("own address: of other ports and flows nothing changes; by rewrite, of other flows all")
def others(world):
    for keys in {}, DSCP:
        with programs(world, **keys) as (comes, leaves, _):
            for ip, client, vip, own in FAMILIES:
                for to, port in (vip, 81), (own, 8088):
                    frame = whole(ip(src=client, dst=to) / above(TCP, 4000, port, b""))
                    becomes(comes, frame, frame, f"{keys} to {to}:{port}")
                frame = whole(ip(src=own, dst=client) / above(TCP, 22, 4000, b""))
                becomes(leaves, frame, frame, f"{keys} SSH")
                # A flow that did not come by a load balancer.
                frame = whole(ip(src=own, dst=client) / above(TCP, 8088, 4999, b""))
                wanted = frame if keys else turned(frame, "src", vip)
                becomes(leaves, frame, wanted, f"{keys} another flow")


def quoting(ip, source, to, quoted, kind):
    """An ICMP error to `to`; `kind`: 4 too big, 3 nobody listens."""
    if ip is IP:
        error = ICMP(type=3, code=kind, nexthopmtu=1400 if kind == 4 else 0)
    else:
        error = ICMPv6PacketTooBig(mtu=1280) if kind == 4 else ICMPv6DestUnreach(code=4)
    return whole(ip(src=source, dst=to) / error / bytes(quoted))


@test("own address: ICMP errors, both ways: outside and inside")
def errors(world):
    for keys in {}, DSCP:
        with programs(world, **keys) as (comes, leaves, _):
            for ip, client, vip, own in FAMILIES:
                for kind, port in PORTS.items():
                    what = f"{keys} {vip} {kind.__name__}"
                    first = whole(ip(src=client, dst=vip) / above(kind, 4000, port, b"hello"))
                    comes.run([bytes(first)])
                    # A router, about a reply.
                    answer = above(kind, port, 4000, b"reply")
                    frame = quoting(ip, ROUTER[ip], vip, ip(src=vip, dst=client) / answer, 4)
                    wanted = quoting(ip, ROUTER[ip], own, ip(src=own, dst=client) / answer, 4)
                    becomes(comes, frame, wanted, f"{what}: to the server")
                    # The host, or a router in front of the server, about a request.
                    asked = above(kind, 4000, port, b"hello")
                    for source, becoming in (own, vip), (ROUTER[ip], ROUTER[ip]):
                        frame = quoting(ip, source, client, ip(src=client, dst=own) / asked, 3)
                        wanted = quoting(ip, becoming, client, ip(src=client, dst=vip) / asked, 3)
                        becomes(leaves, frame, wanted, f"{what}: from {source}")


@test("own address: fragments of UDP, both ways")
def fragments(world):
    with programs(world) as (comes, leaves, _):
        for program, source, to, sport, dport, side, address in (
                (comes, CLIENT, VIP, 4000, 7788, "dst", NEAR),
                (leaves, NEAR, CLIENT, 7788, 4000, "src", VIP)):
            before = IP(src=source, dst=to, id=77) / above(UDP, sport, dport, bytes(3000))
            after = IP(bytes(before))
            setattr(after, side, address)
            del after.chksum, after[UDP].chksum
            data, wanted = bytes(before[UDP]), bytes(IP(bytes(after))[UDP])
            for at in 0, 1400, 2800:
                more = "MF" if at < 2800 else 0
                frame, becoming = (
                    whole(IP(src=ends[0], dst=ends[1], id=77, proto=17, flags=more, frag=at // 8) /
                          Raw(bytes_[at:at + 1400]))
                    for ends, bytes_ in (((source, to), data), ((after.src, after.dst), wanted)))
                becomes(program, frame, becoming, f"{side} at {at}")


# One socket: tcp or udp, its address and port.
ONE = """
import socket, sys
kind, address, port = sys.argv[1:]
six = ":" in address
one = socket.socket(socket.AF_INET6 if six else socket.AF_INET,
                    socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
one.setsockopt(*((socket.IPPROTO_IPV6, 78) if six else (socket.IPPROTO_IP, 15)), 1)  # FREEBIND
one.bind((address, int(port)))
if kind == "tcp":
    one.listen()
print("ready", flush=True)
sys.stdin.read()
"""


@test("own address: not where the host has a socket that the kernel finds by the VIP")
def has_socket(world):
    with programs(world) as (comes, _, role):
        for ip, client, vip, own in FAMILIES:
            tcp = whole(ip(src=client, dst=vip) / above(TCP, 4000, 8088, b"", flags="S"))
            udp = whole(ip(src=client, dst=vip) / above(UDP, 4000, 7788, b"hello"))
            moved = turned(udp, "dst", own)
            # TCP: one on the own address, once xdp_bkd has noted it.
            with sockets(ONE, "tcp", own, 8089):
                becomes(comes, tcp, turned(tcp, "dst", own), f"{vip}: another port")
            with sockets(ONE, "tcp", own, 8088):
                becomes(comes, tcp, turned(tcp, "dst", own), f"{vip}: not noted")
                role.run([came((f.ip4 if ip is IP else f.ip6)(own) / f.tcp(8088, flags="S"))])
                becomes(comes, tcp, tcp, f"{vip}: noted")
            becomes(comes, tcp, turned(tcp, "dst", own), f"{vip}: closed")
            # UDP: one on the VIP, but not one that would answer from the own address.
            everywhere = "0.0.0.0" if ip is IP else "::"
            for at, wanted in (vip, udp), (everywhere, moved), (own, moved):
                with sockets(ONE, "udp", at, 7788):
                    becomes(comes, udp, wanted, f"{vip}: UDP on {at}")
