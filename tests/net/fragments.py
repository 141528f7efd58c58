#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""fragments.py VIP COUNT ORDER [SOURCE]: on the client, datagrams of three fragments to
the UDP echo, each from a port of its own; prints how many come back whole.

ORDER: `kernel` (it cuts and sends them), `first` (the first fragment first,
the rest in any order), `early` (another one before the first)"""

import random
import socket
import sys

from scapy.layers.inet import IP, UDP, fragment
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment, fragment6
from scapy.layers.l2 import Ether
from scapy.packet import Raw

PORT, SIZE, PIECE = 7777, 4000, 1480
MACS = {"dst": "02:42:ac:11:00:02", "src": "02:42:ac:11:00:04"}  # lbdsr0a, curlybox01


def pieces(data, vip, source, ident):
    """The datagram's fragments, as the client's kernel would cut them."""
    udp = UDP(sport=source[1], dport=PORT) / Raw(data)
    if ":" in vip:
        packet = IPv6(src=source[0], dst=vip) / IPv6ExtHdrFragment(id=ident) / udp
        return fragment6(packet, PIECE)
    return fragment(IP(bytes(IP(src=source[0], dst=vip, id=ident) / udp)), PIECE - 20)


def ordered(cut, order):
    first, *rest = cut
    assert len(rest) >= 2
    random.shuffle(rest)
    return [first, *rest] if order == "first" else [rest[0], first, *rest[1:]]


def main():
    vip, count, order = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    family = socket.AF_INET6 if ":" in vip else socket.AF_INET
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    wire.bind(("eth0", 0))
    sent = {}
    # two datagrams with one ident would be one packet
    for ident in random.sample(range(1, 1 << 16), count):
        sock = socket.socket(family, socket.SOCK_DGRAM)
        sock.settimeout(2)
        if len(sys.argv) > 4:
            sock.bind((sys.argv[4], 0))
        sock.connect((vip, PORT))
        data = sent[sock] = random.randbytes(SIZE)
        if order == "kernel":
            sock.send(data)
            continue
        for piece in ordered(pieces(data, vip, sock.getsockname(), ident), order):
            wire.send(bytes(Ether(**MACS) / piece))
    whole = 0
    for sock, data in sent.items():
        try:
            whole += sock.recv(65536).partition(b" ")[2] == data
        except OSError:
            break  # the other datagrams have waited as long
    print(whole)


main()
