#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""junk_acks.py VIP ADDRESS MAC COUNT TTL...: on the router, sends COUNT ACKs of no flow
for each TTL to a backend (ADDRESS, MAC), each from a port of its own, and looks
at what comes back on that interface until each is answered. Prints a line for each
TTL: how often the ACKs were passed on, and how many RSTs each was answered with:

    TTL 17: 2000 passed on 1 times, answered 1 times
"""

import collections
import os
import socket
import struct
import sys

from segment import checksum, segment

vip, near, mac, count = sys.argv[1:4] + [int(sys.argv[4])]
FAMILY = socket.AF_INET6 if ":" in vip else socket.AF_INET
SIX = FAMILY == socket.AF_INET6
CLIENT = socket.inet_pton(FAMILY, "2001:db8:17::4" if SIX else "172.17.0.4")
VIP, NEAR = socket.inet_pton(FAMILY, vip), socket.inet_pton(FAMILY, near)
TCP = 14 + (40 if SIX else 20)  # where it begins in a frame
AT_ONCE, FIRST, ACK, RST = 64, 2000, 0x10, 0x04

wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x86DD if SIX else 0x0800))
wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
wire.bind(("eth1", 0))
wire.settimeout(10 * int(os.environ.get("PATIENCE", "3")))
ETHER = bytes.fromhex(mac.replace(":", "")) + wire.getsockname()[4]


def junk(port, ttl):
    """A load balancer has put the backend's address in the place of the VIP's; the
    TCP checksum still says the VIP."""
    tcp = segment(CLIENT + VIP, (port, 80), 1, 1, ACK)
    if SIX:
        return ETHER + struct.pack("!HIHBB", 0x86DD, 6 << 28, len(tcp), 6, ttl) + CLIENT + NEAR + tcp
    head = struct.pack("!BBHIBBH", 0x45, 0, 40, 0, ttl, 6, 0) + CLIENT + NEAR
    return (ETHER + b"\x08\x00" + head[:10] + struct.pack("!H", checksum(head)) + head[12:] + tcp)


def comes(passed, answered):
    """One packet that a backend has sent."""
    frame, (_, _, kind, *_) = wire.recvfrom(2000)
    if kind == socket.PACKET_OUTGOING or len(frame) < TCP + 20 or frame[23 if not SIX else 20] != 6:
        return
    source, destination = struct.unpack_from("!HH", frame, TCP)
    if destination == 80:
        passed[source] += 1
    elif source == 80 and frame[TCP + 13] & RST:
        answered[destination] += 1


def sent(ttl):
    passed, answered = collections.Counter(), collections.Counter()
    ports = range(FIRST, FIRST + count)
    for at, port in enumerate(ports):
        while at - len(answered) >= AT_ONCE:
            comes(passed, answered)
        wire.send(junk(port, ttl))
    while len(answered) < count:
        comes(passed, answered)
    fates = collections.Counter((passed[port], answered[port]) for port in ports)
    for (passes, answers), many in sorted(fates.items()):
        print(f"TTL {ttl}: {many} passed on {passes} times, answered {answers} times")


for each in sys.argv[5:]:
    sent(int(each))
wire.settimeout(0.2)
try:
    while True:
        late = (collections.Counter(), collections.Counter())
        comes(*late)
        assert not any(late), "something still goes round"
except TimeoutError:
    pass
