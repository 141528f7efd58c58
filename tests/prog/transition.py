# SPDX-License-Identifier: GPL-2.0-only
"""A backend whose file has backends in transition: the packets that come to it, what
they become, and sockets of its own."""

import contextlib
import subprocess

from scapy.layers.inet import ICMP, IP, TCP
from scapy.layers.inet6 import ICMPv6PacketTooBig, IPv6
from scapy.layers.l2 import Ether

import frames as f
from network import (
    BACKEND_MAC, CLIENT, CLIENT6, ROOT, TOPO, TX, VIP, VIP6, configuration, on, service,
)
from oracle import mac
from tap import equal

LB4, LB6 = "172.17.0.2", "2001:db8:17::2"
HOST = "backend0x"
NEAR, OTHER, THIRD = "172.19.0.3", "172.19.0.4", "172.19.0.5"
NEAR6, OTHER6 = "2001:db8:19::3", "2001:db8:19::4"
PORTS = range(20000, 20064)


def came(packet, sport=None):
    if sport:
        packet = packet.copy()
        packet[TCP].sport = sport
        packet = packet.__class__(bytes(packet))
    return mac(BACKEND_MAC[HOST]) + bytes(packet)[6:]


def restored(frame, vip):
    """The VIP written back; with `keep` the checksum above IP does not change."""
    out = Ether(frame)
    if IP in out:
        out[IP].dst = vip
        del out[IP].chksum
    else:
        out[IPv6].dst = vip
    return bytes(out)


def passed_on(frame, to, ttl):
    """Back to the router that it came from, addressed to `to`."""
    out = Ether(frame)
    out.dst, out.src = out.src, out.dst
    if isinstance(out.payload, IP):
        out[IP].dst, out[IP].ttl = to, ttl
        del out[IP].chksum
    else:
        out[IPv6].dst, out[IPv6].hlim = to, ttl
    return bytes(out)


def fresh(world, *services, **settings):
    role = world.bkd[HOST]
    if role.program:
        role.close()
        role("down")
    role.up(world.file(configuration(*services, **settings)))
    return role


def met(role, frames):
    """What becomes of the packets, and which reasons were counted."""
    before = role.reasons()
    got = role.run(frames)
    after = role.reasons()
    return got, {key: after[key] - before[key] for key in after if after[key] != before[key]}


def split(role, packet):
    """Source ports of flows that have another candidate, and of those that have none."""
    got, _ = met(role, [came(packet, sport) for sport in PORTS])
    there = [sport for sport, (action, _) in zip(PORTS, got) if action == TX]
    return there, [sport for sport in PORTS if sport not in there]


def elsewhere(role, packet):
    """The same; fails unless there are flows of both kinds."""
    there, here = split(role, packet)
    assert there and here, f"{len(there)} of {len(PORTS)} flows may be elsewhere"
    return there, here


def filling(address, **keys):
    return f"{{address: '{address}', state: filling}}"


def pair(vip=VIP, near=NEAR, other=OTHER, **keys):
    return service([near, filling(other)], vip, **keys)


def row(role, frame, action, wanted, reason):
    [(got, bytes_)], counted = met(role, [frame])
    what = f"{Ether(frame).summary()}, {reason}"
    equal(got, action, what)
    equal(counted, {reason: 1}, what)
    equal(bytes_.hex(), wanted.hex(), what)


def error(near, sport, port=8088, **hops):
    """A router says that a reply to this flow is too big."""
    if ":" in near:
        return f.ether() / IPv6(src="2001:db8:99::1", dst=near, **hops) / ICMPv6PacketTooBig(
            mtu=1280) / IPv6(src=VIP6, dst=CLIENT6, hlim=60) / TCP(
                sport=port, dport=sport, flags="A")
    return f.ether() / IP(src="198.51.100.1", dst=near, **hops) / ICMP(
        type=3, code=4, nexthopmtu=1400) / IP(src=VIP, dst=CLIENT, ttl=60) / TCP(
            sport=port, dport=sport, flags="A")


def owners(world, packet, port, **keys):
    """{source port: who owns the flow's slot}, as xdp_lbr says."""
    world.apply(configuration(service([NEAR, OTHER], port=port, **keys)))
    frames = []
    for sport in PORTS:
        packet[TCP].sport, packet[TCP].dport, packet[TCP].flags = sport, port, "S"
        frames.append(bytes(packet.__class__(bytes(packet))))
    return {sport: Ether(frame)[IP].dst
            for sport, (_, frame) in zip(PORTS, world.lbr.run(frames))}


@contextlib.contextmanager
def sockets(script, *arguments):
    """A process on the host with sockets of its own, until the end."""
    on(HOST, "ip", "address", "add", f"{CLIENT}/32", "dev", "lo")
    process = subprocess.Popen(
        [TOPO, "exec", HOST, "python3", "-c", script, *map(str, arguments)], cwd=ROOT,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        equal(process.stdout.readline(), "ready\n", "the sockets")
        yield process
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait()
        on(HOST, "ip", "address", "del", f"{CLIENT}/32", "dev", "lo")


# At the end, connections that are still held are reset, so that no TIME_WAIT disturbs
# another test.
HOLD = """
import socket, struct, sys
vip, client, close, *ports = sys.argv[1:]
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind((vip, 8088))
server.listen()
held = []
for port in ports:
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.bind((client, int(port)))
    one.connect((vip, 8088))
    held += [one, server.accept()[0]]
    if close == "hold":
        for each in held[-2:]:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if close == "close":
        held[-1].close()
        one.recv(1)
        one.close()
print("ready", flush=True)
sys.stdin.read()
"""


def moved(role):
    return [row["moved-flows"] for row in role.rows("restores")]
