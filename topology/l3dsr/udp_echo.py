#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""udp_echo.py PORT ADDRESS...: answers each datagram with this host's name, a
space and what came. One socket per address: a reply leaves from the address
that was asked, which a wildcard socket does not promise. Goes to the
background when it can be used."""

import ipaddress
import os
import selectors
import signal
import socket
import sys


def listen(address, port):
    family = socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    sock.setblocking(False)
    sock.bind((address, port))
    return sock


def answer(sock, name):
    """Answer everything that waits on one socket; a client that has gone is no error."""
    while True:
        try:
            data, client = sock.recvfrom(65536)
        except BlockingIOError:
            return
        except OSError:
            continue
        try:
            sock.sendto(name + b" " + data, client)
        except OSError as error:
            print(f"{client[0]}: {error}", file=sys.stderr, flush=True)


def main():
    port, addresses = int(sys.argv[1]), sys.argv[2:]
    selector = selectors.DefaultSelector()
    for address in addresses:
        selector.register(listen(address, port), selectors.EVENT_READ)
    if os.fork():
        os._exit(0)
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    name = socket.gethostname().encode()
    while True:
        for key, _ in selector.select():
            answer(key.fileobj, name)


main()
