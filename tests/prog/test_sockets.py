# SPDX-License-Identifier: GPL-2.0-only
"""Which sockets keep a packet at xdp_bkd while backends are in transition: real
ones, each brought into its state by the host's own TCP; and two hosts that pass
packets to each other, because their files differ. Each flow has a source port of
its own: an earlier one's TIME_WAIT would answer its SYN."""

import contextlib
import struct

from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

import frames as f
from network import BACKEND_MAC, BACK_ROUTER_MAC, CLIENT, CLIENT6, PASS, TX, VIP, VIP6, at_own, \
    backend, configuration, on, service
from oracle import mac
from tap import equal, test
from transition import (
    HOST, NEAR, NEAR6, OTHER, OTHER6, came, elsewhere, filling, fresh, pair, passed_on,
    restored, row, sockets, split,
)

# What the host's own TCP does with one flow: `server` and `client` are its sockets.
STATES = """
import select, socket, struct, sys
vip, client, state, port = sys.argv[1:]
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
if state == "SYN_RECV":
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 60)
if state == "fast open":
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 5)
listener.bind((vip, 8088))
listener.listen()
one = socket.socket()
one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
one.bind((client, int(port)))
if state == "fast open":
    one.sendto(b"hello", socket.MSG_FASTOPEN, (vip, 8088))
else:
    one.connect((vip, 8088))
if state != "SYN_RECV":
    server = listener.accept()[0]
    if state == "fast open":
        options = server.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8)[5]
        assert options & 32, "no data in the SYN"
    if state == "CLOSE_WAIT":
        one.shutdown(socket.SHUT_WR)
        server.recv(1)
    if state == "FIN_WAIT2":
        server.shutdown(socket.SHUT_WR)
        one.recv(1)
    if state in ("FIN_WAIT2, closed", "reset"):
        if state == "reset":
            server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        server.close()
        select.select([one], [], [])
    timer = ""
    while state == "FIN_WAIT2, closed" and timer != "03":  # the socket of TIME_WAIT
        with open("/proc/net/tcp") as rows:
            remote = ":%04X" % int(port)
            row, = [row.split() for row in rows if row.split()[2].endswith(remote)]
        timer = row[5][:2]
print("ready", flush=True)
sys.stdin.read()
"""

# Send each SYN that is read (the TCP header in hex) to listeners that answer with
# cookies; print the cookie.
COOKIES = """
import socket, sys
vip, client, listeners, at = sys.argv[1:]
family = socket.AF_INET6 if ":" in vip else socket.AF_INET
group = []
for _ in range(int(listeners)):
    one = socket.socket(family)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if int(listeners) > 1:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    one.bind((at, 8088))
    one.listen()
    group.append(one)
raw = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_TCP)
raw.bind((client, 0))
raw.settimeout(20)
print("ready", flush=True)
for syn in sys.stdin:
    raw.sendto(bytes.fromhex(syn), (vip, 0))
    got = b""
    while got[:4] != bytes.fromhex(syn)[2:4] + bytes.fromhex(syn)[:2]:
        got = raw.recv(2000)
        if family == socket.AF_INET:
            got = got[(got[0] & 15) * 4:]
    print(int.from_bytes(got[4:8], "big"), flush=True)
"""


def stays(role, packet, vip=VIP):
    frame = came(packet)
    row(role, frame, PASS, restored(frame, vip), "restored")


def leaves(role, packet, ttl=48, other=OTHER):
    frame = came(packet)
    row(role, frame, TX, passed_on(frame, other, ttl), "second_chance")


@contextlib.contextmanager
def sysctl(name, value):
    before = on(HOST, "sysctl", "-n", name).strip()
    on(HOST, "sysctl", "-q", f"{name}={value}")
    try:
        yield
    finally:
        on(HOST, "sysctl", "-q", f"{name}={before}")


def segment(ip, near, sport, **fields):
    """A packet of the flow from this source port."""
    packet = ip(near) / f.tcp(8088, flags="A")
    for name, value in {"sport": sport, **fields}.items():
        setattr(packet[TCP], name, value)
    return packet


@test("second chance: a flow that is half closed, half open, or was opened fast stays")
def states(world):
    role = fresh(world, pair(port=8088))
    there, _ = elsewhere(role, f.ip4(NEAR) / f.tcp(8088, flags="A"))
    with sysctl("net.ipv4.tcp_fastopen", 0x207):
        for state, sport in zip(
                ("SYN_RECV", "fast open", "ESTABLISHED", "CLOSE_WAIT", "FIN_WAIT2"), there[3:8]):
            with sockets(STATES, VIP, CLIENT, state, sport):
                for flags in "A", "PA", "FA", "R", "RA":
                    stays(role, segment(f.ip4, NEAR, sport, flags=flags))
                leaves(role, segment(f.ip4, NEAR, there[1]))
    # Nothing is left of a flow that was reset.
    with sockets(STATES, VIP, CLIENT, "reset", there[8]):
        for flags in "A", "R":
            leaves(role, segment(f.ip4, NEAR, there[8], flags=flags))


@test("second chance: the ACK for a SYN cookie of a listener here stays, and no other ACK does")
def cookies(world):
    role = fresh(world, pair(port=8088), pair(VIP6, NEAR6, OTHER6, port=8088))
    on(HOST, "ip", "address", "add", f"{CLIENT6}/128", "dev", "lo", "nodad")
    try:
        with sysctl("net.ipv4.tcp_syncookies", 2):
            for listeners in 1, 4:
                cookies_of(role, listeners, f.ip4, NEAR, OTHER, VIP, CLIENT)
                cookies_of(role, listeners, f.ip6, NEAR6, OTHER6, VIP6, CLIENT6)
    finally:
        on(HOST, "ip", "address", "del", f"{CLIENT6}/128", "dev", "lo")


