# SPDX-License-Identifier: GPL-2.0-only
"""segment.py: the checksum of RFC 1071, and TCP segments without data."""

import socket
import struct


def checksum(data):
    """Of an even number of bytes."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return 0xFFFF - (total + (total >> 16) & 0xFFFF)


def segment(addresses, ports, sequence, acknowledged, flags):
    """`addresses`: source and destination of the pseudo header, one behind the other;
    `ports`: the pair of them."""
    tcp = struct.pack("!HHIIBBHHH", *ports, sequence, acknowledged, 0x50, flags, 1000, 0, 0)
    pseudo = addresses + struct.pack("!II", len(tcp), socket.IPPROTO_TCP)
    return tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]
