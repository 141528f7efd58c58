#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""client.py SERVER: sends a byte a second, prints it, and at the end how many of
them the server's TCP has acknowledged. Exit status 1: not all.

The kernel chooses the first sequence number, the SYN's: half of them are even.
--first says which it is to be (as CRIU does, by TCP_REPAIR; needs
CAP_NET_ADMIN)."""

import argparse
import fcntl
import random
import socket
import string
import struct
import sys
import time

SEND_QUEUE, REPAIR_OFF = 2, -1
TCP_REPAIR, TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ = 19, 20, 21  # linux/tcp.h
SIOCOUTQ = 0x5411


def arguments():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    p.add_argument("server", metavar="SERVER", help="its address")
    p.add_argument("--port", type=int, default=8080, help="(%(default)s)")
    p.add_argument("--count", type=int, default=10, help="how many bytes (%(default)s)")
    p.add_argument("--pause", type=float, default=1, help="seconds between them (%(default)s)")
    p.add_argument("--patience", type=float, default=5,
                   help="seconds for the server to accept, and to acknowledge (%(default)s)")
    p.add_argument("--first", choices=("odd", "even"), help="the SYN's sequence number")
    return p.parse_args()


def choose_first(sock, parity):
    number = random.randrange(2, 2**31, 2) + (parity == "odd")
    sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR_QUEUE, SEND_QUEUE)
    sock.setsockopt(socket.IPPROTO_TCP, TCP_QUEUE_SEQ, number)
    sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, REPAIR_OFF)


def waiting(sock):
    """The number of bytes that are not acknowledged."""
    return struct.unpack("i", fcntl.ioctl(sock, SIOCOUTQ, bytes(4)))[0]


def main():
    args = arguments()
    family, _, _, _, address = socket.getaddrinfo(args.server, args.port,
                                                  type=socket.SOCK_STREAM)[0]
    sock = socket.socket(family, socket.SOCK_STREAM)
    # Each byte is a segment of its own; and nothing is left to send after we exit.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if args.first:
        choose_first(sock, args.first)
    sock.bind(("", 0))
    sock.settimeout(args.patience)
    print(f"from port {sock.getsockname()[1]}", flush=True)
    try:
        sock.connect(address)
    except OSError as why:
        print(f"not connected: {why}", flush=True)
        return 1
    print("connected", flush=True)
    for i in range(args.count):
        if i:
            time.sleep(args.pause)
        byte = string.ascii_lowercase[i % 26]
        sock.sendall(byte.encode())
        print(f"sent {byte!r}", flush=True)
    end = time.monotonic() + args.patience
    while waiting(sock) and time.monotonic() < end:
        time.sleep(0.01)
    left = waiting(sock)
    print(f"{args.count} bytes sent, {args.count - left} acknowledged", flush=True)
    return 1 if left else 0


try:
    sys.exit(main())
except KeyboardInterrupt:
    sys.exit(130)
