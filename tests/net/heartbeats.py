#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
heartbeats.py - heartbeats from the description in common/heartbeat/wire.h, without our code

heartbeats.py hear COUNT            prints so many that come to the default groups, in hex
heartbeats.py send TO [PAUSE]       sends what stdin has, a line of hex each
heartbeats.py make HOST KEY VIP PORT BACKEND STATE [AHEAD [COUNT]]
                                    prints COUNT of one run, each 0.1 s later than the one before;
                                    the first one's clock is AHEAD seconds before this host's
"""
import hashlib
import hmac
import ipaddress
import os
import select
import socket
import struct
import sys
import time

PORT = 4242
GROUPS = ("239.0.0.1", "ff15::4242")


def packed(text):
    address = ipaddress.ip_address(text)
    return address.packed if address.version == 6 else b"\0" * 10 + b"\xff\xff" + address.packed


def sockets():
    for group in GROUPS:
        ipv6 = ":" in group
        heard = socket.socket(socket.AF_INET6 if ipv6 else socket.AF_INET, socket.SOCK_DGRAM)
        heard.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        member = socket.inet_pton(heard.family, group)
        if ipv6:
            heard.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            heard.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                             member + struct.pack("@I", socket.if_nametoindex("eth0")))
        else:
            heard.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                             struct.pack("@4s4si", member, b"\0" * 4,
                                         socket.if_nametoindex("eth0")))
        heard.bind(("", PORT))
        yield heard


def hear(count):
    heard = list(sockets())
    while count:
        for ready in select.select(heard, [], [])[0]:
            print(ready.recv(65536).hex(), flush=True)
            count -= 1
            if not count:
                return


def send(to, pause=0.0):
    out = socket.socket(socket.AF_INET6 if ":" in to else socket.AF_INET, socket.SOCK_DGRAM)
    for line in sys.stdin:
        out.sendto(bytes.fromhex(line), (to, PORT))
        time.sleep(pause)


def make(host, key, vip, port, backend, state, ahead, count):
    run = os.urandom(8)
    for i in range(count):
        now = int((time.time() + ahead + i / 10) * 1e6)
        said = b"L3HB\x01\0" + struct.pack(">H8sQQ", 208, run, 1 + i, now) + packed(host) + \
            bytes(32) + struct.pack(">IIIHH", 100, 0, 0, 0, 1) + packed(vip) + packed(backend) + \
            struct.pack(">HBBIII32s", port, 6, state, 0, 0, 0, b"said by hand")
        print((said + hmac.new(bytes.fromhex(key), said, hashlib.sha256).digest()).hex())


def main():
    verb, *rest = sys.argv[1:]
    if verb == "hear":
        hear(int(rest[0]))
    elif verb == "send":
        send(rest[0], *map(float, rest[1:]))
    else:
        ahead, count = (rest[6:] + ["0", "1"][len(rest[6:]):])[:2]
        make(rest[0], rest[1], rest[2], int(rest[3]), rest[4], int(rest[5]), float(ahead),
             int(count))


if __name__ == "__main__":
    main()
