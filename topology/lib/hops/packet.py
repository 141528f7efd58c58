# SPDX-License-Identifier: GPL-2.0-only
"""Decodes a frame, and verifies its checksums: each is computed again over all that it
covers."""

import socket
import struct

from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.utils import checksum

TRUE, KEPT, PARTIAL, UNFILLED, NONE, WRONG = (
    "true", "kept", "partial", "unfilled", "none", "wrong")


# the IP protocol numbers of packets in packets
INSIDE = {4: 4, 41: 6}


def ip_headers(ether):
    """The IP headers, from the outermost."""
    layer = ether
    while layer := layer.payload:
        if not isinstance(layer, (IP, IPv6)):
            return
        yield layer


class Packet:
    """The fields of a frame that are shown, by name; None if the frame has no such
    field. `ip` is what the client or the server wrote, `outer` what it is in."""

    def __init__(self, frame, partial=False):
        self.ether = Ether(frame)
        self.partial = partial
        *outer, self.ip = [*ip_headers(self.ether)] or [None]
        self.outer = outer[0] if outer else None
        self.l4 = self.ip and (self.ip.getlayer(TCP) or self.ip.getlayer(UDP))
        if not self.l4 or getattr(self.ip, "frag", 0):
            raise ValueError("neither TCP nor UDP")
        self.version = self.ip.version
        self.protocol = "TCP" if isinstance(self.l4, TCP) else "UDP"
        self.smac, self.dmac = self.ether.src, self.ether.dst
        self.src, self.dst, self.ttl, self.ip_sum = end_to_end(self.ip)
        self.outer_src, self.outer_dst, self.outer_ttl, self.outer_sum = (
            end_to_end(self.outer) if self.outer else (None,) * 4)
        self.to = self.outer_dst or self.dst
        self.sport, self.dport = self.l4.sport, self.l4.dport
        self.flags = str(self.l4.flags) if self.protocol == "TCP" else ""
        self.segment = self.l4.original  # without padding
        self.data = self.segment[self.l4.dataofs * 4 if self.protocol == "TCP" else 8:]
        self.sum = self.l4.chksum

    def ident(self):
        """What identifies a packet in two captures: no hop may change it."""
        return (self.version, self.protocol, self.sport, self.dport,
                self.ip.id if self.version == 4 else self.ip.fl,
                (self.l4.seq, self.l4.ack, self.flags) if self.protocol == "TCP" else (),
                self.data)

    def ip_word(self):
        return header_word(self.ip)

    def outer_word(self):
        return header_word(self.outer)

    def pseudo_header(self, dst):
        family = socket.AF_INET if self.version == 4 else socket.AF_INET6
        number = 6 if self.protocol == "TCP" else 17
        return b"".join(socket.inet_pton(family, a) for a in (self.src, dst)) + (
            struct.pack("!II", len(self.segment), number))

    def full_sum(self, dst):
        segment = bytearray(self.segment)
        place = 16 if self.protocol == "TCP" else 6
        segment[place:place + 2] = b"\0\0"
        full = checksum(self.pseudo_header(dst) + bytes(segment))
        return full or (0xFFFF if self.protocol == "UDP" else 0)

    def pseudo_sum(self, dst):
        return ~checksum(self.pseudo_header(dst)) & 0xFFFF

    def l4_word(self, vip):
        """TRUE: correct for the packet as it is. KEPT: correct with the VIP as its
        address. Only the pseudo-header is summed: PARTIAL if the checksum will be
        completed later, UNFILLED if that information is lost."""
        if self.protocol == "UDP" and self.sum == 0:
            return NONE
        if self.partial and self.sum in (self.pseudo_sum(self.dst), self.pseudo_sum(vip)):
            return PARTIAL
        if self.sum == self.full_sum(self.dst):
            return TRUE
        if self.sum == self.full_sum(vip):
            return KEPT
        if self.sum in (self.pseudo_sum(self.dst), self.pseudo_sum(vip)):
            return UNFILLED
        return WRONG


def end_to_end(ip):
    """Source, destination, TTL or hop limit, checksum of a header."""
    if ip.version == 4:
        return ip.src, ip.dst, ip.ttl, ip.chksum
    return ip.src, ip.dst, ip.hlim, None


def header_word(ip):
    if ip is None or ip.version == 6:
        return None
    header = bytearray(ip.original[:ip.ihl * 4])
    header[10:12] = b"\0\0"
    return TRUE if checksum(bytes(header)) == ip.chksum else WRONG


def ports(frame):
    """(source, destination) of a TCP or UDP packet in a frame, or in a packet in it;
    None if there is none; cheap."""
    kind, = struct.unpack_from("!H", frame, 12) if len(frame) >= 14 else (0,)
    version, start = {0x0800: 4, 0x86DD: 6}.get(kind), 14
    while version and len(frame) >= start + (20 if version == 4 else 40):
        if version == 4:
            protocol, start = frame[start + 9], start + (frame[start] & 15) * 4
        else:
            protocol, start = frame[start + 6], start + 40
        if protocol in (6, 17):
            return struct.unpack_from("!HH", frame, start) if len(frame) >= start + 4 else None
        version = INSIDE.get(protocol)
    return None
