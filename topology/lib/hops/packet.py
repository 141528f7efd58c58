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


class Packet:
    """The fields of a frame that are shown, by name; None if the frame has no such
    field."""

    def __init__(self, frame, partial=False):
        self.ether = Ether(frame)
        self.partial = partial
        self.ip = self.ether.getlayer(IP) or self.ether.getlayer(IPv6)
        self.l4 = self.ip and (self.ip.getlayer(TCP) or self.ip.getlayer(UDP))
        if not self.l4 or getattr(self.ip, "frag", 0):
            raise ValueError("neither TCP nor UDP")
        self.version = self.ip.version
        self.protocol = "TCP" if isinstance(self.l4, TCP) else "UDP"
        self.smac, self.dmac = self.ether.src, self.ether.dst
        self.src, self.dst = self.ip.src, self.ip.dst
        self.ttl = self.ip.ttl if self.version == 4 else self.ip.hlim
        self.sport, self.dport = self.l4.sport, self.l4.dport
        self.flags = str(self.l4.flags) if self.protocol == "TCP" else ""
        self.segment = self.l4.original  # without padding
        self.data = self.segment[self.l4.dataofs * 4 if self.protocol == "TCP" else 8:]
        self.sum = self.l4.chksum
        self.ip_sum = self.ip.chksum if self.version == 4 else None

    def ident(self):
        """What identifies a packet in two captures: no hop may change it."""
        return (self.version, self.protocol, self.sport, self.dport,
                self.ip.id if self.version == 4 else self.ip.fl,
                (self.l4.seq, self.l4.ack, self.flags) if self.protocol == "TCP" else (),
                self.data)

    def ip_word(self):
        if self.version == 6:
            return None
        header = bytearray(self.ip.original[:self.ip.ihl * 4])
        header[10:12] = b"\0\0"
        return TRUE if checksum(bytes(header)) == self.ip_sum else WRONG

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


def ports(frame):
    """(source, destination) of a TCP or UDP frame, or None; cheap."""
    kind, = struct.unpack_from("!H", frame, 12) if len(frame) >= 14 else (0,)
    if kind == 0x0800 and len(frame) >= 34 and frame[23] in (6, 17):
        start = 14 + (frame[14] & 15) * 4
    elif kind == 0x86DD and len(frame) >= 54 and frame[20] in (6, 17):
        start = 54
    else:
        return None
    return struct.unpack_from("!HH", frame, start) if len(frame) >= start + 4 else None
