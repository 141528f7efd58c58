# SPDX-License-Identifier: GPL-2.0-only
"""forward: nat: what lbr_nat makes of packets, with scapy as the oracle. The laws: a
backend's answer to what it got is, for the client, the answer to what it sent; all
sums are true; no two flows have one port."""

import contextlib
import random
import socket
import struct

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6DestUnreach, ICMPv6PacketTooBig, IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Raw

import frames as f
from network import (
    CLIENT, CLIENT6, LB, LB6, LB_MAC, PASS, ROUTER, ROUTER6, ROUTER_MAC, VIP, VIP6, Program,
    backend, configuration, on, service,
)
from tap import FEWER, equal, test

PASSED, SHOT, SENT = 0xffffffff, 2, 7  # TC_ACT_UNSPEC, SHOT, REDIRECT
BACKENDS = {4: "172.19.0.3", 6: "2001:db8:19::3"}
OWN, VIPS, CLIENTS = {4: LB, 6: LB6}, {4: VIP, 6: VIP6}, {4: CLIENT, 6: CLIENT6}
ROUTERS = {4: ROUTER, 6: ROUTER6}


def setting(own_port=None, **keys):
    rows = []
    for family, vip in VIPS.items():
        to = [BACKENDS[family]]
        if own_port:
            to = [backend(BACKENDS[family]).replace("}", f", port: {own_port}}}")]
        rows += [service(to, vip, forward="nat", **keys),
                 service(to, vip, 7777, "udp", forward="nat", **keys)]
    return configuration(*rows, nat_source=f"['{LB}', '{LB6}']")


class Run:
    """lbr_nat, on one frame or on many."""

    def __init__(self, program):
        self.program = program

    def __call__(self, frame):
        return self.many([bytes(frame)])[0]

    def many(self, frames):
        return self.program.run(list(frames))


@contextlib.contextmanager
def nat(world, text=None):
    world.up(text or setting())
    program = Program(world.lbr.host, f"{world.lbr.pins}/link-eth0", "behind")
    try:
        yield Run(program)
    finally:
        program.close()


def head(family, source, to, hops=64):
    if family == 4:
        return IP(src=source, dst=to, ttl=hops, id=7)
    return IPv6(src=source, dst=to, hlim=hops, fl=0x12345)


def request(family, kind, client=None, port=40000, **fields):
    above = TCP(sport=port, dport=80, seq=6, **fields) if kind is TCP else \
        UDP(sport=port, dport=7777, **fields)
    return f.ether() / head(family, client or CLIENTS[family], VIPS[family]) / above


def layer(frame):
    return frame[IP] if IP in frame else frame[IPv6]


def ends(frame):
    above = frame[TCP] if TCP in frame else frame[UDP]
    return layer(frame).src, above.sport, layer(frame).dst, above.dport


def counted_anew(frame):
    """Its IP packet, with all sums by scapy."""
    packet = layer(Ether(bytes(frame))).copy()
    for each in packet, packet.payload:
        if "chksum" in each.fields and not (isinstance(each, UDP) and not each.chksum):
            del each.chksum
        if "cksum" in each.fields:
            del each.cksum
    return bytes(packet)


def is_true(frame, what):
    equal(bytes(layer(Ether(frame))), counted_anew(frame), f"{what}: sums")


def translated(run, frame, what):
    action, out = run(frame)
    equal(action, SENT, f"{what}: action")
    is_true(out, what)
    return Ether(out)


def answer(out, family, flags="SA"):
    """The backend's, to what it got."""
    source, sport, to, dport = ends(out)
    above = TCP(sport=dport, dport=sport, flags=flags, seq=9, ack=7) if TCP in out else \
        UDP(sport=dport, dport=sport)
    return Ether(dst=LB_MAC, src=ROUTER_MAC) / head(family, to, source) / above / Raw(b"answer")


@test("nat: each kind, both ways: ends, TTL, payload; sums are true")
def _(world):
    with nat(world) as run:
        for family in 4, 6:
            for kind in TCP, UDP:
                for payload in b"", b"x", b"odd payload", bytes(1400):
                    what = f"{family} {kind.__name__} {len(payload)}"
                    sent = request(family, kind, port=40000 + len(payload),
                                   **({"flags": "S"} if kind is TCP else {})) / Raw(payload)
                    sent = Ether(bytes(sent))
                    out = translated(run, sent, what)
                    source, port, to, dport = ends(out)
                    equal((source, to, dport), (OWN[family], BACKENDS[family], ends(sent)[3]),
                          f"{what}: ends")
                    assert port >= 10240, f"{what}: port {port}"
                    equal(layer(out).ttl if family == 4 else layer(out).hlim, 63, what)
                    equal(bytes(out[kind].payload), payload, f"{what}: payload")
                    back = translated(run, answer(out, family), f"{what}: back")
                    client, cport, vip, vport = ends(sent)
                    equal(ends(back), (vip, vport, client, cport), f"{what}: back: ends")
                    equal(bytes(back[kind].payload)[:6], b"answer", f"{what}: back: payload")


