#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""states.py serve LOG: on a backend: four listeners of port 8088 (SO_REUSEPORT); says
in LOG what it has got from each connection, and how it ended.

states.py ask VIP...: on the client: brings a connection into each state, prints
"ready", and goes on when it gets a line: prints how each of them went on, and what
packets of no flow were answered with."""

import os
import select
import socket
import struct
import sys
import threading

from segment import segment

PORT, CLOSED, MANY = 8088, 8089, 50_000
LIMIT = 10 * int(os.environ.get("PATIENCE", "3"))
RESET = struct.pack("ii", 1, 0)


def line(connection):
    got = b""
    while not got.endswith(b"\n"):
        got += connection.recv(1)
    return got.decode().strip()


def served(connection, log):
    """One connection, by the name of its state, which comes first."""
    name, size, end = line(connection), 0, "EOF"
    if name == "closed by the server":
        connection.close()
        return
    if name == "half closed by the server":
        connection.shutdown(socket.SHUT_WR)
    try:
        while data := connection.recv(65536):
            size += len(data)
            if not name.startswith("half"):
                connection.sendall(data)
    except ConnectionResetError:
        end = "reset"
    print(f"server: {name}: {size} bytes, {end}", file=log, flush=True)
    if name == "half closed by the client":
        connection.sendall(b"x" * 4 * MANY)
    connection.close()


def accepted(listener, log):
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=served, args=(connection, log), daemon=True).start()


def serve(path):
    with open(path, "a", encoding="ascii") as log:
        for _ in range(4):
            one = socket.socket(socket.AF_INET6)
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 5)
            one.bind(("::", PORT))
            one.listen()
            threading.Thread(target=accepted, args=(one, log), daemon=True).start()
        threading.Event().wait()


def opened(vip, name, port=0, fast=False):
    one = socket.socket(socket.AF_INET6 if ":" in vip else socket.AF_INET)
    one.settimeout(LIMIT)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    one.bind(("", port))
    if fast:
        one.sendto(name.encode() + b"\n", socket.MSG_FASTOPEN, (vip, PORT))
    else:
        one.connect((vip, PORT))
        one.sendall(name.encode() + b"\n")
    return one


def received(one, size=1 << 30):
    got = 0
    while got < size and (data := one.recv(65536)):
        got += len(data)
    return f"{got} bytes"


def echoed(one, size=MANY):
    got = []
    reader = threading.Thread(target=lambda: got.append(received(one, size)))
    reader.start()
    one.sendall(b"x" * size)
    reader.join()
    one.close()
    return f"{got[0]} echoed"


class Asked:
    """Connections to a VIP, one in each state."""

    def __init__(self, vip):
        self.vip = vip
        self.established = [opened(vip, "established") for _ in range(8)]
        self.fast = opened(vip, "opened fast", fast=True)
        for one in [*self.established, self.fast]:
            one.sendall(b"hello")
            received(one, 5)
        self.by_client = opened(vip, "half closed by the client")
        self.by_client.shutdown(socket.SHUT_WR)
        self.by_client.recv(1)
        self.by_server = opened(vip, "half closed by the server")
        received(self.by_server)
        self.reset = opened(vip, "reset by the client")
        self.reset.sendall(b"hello")
        received(self.reset, 5)
        self.gone = []
        for _ in range(2):
            one = opened(vip, "closed by the server")
            received(one)
            self.gone.append(one.getsockname()[1])
            one.close()

    def goes_on(self):
        for one in self.established:
            yield "established", echoed(one)
        options = self.fast.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8)[5]
        yield "opened fast", f"{echoed(self.fast)}, data in the SYN: {bool(options & 32)}"
        yield "half closed by the client", received(self.by_client)
        self.by_server.sendall(b"x" * MANY)
        self.by_server.close()
        self.reset.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.reset.close()
        yield "a port again", echoed(opened(self.vip, "the port again", self.gone[0]))
        one = socket.socket(self.established[0].family)
        yield "nobody listens", one.connect_ex((self.vip, CLOSED))
        yield from self.strays()

    def strays(self):
        """Flags of a packet of no flow, or of one that the server has closed, and what
        is answered."""
        family = self.established[0].family
        raw = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_TCP)
        raw.connect((self.vip, 0))
        ends = b"".join(socket.inet_pton(family, name) for name in (
            raw.getsockname()[0], self.vip))
        wanted = {2000: 0x04, 2001: 0x10, 2002: 0x11, 2003: 0x18, 2004: 0x12,
                  self.gone[1]: 0x10}
        for port, flags in wanted.items():
            raw.send(segment(ends, (port, PORT), 7, 9, flags))
        answers = {}
        while len(answers) < len(wanted) - 1 and select.select([raw], [], [], LIMIT)[0]:
            got = raw.recv(2000)
            got = got[(got[0] & 15) * 4:] if family == socket.AF_INET else got
            source, port, seq, ack, _, flags = struct.unpack_from("!HHIIBB", got)
            if source == PORT and port in wanted:
                answers[port] = f"flags {flags:#x}" + (f", {seq} {ack}" if port < 2006 else "")
        for port, flags in wanted.items():
            what = "of no flow" if port < 2006 else "closed by the server"
            yield f"{what}, flags {flags:#x}", answers.get(port, "no answer")


def ask(*vips):
    asked = [Asked(vip) for vip in vips]
    print("ready", flush=True)
    sys.stdin.readline()
    for one in asked:
        for what, outcome in one.goes_on():
            print(f"{one.vip}: {what}: {outcome}")
    print("end", flush=True)


{"serve": serve, "ask": ask}[sys.argv[1]](*sys.argv[2:])
