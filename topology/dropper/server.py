#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""server.py [PORT]: prints each segment that comes to the port, as a packet
socket sees it behind XDP, and each byte that TCP delivers; one a line, with the
port that it comes from. PORT: 8080."""

import selectors
import socket
import struct
import sys

ETH_P_ALL, PACKET_HOST = 3, 0
FLAGS = ((0x02, "SYN"), (0x01, "FIN"), (0x04, "RST"))


def segment(frame, port):
    """(source port, sequence number, flags, data) of TCP to the port, or None."""
    ethertype = frame[12:14]
    if ethertype == b"\x08\x00" and frame[23] == socket.IPPROTO_TCP:
        transport = 14 + (frame[14] & 15) * 4
        end = 14 + struct.unpack_from("!H", frame, 16)[0]
    elif ethertype == b"\x86\xdd" and frame[20] == socket.IPPROTO_TCP:
        transport = 54
        end = 54 + struct.unpack_from("!H", frame, 18)[0]
    else:
        return None
    source, destination, number = struct.unpack_from("!HHI", frame, transport)
    if destination != port:
        return None
    data = frame[transport + (frame[transport + 12] >> 4) * 4:end]
    names = [name for bit, name in FLAGS if frame[transport + 13] & bit]
    return source, number, names, data


def seen(sock, port):
    """All segments that have arrived so far, so that they are printed before what TCP delivers."""
    while True:
        try:
            frame, address = sock.recvfrom(65536)
        except BlockingIOError:
            return
        found = segment(frame, port) if address[2] == PACKET_HOST else None
        if not found:
            continue
        source, number, names, data = found
        said = names + ([repr(data.decode("latin-1"))] if data else [])
        print(f"{source} segment {number} {'odd' if number % 2 else 'even'}",
              " ".join(said) or "ACK", flush=True)


def delivered(sock, selector):
    source = selector.get_key(sock).data
    try:
        data = sock.recv(4096)
    except OSError:
        data = b""
    for byte in data:
        print(f"{source} TCP delivers {chr(byte)!r}", flush=True)
    if not data:
        selector.unregister(sock)
        sock.close()


def main():
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    wire.setblocking(False)
    listener = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    selector = selectors.DefaultSelector()
    selector.register(wire, selectors.EVENT_READ)
    selector.register(listener, selectors.EVENT_READ)
    print(f"listening on port {port}", flush=True)
    while True:
        for key, _ in selector.select():
            seen(wire, port)
            if key.fileobj is listener:
                sock, address = listener.accept()
                selector.register(sock, selectors.EVENT_READ, address[1])
            elif key.fileobj is not wire:
                delivered(key.fileobj, selector)


try:
    main()
except KeyboardInterrupt:
    pass
