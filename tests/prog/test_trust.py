# SPDX-License-Identifier: GPL-2.0-only
"""An attacker who is not on a flow's path cannot affect the flow, although he knows its
ends and everything in the program except the flow table's key, and sends what he
likes."""

import json
import struct
from collections import Counter

from scapy.layers.inet import TCP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

import frames as f
from network import TX, VIP6, backend, configuration, on, service
from oracle import ip
from placing import PORTS, TEN, Service, moved, stayed
from tap import equal, test

TEN6 = [f"2001:db8:19::1:{n}" for n in range(1, 11)]
WORD = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15


def mix(state, word):
    state = (state ^ word) * GOLDEN & WORD
    return state ^ state >> 32


def unmixed(state, after):
    """The word that makes `after` of `state`."""
    after ^= after >> 32
    return after * pow(GOLDEN, -1, 1 << 64) & WORD ^ state


def halves(address):
    return struct.unpack("!QQ", ip(address))


def twin(client, sport, port, prefix, own):
    """A flow from `prefix`::/64 and the port `own` with the same 64-bit slot hash
    (hash.h) as another flow: the client's address."""
    state = 6 << 32 | sport << 16 | port
    for word in halves(client):
        state = mix(state, word)
    first = mix(6 << 32 | own << 16 | port, halves(prefix)[0])
    low = unmixed(first, state)
    return ":".join(f"{value:x}" for value in struct.unpack(
        "!8H", struct.pack("!QQ", halves(prefix)[0], low)))


def send(world, client, sport, port, flags):
    """The backend that the packet was sent to."""
    packet = f.ether() / IPv6(src=client, dst=VIP6) / TCP(
        sport=sport, dport=port, flags=flags, seq=int(flags != "S"))
    [(action, frame)] = world.lbr.run([bytes(packet)])
    equal(action, TX, "action")
    return Ether(frame)[IPv6].dst


def key(world):
    shown = on("lbdsr0a", "bpftool", "-j", "map", "lookup", "pinned",
               f"{world.lbr.pins}/secrets", "key", "0", "0", "0", "0")
    return bytes(int(byte, 16) for byte in json.loads(shown)["value"])[: 16 * 8]


VICTIMS = [(f"2001:db8:17::{n:x}", 40000 + n) for n in range(1, 41)]


def twins(port, count=1):
    return [[(twin(*victim, port, f"2001:db8:66:{n}::", 50000 + n), 50000 + n)
             for n in range(count)] for victim in VICTIMS]


@test("trust: a flow crafted for another's slot hash gets the other's slot")
def control(world):
    world.apply(configuration(service(TEN6, VIP6, 6401)))
    for victim, [other] in zip(VICTIMS, twins(6401)):
        equal(send(world, *other, 6401, "S"), send(world, *victim, 6401, "S"), "by the table")


@test("trust: but is not taken for the other by the flow table: it moves none, forgets and evicts none")
def collisions(world):
    for port, scheduler in (6402, "round-robin"), (6403, "random"), (6404, "maglev"):
        def apply(drain):
            world.apply(configuration(service(
                [backend(row, drain=drain and n < 5) for n, row in enumerate(TEN6)],
                VIP6, port, scheduler=scheduler), handshake_grace="0s"))

        apply(False)
        before = world.flows()
        placed = [[send(world, *victim, port, flags) for flags in "SA"] for victim in VICTIMS]
        assert all(one == other for one, other in placed), "handshakes"
        # If the backends drain, a SYN of a known flow goes elsewhere, and the flow is
        # forgotten.
        apply(True)
        for others in twins(port, 5):
            for other in others:
                for flags in "S", "A", "PA":
                    send(world, *other, port, flags)
        equal(world.flows() - before, 6 * len(VICTIMS), f"{scheduler}: flows that are remembered")
        equal([send(world, *victim, port, "PA") for victim in VICTIMS],
              [one for one, _ in placed], f"{scheduler}: where they are")


LIVE, GUESSES = f.PUSH, (0, 6, 8, 9, 1000, 0x7FFFFFFF, 0xFFFFFFFF)


