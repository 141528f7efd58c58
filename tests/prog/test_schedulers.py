# SPDX-License-Identifier: GPL-2.0-only
"""The schedulers other than maglev and random (see test_select): which backends the
loaded program selects. It runs on one CPU, so turns are exact."""

import collections
import random

from scapy.layers.inet6 import IPv6

import frames as f
from network import TX, VIP6, backend, configuration, service
from oracle import ip
from placing import PORTS, TEN, Service, moved, stayed
from tap import equal, test

CLIENTS = [f"172.17.{n >> 8}.{n & 255}" for n in range(4096, 9096)]


def counts(placed):
    return dict(collections.Counter(placed.values()))


@test("round-robin: exactly by weight in each round; ACKs follow")
def by_weight(world):
    tcp = Service(world, 1101, scheduler="round-robin")
    weights = dict(zip(TEN, (5, 1, 1, 3)))
    world.apply(configuration(tcp.text([backend(*row) for row in weights.items()]),
                              insert_limit=1000000))
    before = {}
    for start in range(10000, 11000, 10):
        begun = tcp.send(range(start, start + 10), f.SYN)
        equal(counts(begun), weights, f"flows of the ten from {start} on")
        before.update(begun)
    for flags in f.ACK, f.PUSH, f.SYN:
        stayed(before, tcp.send(before, flags), f"flags {flags:#x}")


@test("round-robin: a heavy backend does not get its flows one after the other")
def spread(world):
    tcp = Service(world, 1102, scheduler="round-robin")
    world.apply(configuration(tcp.text([backend(TEN[0], 2), backend(TEN[1], 1),
                                        backend(TEN[2], 1)]), insert_limit=1000000))
    begun = list(tcp.send(range(10000, 14000), f.SYN).values())
    heavy = [n for n, address in enumerate(begun) if address == TEN[0]]
    apart = {b - a for a, b in zip(heavy, heavy[1:])}
    assert apart <= {1, 2, 3}, f"distances {sorted(apart)}"
    runs = sum(b - a == 1 for a, b in zip(heavy, heavy[1:]))
    assert runs <= len(heavy) / 2, f"{runs} of {len(heavy)} follow at once"


@test("round-robin: services do not use each other's turns")
def apart(world):
    one, other = (Service(world, port, scheduler="round-robin") for port in (1103, 1104))
    world.apply(configuration(one.text(TEN[:2]), other.text(TEN[:2]), insert_limit=1000000))
    for service_of in one, other:
        seen = collections.Counter()
        for sport in range(10000, 10100):
            seen.update(service_of.send([sport], f.SYN).values())
            (other if service_of is one else one).send([sport + 10000], f.SYN)
        equal(dict(seen), {TEN[0]: 50, TEN[1]: 50}, "flows")


@test("round-robin: over insert-limit: by the table, consistently, and no turn is lost")
def over_limit(world):
    tcp, sports = Service(world, 1105, scheduler="round-robin"), PORTS[:2000]
    world.apply(configuration(tcp.text(TEN), insert_limit=1))
    count = world.flows()
    before = tcp.send(sports, f.SYN)
    added = world.flows() - count
    assert added <= 20, f"{added} flows remembered in spite of the limit"
    for flags in f.ACK, f.PUSH:
        stayed(before, tcp.send(sports, flags), f"flags {flags:#x}")


@test("round-robin: a weight changes, a backend is removed: known flows stay, new ones follow the new weights")
def changed(world):
    tcp = Service(world, 1106, scheduler="round-robin")
    world.apply(configuration(tcp.text(TEN[:4]), insert_limit=1000000))
    before = tcp.send(range(10000, 10400), f.SYN)
    equal(set(counts(before).values()), {100}, "flows each")
    world.apply(configuration(tcp.text([backend(TEN[0], 3), TEN[1]]), insert_limit=1000000))
    rest = [sport for sport in before if before[sport] in TEN[:2]]
    stayed(before, tcp.send(rest, f.ACK), "known")
    equal(counts(tcp.send(range(20000, 20400), f.SYN)), {TEN[0]: 300, TEN[1]: 100}, "new flows")


@test("round-robin: after maglev, with a table of the same size: in turn")
def after_maglev(world):
    weights = [backend(TEN[0], 200), backend(TEN[1], 199)]  # no whole round fits into the table

    def text(word):
        return configuration(service(weights, port=1114, scheduler=word, table_size=251),
                             handshake_grace="0s", insert_limit=1000000)

    tcp = Service(world, 1114)
    world.apply(text("maglev"))
    world.apply(text("round-robin"))
    begun = list(tcp.send(range(10000, 10250), f.SYN).values())
    again = sum(a == b for a, b in zip(begun, begun[1:]))
    assert again <= 2, f"{again} of 250 went where the one before them did"


