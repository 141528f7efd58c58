#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""offender.py VIP tcp|udp TTL: sends one packet with this TTL and prints what
the kernel was told of it: who said it, and the ICMP type and code. That is all
there is of traceroute; the kernel believes nothing whose checksum is false or
that quotes a packet which it has not sent."""

import select
import socket
import struct
import sys

IP_RECVERR, IPV6_RECVERR = 11, 25


def main():
    vip, protocol, ttl = sys.argv[1], sys.argv[2], int(sys.argv[3])
    is_ipv6 = ":" in vip
    sock = socket.socket(socket.AF_INET6 if is_ipv6 else socket.AF_INET,
                         socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM)
    sock.setblocking(False)
    if is_ipv6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, ttl)
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
    else:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
        sock.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
    sock.connect_ex((vip, 80 if protocol == "tcp" else 7777))
    if protocol == "udp":
        sock.send(b"hello")
    poll = select.poll()
    poll.register(sock, 0)  # errors only
    if not poll.poll(3000):
        sys.exit("nothing was said")
    _, ancillary, _, _ = sock.recvmsg(512, 512, socket.MSG_ERRQUEUE)
    [(_, _, error)] = [row for row in ancillary if row[1] in (IP_RECVERR, IPV6_RECVERR)]
    _, _, kind, code = struct.unpack_from("=IBBB", error)
    at = 16 + (8 if is_ipv6 else 4)
    family = socket.AF_INET6 if is_ipv6 else socket.AF_INET
    size = 16 if is_ipv6 else 4
    print(socket.inet_ntop(family, error[at : at + size]), kind, code)


main()