def at(placed, address):
    return [sport for sport, to in placed.items() if to == address]


def spoofed(send, sports, guesses=GUESSES):
    """What somebody who is not on the path sends in the name of these flows, whose next
    sequence number is 8: SYNs with any other number."""
    for seq in guesses:
        for flags in f.SYN, f.SYN | f.RST, f.SYN | 1:
            send(sports, flags, seq)


def moves_by_handshake(send, sports, gone, what):
    """A SYN, and its repetition, go to another backend, and the flow with the ACK."""
    begun = send(sports, f.SYN, 1000)
    assert gone not in begun.values(), f"{what}: a SYN went there"
    stayed(begun, send(sports, f.SYN, 1000), f"{what}: the SYN, repeated")
    equal(set(send(sports, LIVE, 7).values()), {gone}, f"{what}: the old flow, meanwhile")
    spoofed(send, sports, GUESSES[:1])  # a flow that is alone there has room for eight notes
    stayed(begun, send(sports, f.SYN, 1000), f"{what}: the SYN, repeated after others")
    stayed(begun, send(sports, f.ACK, 1000), f"{what}: the ACK")
    stayed(begun, send(sports, LIVE, 5000), f"{what}: later")
    return begun


@test("trust: a spoofed SYN moves no flow of a backend that drains; a complete handshake does")
def syn(world):
    for n, scheduler in enumerate(("maglev", "source-hash", "round-robin", "random")):
        tcp = Service(world, 6420 + n, scheduler=scheduler)
        for state, rest in (("draining", [backend(TEN[0], drain=True), *TEN[1:]]),
                            ("removing", TEN[1:])):
            what = f"{scheduler}, {state}"
            world.apply(configuration(tcp.text(TEN), handshake_grace="0s"))
            clients = iter(range(10000, 60000))
            known = []
            while len(known) < 40:  # with source-hash, all flows of one client go to one backend
                some = [next(clients) for _ in range(200)]
                placed = tcp.hold(some)
                gone = TEN[0] if scheduler != "source-hash" else placed[some[0]]
                known += at(placed, gone)
            if gone != TEN[0]:
                rest = [row.replace(TEN[0], gone) if row.startswith("{") else
                        row.replace(gone, TEN[0]) for row in rest]
            count = world.flows()
            world.apply(configuration(tcp.text(rest), handshake_grace="0s"), now=False)
            spoofed(tcp.send, known)
            equal(world.flows(), count, f"{what}: flows remembered")
            for flags in LIVE, f.ACK, f.FIN, LIVE:
                equal(set(tcp.send(known, flags).values()), {gone}, f"{what}: live flows")
            before = moves_by_handshake(tcp.send, known, gone, what)
            equal(world.flows(), count, f"{what}: flows remembered, at the end")
            world.apply(configuration(tcp.text(TEN), handshake_grace="0s"))
            stayed(before, tcp.send(known, LIVE), f"{what}: when it is back")


@test("trust: ... IPv6; and a SYN with data, whether the server accepts the data or not")
def syn6(world):
    flows, sports = f.Flows(6430, ipv6=True), PORTS[:400]

    def send(sports, flags, seq=7):
        return dict(zip(sports, (frame[38:54] for _, frame in world.lbr.run(
            [flows.frame(sport, flags, seq) for sport in sports]))))

    def fast(sports, size, seq):
        frames = [bytes(f.ether() / IPv6(src=f.CLIENT6, dst=VIP6) / TCP(
            sport=sport, dport=6430, flags="S", seq=seq) / (b"x" * size)) for sport in sports]
        return dict(zip(sports, (frame[38:54] for _, frame in world.lbr.run(frames))))

    def text(pool):
        return configuration(service(pool, VIP6, 6430), handshake_grace="0s")

    world.apply(text(TEN6))
    for _ in range(2):
        placed = send(sports, f.ACK)
    known = at(placed, ip(TEN6[0]))
    world.apply(text([backend(TEN6[0], drain=True), *TEN6[1:]]))
    spoofed(send, known)
    equal(set(send(known, LIVE).values()), {ip(TEN6[0])}, "live flows")
    third = len(known) // 3
    moves_by_handshake(send, known[:third], ip(TEN6[0]), "IPv6")
    for some, taken in (known[third : 2 * third], 0), (known[2 * third :], 100):
        begun = fast(some, 100, 3000)
        equal(set(send(some, LIVE).values()), {ip(TEN6[0])}, "live flows")
        stayed(begun, send(some, f.ACK, 3000 + taken), f"of 100 bytes, {taken} taken")
        stayed(begun, send(some, LIVE, 9000), f"later, {taken} taken")


