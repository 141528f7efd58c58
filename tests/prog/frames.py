# SPDX-License-Identifier: GPL-2.0-only
"""Frames: a few of each kind, built by scapy, and many more made from those."""

import struct

from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_NOP, IPOption_Timestamp
from scapy.layers.inet6 import (
    ICMPv6EchoRequest, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop, IPv6ExtHdrRouting, PadN,
)
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from network import CLIENT, CLIENT6, CLIENT_MAC, LB_MAC, VIP, VIP6
from oracle import ETHER, pseudo, total

SYN, ACK, PUSH, RST, FIN = 0x02, 0x10, 0x18, 0x04, 0x11
PAYLOAD = b"GET / HTTP/1.0\r\n\r\n"


def ether():
    return Ether(dst=LB_MAC, src=CLIENT_MAC)


def ip4(dst=VIP, **fields):
    return ether() / IP(src=CLIENT, dst=dst, **{"id": 0x1234, **fields})


def ip6(dst=VIP6, **fields):
    return ether() / IPv6(src=CLIENT6, dst=dst, fl=0x12345, tc=0, **fields)


def tcp(dport=80, flags="PA", payload=PAYLOAD, **fields):
    seq = 6 if flags == "S" else 7  # both belong to the same flow
    return TCP(sport=40000, dport=dport, flags=flags, seq=seq, ack=9, **fields) / Raw(payload)


def udp(dport=7777, payload=b"hello, backend"):
    return UDP(sport=40000, dport=dport) / Raw(payload)


def echo4(payload=b"ping", **fields):
    return ICMP(type=8, id=77, seq=1, **fields) / Raw(payload)


def echo6(payload=b"ping"):
    return ICMPv6EchoRequest(id=77, seq=1, data=payload)


TCP_OPTIONS = [("MSS", 1460), ("SAckOK", b""), ("Timestamp", (1, 0)), ("NOP", None), ("WScale", 7)]


def padded_options():
    return [PadN(otype=1, optdata=b"\0\0\0\0")]


def ip_options():
    return [IPOption_NOP(), IPOption_Timestamp(length=8, pointer=5, timestamp=1)]


def headers6(size=0):
    """IPv6 extension headers that a packet may have and still be forwarded."""
    return {
        "hop-by-hop": IPv6ExtHdrHopByHop(options=padded_options()),
        "destination options": IPv6ExtHdrDestOpt(options=[PadN(optdata=b"\0" * (4 + size))]),
        "routing, none left": IPv6ExtHdrRouting(addresses=[CLIENT6], segleft=0),
        "atomic fragment": IPv6ExtHdrFragment(offset=0, m=0, id=5),
    }


def templates():
    """One frame of each kind that xdp_lbr forwards or answers: {name: bytes}"""
    many = IPv6ExtHdrHopByHop(options=padded_options()) / IPv6ExtHdrDestOpt(
        options=padded_options()) / IPv6ExtHdrFragment(id=5)
    packets = {
        "IPv4 TCP": ip4() / tcp(),
        "IPv4 TCP SYN": ip4() / tcp(flags="S", options=TCP_OPTIONS, payload=b""),
        "IPv4 options, TCP": ip4(options=ip_options()) / tcp(),
        "IPv4 UDP": ip4() / udp(),
        "IPv4 options, UDP": ip4(options=ip_options()) / udp(),
        "IPv4 echo": ip4() / echo4(),
        "IPv6 TCP": ip6() / tcp(),
        "IPv6 TCP SYN": ip6() / tcp(flags="S", options=TCP_OPTIONS, payload=b""),
        "IPv6 UDP": ip6() / udp(),
        "IPv6 echo": ip6() / echo6(),
        "IPv6 three headers, UDP": ip6() / many / udp(),
        "IPv6 three headers, echo": ip6(nh=0) / many / echo6(),
    }
    for name, header in headers6().items():
        packets[f"IPv6 {name}, TCP"] = ip6() / header / tcp()
    return {name: bytes(packet) for name, packet in packets.items()}


class Flows:
    """Many flows of a service: one template, patched. The checksum above IP is not
    updated; nothing on the path verifies it."""

    def __init__(self, port=80, udp_payload=None, ipv6=False):
        layer = ip6() if ipv6 else ip4()
        self.is_udp = udp_payload is not None
        layer /= udp(port, udp_payload) if self.is_udp else tcp(port, "S", b"")
        self.template = bytearray(bytes(layer))
        self.l4 = ETHER + (40 if ipv6 else 20)

    def frame(self, sport, flags=0, seq=7):
        """`seq`: sequence number of the SYN; later packets continue from there."""
        frame = self.template
        struct.pack_into("!H", frame, self.l4, sport)
        if not self.is_udp:
            seq += flags & (SYN | ACK) != SYN
            struct.pack_into("!I", frame, self.l4 + 4, seq & 0xFFFFFFFF)
            frame[self.l4 + 13] = flags
        return bytes(frame)

    def frames(self, sports, flags=0):
        return [self.frame(sport, flags) for sport in sports]


def write_sums(frame, l4, protocol):
    """Computes every checksum of a frame (a bytearray) from scratch."""
    if frame[12:14] == b"\x08\x00":
        end = ETHER + (frame[14] & 15) * 4
        frame[24:26] = b"\0\0"
        struct.pack_into("!H", frame, 24, 0xFFFF - total(bytes(frame[ETHER:end])))
    at = l4 + (16 if protocol == 6 else 6)
    frame[at : at + 2] = b"\0\0"
    cover = pseudo(bytes(frame), protocol, len(frame) - l4) + bytes(frame[l4:])
    value = 0xFFFF - total(cover)
    struct.pack_into("!H", frame, at, value or (0xFFFF if protocol == 17 else 0))