@test("source-hash: a client's flows go to one backend, for all ports and services")
def one_backend(world):
    tcp = Service(world, 1107, scheduler="source-hash")
    udp = Service(world, 1108, "udp", "source-hash")
    world.apply(configuration(tcp.text(TEN), udp.text(TEN), insert_limit=1000000))
    clients = CLIENTS[:1000]
    before = tcp.from_clients(clients)
    count = world.flows()
    for sport in 1024, 40001, 65535:
        for flags in f.SYN, f.ACK:
            equal(tcp.from_clients(clients, sport, flags), before, f"source port {sport}")
        equal(udp.from_clients(clients, sport), before, f"UDP, source port {sport}")
    assert world.flows() > count, "ACKs are remembered"
    maglev = Service(world, 1109)
    world.apply(configuration(tcp.text(TEN), maglev.text(TEN)))
    by_flow = maglev.from_clients(clients)
    assert len(moved(before, by_flow)) > 800, "maglev does the same"
    for part in collections.Counter(before.values()).values():
        assert 60 <= part <= 140, f"{part} of 1000 clients"


@test("source-hash: IPv6: a client's flows go to one backend")
def one_backend6(world):
    draw = random.Random(7)
    clients = [f"2001:db8:17::{draw.randrange(1 << 16):x}:{n:x}" for n in range(300)]
    pool = [f"2001:db8:19::1:{n}" for n in range(10)]
    world.apply(configuration(service(pool, VIP6, 1110, scheduler="source-hash"),
                              service(pool, VIP6, 1111, scheduler="source-hash")))
    to = {}
    for port, sport in (1110, 40000), (1110, 1024), (1111, 5555):
        frames = [bytes(f.ether() / IPv6(src=client, dst=VIP6)
                        / f.TCP(sport=sport, dport=port, flags="S")) for client in clients]
        answers = world.lbr.run(frames)
        assert all(action == TX for action, _ in answers), "not all were sent"
        placed = dict(zip(clients, (frame[38:54] for _, frame in answers)))
        equal(placed, to or placed, f"port {port}, source port {sport}")
        to = placed
    equal(set(to.values()), set(map(ip, pool)), "backends used")


@test("source-hash: a SYN is not remembered; a flood moves no flow")
def flood(world):
    tcp = Service(world, 1112, scheduler="source-hash")
    world.apply(configuration(tcp.text(TEN), insert_limit=1000000))
    count, before = world.flows(), tcp.from_clients(CLIENTS)
    equal(world.flows() - count, 0, "flows remembered after the SYNs")
    tcp.from_clients(CLIENTS, 50000)
    equal(tcp.from_clients(CLIENTS, flags=f.ACK), before, "after the flood")


@test("source-hash: one of ten removed: a tenth of the clients moves, known flows stay")
def removed(world):
    tcp = Service(world, 1113, scheduler="source-hash")
    world.apply(configuration(tcp.text(TEN), handshake_grace="0s", insert_limit=1000000))
    before, known = tcp.from_clients(CLIENTS), CLIENTS[:1000]
    [tcp.from_clients(known, 50000, f.ACK) for _ in range(2)]
    world.apply(configuration(tcp.text(TEN[1:]), handshake_grace="0s", insert_limit=1000000))
    after = tcp.from_clients(CLIENTS)
    gone = moved(before, after)
    assert len(gone) <= 0.12 * len(CLIENTS), f"{len(gone)} of {len(CLIENTS)} moved"
    assert {client for client in CLIENTS if before[client] == TEN[0]} <= set(gone)
    kept = {client: to for client, to in before.items()
            if to != TEN[0] and client in set(known)}
    stayed(kept, tcp.from_clients(list(kept), 50000, f.PUSH), "known")


@test("schedulers: from one to another: handshakes under way and known flows stay")
def another(world):
    words, sports = ("maglev", "random", "round-robin", "source-hash"), PORTS[:500]
    for number, word in enumerate(words):
        for other in words[:number] + words[number + 1:]:
            port = 1120 + 10 * number + words.index(other)
            old = Service(world, port, scheduler=word)
            new = Service(world, port, scheduler=other)
            world.apply(configuration(old.text(TEN), insert_limit=1000000, handshake_grace="0s"))
            before = old.send(sports, f.SYN)
            world.apply(configuration(new.text(TEN), insert_limit=1000000, handshake_grace="60s"))
            stayed(before, new.send(sports, f.ACK), f"{word} to {other}: ACK")
            stayed(before, new.send(sports, f.PUSH), f"{word} to {other}: data")