@test("trust: a spoofed SYN moves no flow while the port changes hands, and no handshake")
def syn_of_two_services(world):
    sports = PORTS[:100]
    for port, (first, then) in enumerate((((1, 0), (0, 1)), ((0, 1), (1, 1)), ((0, 1), (1, 0)),
                                          ((1, 1), (0, 1))), 6440):
        tcp = Service(world, port)
        any_port = service([f"172.19.2.{n}" for n in range(1, 11)], port="any")

        def apply(own, other):
            world.apply(configuration(*[tcp.text(TEN)] * own, *[any_port] * other,
                                      handshake_grace="0s"), now=False)

        apply(*first)
        before = tcp.hold(sports)
        apply(*then)
        spoofed(tcp.send, sports)
        stayed(before, tcp.send(sports, LIVE), f"{first}: live flows")
        begun = tcp.send(sports, f.SYN, 1000)
        equal(len(moved(before, begun)), len(sports), f"{first}: SYNs")
        stayed(before, tcp.send(sports, LIVE), f"{first}: live flows, meanwhile")
        stayed(begun, tcp.send(sports, f.ACK, 1000), f"{first}: the ACK")
        stayed(begun, tcp.send(sports, LIVE, 2000), f"{first}: later")


@test("trust: a spoofed SYN moves no handshake during which the file changes")
def syn_of_handshake(world):
    tcp, sports = Service(world, 6450), PORTS[:100]
    world.apply(configuration(tcp.text(TEN), handshake_grace="0s"))
    before = tcp.send(sports, f.SYN)
    world.apply(configuration(tcp.text([backend(row, drain=n < 5) for n, row in enumerate(TEN)]),
                              handshake_grace="0s"))
    spoofed(tcp.send, sports, GUESSES[:3])
    stayed(before, tcp.send(sports, f.ACK), "ACK")
    stayed(before, tcp.send(sports, LIVE), "remembered")


@test("trust: the key stays as long as the flow table")
def keys(world):
    tcp, sports = Service(world, 6405), PORTS[:100]
    world.up(configuration(tcp.text(TEN)))
    first, before = key(world), tcp.hold(sports)
    assert any(first), "it is 0"
    rest = configuration(tcp.text(TEN[:9]), handshake_grace="0s")
    for again in (lambda: world.up(rest), lambda: world.apply(rest, now=False),
                  lambda: world.up(configuration(tcp.text(TEN), flow_table_size=500000))):
        again()
        equal(key(world), first, "the key")
    world.up(configuration(tcp.text(TEN)))
    stayed({sport: row for sport, row in before.items() if row != TEN[9]},
           tcp.send([sport for sport in sports if before[sport] != TEN[9]], f.PUSH), "known")
    world.lbr("down")
    world.up(configuration(tcp.text(TEN)))
    assert key(world) != first, "a new table has the old key"


