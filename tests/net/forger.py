#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""forger.py VIP PORT FILE: a server whose answer comes behind what others may forge: errors
that say that the packet was not let through, or that nobody has the port, and another answer.
Writes into FILE how many answers it has sent, and its pid."""

import os
import socket
import struct
import sys
import time

from segment import checksum


def error_v4(code, own, vip, ports):
    udp = struct.pack("!HHHH", *ports, 13, 0)
    error = struct.pack("!BBHIBBHHHBBH", 3, code, 0, 0, 0x45, 0, 33, 0, 0, 60, 17, 0) + \
        own + vip + udp
    return error[:2] + struct.pack("!H", checksum(error)) + error[4:]


def error_v6(code, own, vip, ports):
    """The kernel fills in the sum."""
    udp = struct.pack("!HHHH", *ports, 13, 0)
    return struct.pack("!BBHIIHBB", 1, code, 0, 0, 6 << 28, 13, 17, 60) + own + vip + udp


def main():
    vip, port, file = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    family = socket.AF_INET6 if ":" in vip else socket.AF_INET
    server = socket.socket(family, socket.SOCK_DGRAM)
    server.bind((vip, port))
    if family == socket.AF_INET6:
        protocol, codes, error = socket.IPPROTO_ICMPV6, (1, 4), error_v6
    else:
        protocol, codes, error = socket.IPPROTO_ICMP, (13, 3), error_v4
    raw = socket.socket(family, socket.SOCK_RAW, protocol)
    packed, count = socket.inet_pton(family, vip), 0
    while True:
        _, client = server.recvfrom(99)
        own = socket.inet_pton(family, client[0])
        for code in codes:
            raw.sendto(error(code, own, packed, (client[1], port)), (client[0], 0))
        server.sendto(b"other", client)
        time.sleep(0.02)
        server.sendto(b"fine", client)
        count += 1
        with open(file, "w", encoding="ascii") as out:
            out.write(f"{count} {os.getpid()}\n")


if __name__ == "__main__":
    main()