@test("nat: no UDP checksum stays none; a sum of 0 is sent as ffff")
def _(world):
    with nat(world) as run:
        sent = request(4, UDP, chksum=0) / Raw(b"no sum")
        equal(translated(run, sent, "none")[UDP].chksum, 0, "none")
        # the payload that makes the sum 0
        for family in 4, 6:
            out = translated(run, request(family, UDP) / Raw(b"\0\0"), "a sum")
            payload = out[UDP].chksum.to_bytes(2, "big")
            sent = request(family, UDP) / Raw(payload)
            equal(translated(run, sent, "0")[UDP].chksum, 0xffff, f"{family}: 0")


@test("nat: what is of no flow: an ACK is dropped, a backend's packet is the kernel's")
def _(world):
    with nat(world) as run:
        for family in 4, 6:
            equal(run(request(family, TCP, port=999, flags="A"))[0], SHOT, "ACK")
            out = translated(run, request(family, TCP, flags="S"), "SYN")
            good = answer(out, family)
            for change in ("sport", 81), ("dport", 5):
                other = good.copy()
                setattr(other[TCP], *change)
                equal(run(other)[0], PASSED, f"{change}")
            other = good.copy()
            layer(other).src = {4: "172.19.0.4", 6: "2001:db8:19::4"}[family]
            equal(run(other)[0], PASSED, "another backend")
            ssh = f.ether() / head(family, CLIENTS[family], OWN[family]) / TCP(dport=22, flags="S")
            equal(run(ssh)[0], PASSED, "SSH")
        assert world.lbr.reasons().get("no_flow", 0) >= 2


@test("nat: xdp_lbr passes what it is to translate, bit for bit")
def _(world):
    with nat(world):
        for family in 4, 6:
            for sent in request(family, TCP, flags="S"), request(family, UDP):
                action, out = world.lbr.run([bytes(sent)])[0]
                equal((action, out), (PASS, bytes(sent)), f"{family}")