@test("trust: a single packet is never remembered, whatever it is; a second one is")
def one_packet(world):
    for port, scheduler in (6406, "maglev"), (6407, "random"), (6408, "source-hash"):
        tcp, udp = (Service(world, port, kind, scheduler) for kind in ("tcp", "udp"))
        world.apply(configuration(tcp.text(TEN), udp.text(TEN)))
        before, sports = world.flows(), iter(range(10000, 60000))
        for flags in f.SYN, f.ACK, f.PUSH, f.FIN, f.RST, f.SYN | f.RST, f.SYN | 1, 0, 0xFF:
            tcp.send([next(sports) for _ in range(20)], flags)
        udp.send([next(sports) for _ in range(20)])
        equal(world.flows() - before, 0, f"{scheduler}: after one packet of each flow")
        for flags in f.SYN, f.SYN | f.RST, f.RST:
            many = [next(sports) for _ in range(20)]
            tcp.send(many, flags), tcp.send(many, flags)
        equal(world.flows() - before, 0, f"{scheduler}: after two that say nothing")
        many = [next(sports) for _ in range(20)]
        tcp.send(many, f.SYN), tcp.send(many, f.ACK)
        udp.send(many), udp.send(many)
        equal(world.flows() - before, 40, f"{scheduler}: after two")


def flood(tcp, flags, count):
    """Single packets, each of another flow."""
    for first in range(0, count, 500):
        tcp.from_clients([f"10.{first // 500}.{n // 250}.{n % 250 + 1}" for n in range(500)],
                         41000, flags)


@test("trust: a flood of single packets keeps no flow from being remembered")
def not_kept_out(world):
    limit, sports = 1000, PORTS[:300]
    for port, scheduler, flags in ((6409, "maglev", f.ACK), (6410, "maglev", f.SYN),
                                   (6411, "random", f.ACK), (6412, "random", f.SYN)):
        tcp = Service(world, port, scheduler=scheduler)
        world.apply(configuration(tcp.text(TEN[:5]), insert_limit=limit))
        flood(tcp, flags, 3 * limit)
        before = tcp.send(sports, f.SYN)
        for more in f.ACK, f.PUSH:
            stayed(before, tcp.send(sports, more), f"{scheduler}: under a flood")
        flood(tcp, flags, 3 * limit)
        world.apply(configuration(tcp.text(TEN), handshake_grace="0s"))
        stayed(before, tcp.send(sports, f.PUSH), f"{scheduler}: at the next change")


@test("trust: idle UDP flows do not keep a scheduler's choice from being remembered")
def idle_udp(world):
    world.lbr("down")  # a table in use cannot become this small
    tcp, udp = Service(world, 6414, scheduler="round-robin"), Service(world, 6415, "udp")
    try:
        world.up(configuration(tcp.text(TEN), udp.text(TEN), flow_table_size=512))

        def shares(sports):
            for _ in range(5):  # more than half of the buckets are full
                udp.send(PORTS[:1000])
            world.see(-age)
            return set(Counter(tcp.send(sports, f.SYN).values()).values())

        age = 0
        assert shares(PORTS[:100]) != {10}, "a turn was taken that could not be remembered"
        age = 600000  # 10 minutes at 1000 Hz
        equal(shares(PORTS[100:200]), {10}, "flows of each backend, in turn")
    finally:
        world.lbr("down")
        world.up(configuration(tcp.text(TEN)))


@test("trust: a flood of SYNs evicts no flow, and no handshake that is under way")
def not_evicted(world):
    world.lbr("down")  # a table in use cannot become this small
    try:
        tcp = Service(world, 6413, scheduler="random")
        world.up(configuration(tcp.text(TEN), flow_table_size=512))
        # So few that no five of them fall into one bucket of four ways, and no
        # eight SYNs of the flood into the bucket of a note (4 in 10^6, 2 in 10^5).
        sports, others = PORTS[:20], PORTS[100:120]
        before = tcp.send(sports, f.SYN)
        stayed(before, tcp.send(sports, f.ACK), "ACK")
        known = world.flows()
        equal(known, len(sports), "flows remembered")
        begun = tcp.send(others, f.SYN)
        flood(tcp, f.SYN, 3000)  # six times as many as the table holds
        equal(world.flows(), known, "flows remembered")
        stayed(before, tcp.send(sports, f.PUSH), "known flows")
        stayed(begun, tcp.send(others, f.ACK), "a handshake's ACK")
    finally:
        world.up(configuration(tcp.text(TEN)))