@test("second chance: restore: tc: so does that of a listener on the backend's own address")
def cookies_at_own(world):
    role = fresh(world, *(service([at_own(near), filling(other)], vip, port=8088) for
                          vip, near, other in ((VIP, NEAR, OTHER), (VIP6, NEAR6, OTHER6))))
    on(HOST, "ip", "address", "add", f"{CLIENT6}/128", "dev", "lo", "nodad")
    try:
        with sysctl("net.ipv4.tcp_syncookies", 2):
            cookies_of(role, 1, f.ip4, NEAR, OTHER, VIP, CLIENT, NEAR)
            cookies_of(role, 4, f.ip6, NEAR6, OTHER6, VIP6, CLIENT6, NEAR6)
    finally:
        on(HOST, "ip", "address", "del", f"{CLIENT6}/128", "dev", "lo")


def cookies_of(role, listeners, ip, near, other, vip, client, at=None):
    there, _ = elsewhere(role, segment(ip, near, 20000))
    sports, foreign = there[10:16], there[17]
    with sockets(COOKIES, vip, client, listeners, at or vip) as process:
        if at:  # xdp_bkd learns of a listener by a SYN
            stays(role, segment(ip, near, sports[0], flags="S"), vip)
        for sport in sports:
            syn = Ether(bytes(ip(vip) / TCP(sport=sport, dport=8088, seq=7, flags="S")))
            # One at a time: a cookie is good for a minute or two.
            print(bytes(syn[TCP]).hex(), file=process.stdin, flush=True)
            ack = int(process.stdout.readline()) + 1
            for flags in "A", "PA", "FA":
                stays(role, segment(ip, near, sport, seq=8, ack=ack, flags=flags), vip)
            for wrong in (
                    segment(ip, near, sport, seq=8, ack=ack ^ 1 << 20),
                    segment(ip, near, sport, seq=9, ack=ack),
                    segment(ip, near, foreign, seq=8, ack=ack),
                    segment(ip, near, sport, seq=8, ack=ack, flags="RA"),
                    segment(ip, near, sport, seq=8, ack=ack, flags="SA"),
                    segment(ip, near, sport, seq=8, ack=ack, flags="P")):
                leaves(role, wrong, other=other)


ADDRESS = {NEAR: "backend0x", OTHER: "backend0y", NEAR6: "backend0x", OTHER6: "backend0y"}


def journey(world, packet):
    """Its path from host to host, over a router: how often it was passed on, and where it ends."""
    at, hops = HOST, 0
    while True:
        frame = mac(BACKEND_MAC[at]) + mac(BACK_ROUTER_MAC) + bytes(packet)[12:]
        [(action, out)] = world.bkd[at].run([frame])
        if action == PASS:
            return hops, at
        equal(action, TX, f"after {hops} hops")
        hops += 1
        assert hops < 20, "a loop"
        packet = Ether(out)
        if IP in packet:
            packet[IP].ttl -= 1
            del packet[IP].chksum
            at = ADDRESS[packet[IP].dst]
        else:
            packet[IPv6].hlim -= 1
            at = ADDRESS[packet[IPv6].dst]


def drains(address):
    return backend(address, drain=True)


@contextlib.contextmanager
def two(world, first, second):
    """Both hosts, each with a file of its own."""
    there = world.bkd["backend0y"]
    fresh(world, *first)
    there.up(world.file(configuration(*second)))
    try:
        yield
    finally:
        there.close()
        there("down")


@test("second chance: two hosts, each of which sends to the other: never more than three times")
def loops(world):
    def services(near, other):
        return service([near(NEAR), other(OTHER)]), service([near(NEAR6), other(OTHER6)], VIP6)

    fills = services(backend, filling)
    files = {
        "the same file": (fills, fills, 3),
        "one fills, says the first; it drains, says the second":
            (fills, services(backend, drains), 3),
        "each drains itself": (services(drains, filling), services(filling, drains), 3),
        "the second knows of no transition": (fills, services(backend, backend), 1),
    }
    for name, (first, second, most) in files.items():
        with two(world, first, second):
            for ip, near in (f.ip4, NEAR), (f.ip6, NEAR6):
                there, here = split(world.bkd[HOST], ip(near) / f.tcp(flags="A"))
                for ttl, wanted in (1, 0), (16, 0), (17, 1), (32, 1), (33, 2), (48, 2), (49, 3), (
                        64, 3), (255, 3):
                    packet = ip(near, **{"ttl" if ip is f.ip4 else "hlim": ttl}) / f.tcp(flags="A")
                    packet[TCP].sport, hops = there[0], min(wanted, most)
                    equal(journey(world, packet), (hops, (HOST, "backend0y")[hops % 2]),
                          f"{name}, TTL {ttl}")
                    for packet[TCP].sport in here[:1]:
                        equal(journey(world, packet), (0, HOST), f"{name}, TTL {ttl}, not moved")


@test("second chance: what a server has closed comes back to it, from all other hosts")
def closed(world):
    """FIN_WAIT2 without a process looks like TIME_WAIT to a lookup."""
    first = service([NEAR, filling(OTHER)], port=8088)
    with two(world, (first,), (first,)):
        there, _ = split(world.bkd[HOST], segment(f.ip4, NEAR, 20000))
        with sockets(STATES, VIP, CLIENT, "FIN_WAIT2, closed", there[9]):
            for ttl, hops in (255, 2), (64, 2), (33, 2), (32, 0), (17, 0), (1, 0):
                for flags in "A", "PA", "FA", "R":
                    packet = segment(f.ip4, NEAR, there[9], flags=flags)
                    packet[IP].ttl = ttl
                    equal(journey(world, packet), (hops, HOST), f"TTL {ttl}, flags {flags}")