@test("nat: 20,000 flows: no two have one port, each gets its own answers")
def _(world):
    chance = random.Random(7)
    with nat(world) as run:
        clients = sorted({(f"172.17.9.{chance.randrange(1, 255)}", chance.randrange(1024, 65536))
                          for _ in range(20000 // FEWER)})
        syn = bytes(request(4, TCP, flags="S"))
        got = run.many(between(syn, client, VIP, port, 80) for client, port in clients)
        ports = {}
        for client, (action, out) in zip(clients, got):
            equal(action, SENT, "SYN")
            own = int.from_bytes(out[34:36], "big")
            assert own not in ports, f"port {own}: {client} and {ports[own]}"
            ports[own] = client
        back = bytes(answer(Ether(got[0][1]), 4))
        some = chance.sample(sorted(ports.items()), 2000 // FEWER)
        got = run.many(between(back, BACKENDS[4], OWN[4], 80, own) for own, _ in some)
        for (own, client), (action, out) in zip(some, got):
            equal((action, ends(Ether(out))), (SENT, (VIP, 80, *client)), f"{own}")


@test("nat: no port is free: refused, and open flows stay")
def _(world):
    with nat(world, setting().replace("services:", "nat-first-port: 61440\nservices:", 1)) as run:
        syn, first = bytes(request(4, TCP, flags="S")), request(4, TCP, port=7, flags="S")
        kept = ends(translated(run, first, "first"))
        before = world.lbr.reasons().get("no_port", 0)
        got = run.many(between(syn, f"172.17.{8 + n // 250}.{1 + n % 250}", VIP, 5, 80)
                       for n in range(6000))
        refused = sum(action == SHOT for action, _ in got)
        assert 6000 - 4096 <= refused < 6000, f"{refused} refused"
        equal(world.lbr.reasons()["no_port"] - before, refused, "no_port")
        equal(ends(translated(run, first, "again")), kept, "the open flow")


def between(frame, source, to, sport, dport):
    """An IPv4 frame with other ends; its sums are no longer true."""
    return b"".join((frame[:26], socket.inet_aton(source), socket.inet_aton(to),
                     struct.pack("!HH", sport, dport), frame[38:]))


def errors(family, inner, source, to):
    """ICMP errors about `inner`, from `source`."""
    if family == 4:
        kinds = ICMP(type=3, code=1), ICMP(type=3, code=4, nexthopmtu=1400)
    else:
        kinds = ICMPv6DestUnreach(code=3), ICMPv6PacketTooBig(mtu=1400)
    for kind in kinds:
        yield f.ether() / head(family, source, to) / kind / inner


@test("nat: a backend's own port: both ways; open flows stay at the one they began with")
def _(world):
    with nat(world, setting(own_port=8081)) as run:
        for family in 4, 6:
            for kind in TCP, UDP:
                for payload in b"", b"odd":
                    what = f"{family} {kind.__name__} {payload}"
                    flags = {"flags": "S"} if kind is TCP else {}
                    sent = Ether(bytes(request(family, kind, port=777, **flags) / Raw(payload)))
                    out = translated(run, sent, what)
                    equal(ends(out)[2:], (BACKENDS[family], 8081), what)
                    back = translated(run, answer(out, family), f"{what}: back")
                    client, cport, vip, vport = ends(sent)
                    equal(ends(back), (vip, vport, client, cport), f"{what}: back")
            # the service's port is another server's there
            other = answer(out, family)
            other[UDP].sport = 7777
            equal(run(other)[0], PASSED, f"{family}: from the service's port")
    with nat(world, setting(own_port=8082)) as run:
        for family in 4, 6:
            ack = request(family, TCP, port=777, flags="A")
            equal(ends(translated(run, ack, "ACK"))[3], 8081, f"{family}: an open flow")
            syn = request(family, TCP, port=778, flags="S")
            equal(ends(translated(run, syn, "SYN"))[3], 8082, f"{family}: a new one")


@test("nat: ICMP errors, both ways: the packet inside is the one that was sent")
def _(world):
    for own_port in None, 8081:
        quotes(world, own_port)


def quotes(world, own_port):
    with nat(world, setting(own_port)) as run:
        for family in 4, 6:
            for kind in TCP, UDP:
                sent = Ether(bytes(request(family, kind, port=own_port or 40000,
                                           **({"flags": "S"} if kind is TCP else {}))
                                   / Raw(b"some payload")))
                out = translated(run, sent, "request")
                reply = answer(out, family)
                back = translated(run, reply, "reply")
                # a router before the backend, about the request
                for error in errors(family, layer(out), ROUTERS[family], OWN[family]):
                    got = translated(run, error, f"error about {kind.__name__}")
                    equal((layer(got).src, layer(got).dst), (VIPS[family], CLIENTS[family]), "ends")
                    inside(got, layer(sent))
                # and one before the client, about the reply
                for error in errors(family, layer(back), ROUTERS[family], VIPS[family]):
                    got = translated(run, error, f"error about a reply by {kind.__name__}")
                    equal((layer(got).src, layer(got).dst),
                          (OWN[family], BACKENDS[family]), "ends")
                    inside(got, layer(Ether(bytes(reply))))


def inside(got, wanted):
    """The packet that the error quotes, but for its TTL and what depends on that."""
    quoted = bytes(got)[14 + (28 if IP in got else 48):]
    inner = (IP if IP in got else IPv6)(quoted)
    kind = TCP if TCP in wanted else UDP
    equal((inner.src, inner.dst), (wanted.src, wanted.dst), "inside: addresses")
    equal(bytes(inner[kind])[:8], bytes(wanted[kind])[:8], "inside: ports and sum")
    if IP in got:
        whole = inner.copy()
        del whole.chksum
        equal(inner.chksum, IP(bytes(whole)).chksum, "inside: the header's sum")


def keyed(*lines):
    return setting().replace("services:", "\n".join((*lines, "services:")), 1)


def refused(world, *arguments):
    """What lbr says that refuses."""
    return on(world.lbr.host, "sh", "-c", '"$@" 2>&1', "sh", world.lbr.tool, *arguments, status=1)


@test("nat: nat-table-size: up refuses to lose open flows; nat-first-port keeps them")
def _(world):
    small, big = "nat-table-size: 65536", "nat-table-size: 131072"
    world.lbr("up", "-i", "eth0", "--drop-flows", "-c", world.file(keyed(small)))
    with nat(world, keyed(small)) as run:
        kept = ends(translated(run, request(4, TCP, port=7, flags="S"), "SYN"))
    path = world.file(keyed(big))
    said = refused(world, "up", "-i", "eth0", "-c", path)
    assert "cannot change nat-table-size from 65536 to 131072: 1 flow by nat would end" in said, \
        said
    assert f"lbr up --drop-flows -c {path}" in said, said
    said = refused(world, "apply", path)
    assert "nat-table-size is 131072 there and 65536 in the kernel" in said, said
    ack = request(4, TCP, port=7, flags="A")
    with nat(world, keyed(small, "nat-first-port: 61440")) as run:
        equal(ends(translated(run, ack, "ACK")), kept, "another nat-first-port")
    world.lbr("up", "-i", "eth0", "--drop-flows", "-c", path)
    with nat(world, keyed(big)) as run:
        equal(run(ack)[0], SHOT, "the flow has ended")
    world.up(keyed(small))  # no flow is open
