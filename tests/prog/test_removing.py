# SPDX-License-Identifier: GPL-2.0-only
"""Backends that leave the file: which flows they keep, and when they are gone."""

import time

import frames as f
from network import VIP, backend, configuration, service
from placing import PORTS, TEN, Service, moved, stayed, wait_for
from tap import equal, test

LEFT, REST = TEN[0], TEN[1:]


def rows(world, port):
    shown = world.lbr.rows("backends")
    return {row["backend"]: row for row in shown if row["service"] == f"{VIP}:{port}"}


def leave(world, text):
    return world.apply(text, now=False)


def at(placed, address):
    return {sport: each for sport, each in placed.items() if each == address}


def begun(world, tcp, sports=PORTS[:1000], **settings):
    """Begin flows; returns those of the backend that will be removed."""
    leave(world, configuration(tcp.text(TEN), **settings))
    return at(tcp.hold(sports), LEFT)


@test("removing: its flows stay, SYNs go elsewhere, and `show` says how many flows it has")
def flows_stay(world):
    tcp = Service(world, 7001)
    placed = begun(world, tcp, handshake_grace="0s")
    said = leave(world, configuration(tcp.text(REST), handshake_grace="0s"))
    equal([line for line in said.splitlines() if f":{tcp.port}/" in line],
          [f"- backend {LEFT} of {VIP}:{tcp.port}/tcp weight 1, drains for at most 300 s"], "said")
    for flags in f.ACK, f.PUSH, f.FIN, f.RST:
        stayed(placed, tcp.send(placed, flags), f"flags {flags:#x}")
    row = rows(world, tcp.port)[LEFT]
    equal((row["state"], row["active-flows"]), ("removing", len(placed)), "shown")
    assert row["until"] > time.time(), row["until"]
    assert LEFT not in tcp.send(placed, f.SYN).values(), "a SYN went there"
    assert LEFT not in tcp.send(range(30000, 31000), f.ACK).values(), "a new flow went there"


@test("removing: a flow seen after the tool read its clock counts as in use")
def seen_ahead(world):
    tcp = Service(world, 7012)
    placed = begun(world, tcp, handshake_grace="0s")
    world.see(10_000)  # jiffies in the future, like a packet that comes meanwhile
    equal(rows(world, tcp.port)[LEFT]["active-flows"], len(placed), "in use")
    said = leave(world, configuration(tcp.text(REST), handshake_grace="0s"))
    equal([line for line in said.splitlines() if f":{tcp.port}/" in line],
          [f"- backend {LEFT} of {VIP}:{tcp.port}/tcp weight 1, drains for at most 300 s"], "said")
    stayed(placed, tcp.send(placed, f.ACK), "removing")


@test("removing: a handshake that began before is completed there")
def handshake(world):
    tcp, sports = Service(world, 7002), PORTS[:1000]
    leave(world, configuration(tcp.text(TEN), handshake_grace="0s"))
    before = tcp.send(sports, f.SYN)
    leave(world, configuration(tcp.text(REST), handshake_grace="60s"))
    equal(rows(world, tcp.port)[LEFT]["active-flows"], 0, "no table knows them yet")
    stayed(before, tcp.send(sports, f.ACK), "ACK")
    equal(rows(world, tcp.port)[LEFT]["active-flows"], len(at(before, LEFT)), "now")


@test("removing: --now cuts it, also one that is already being removed")
def now(world):
    tcp = Service(world, 7003)
    placed = begun(world, tcp)
    leave(world, configuration(tcp.text(REST)))
    stayed(placed, tcp.send(placed, f.ACK), "removing")
    said = world.apply(configuration(tcp.text(REST)))
    assert f"- backend {LEFT} of {VIP}:{tcp.port}/tcp cut\n" in said, said
    assert LEFT not in tcp.send(placed, f.ACK).values(), "its flows are still there"
    assert LEFT not in rows(world, tcp.port), "it is still there"
    world.apply(configuration(tcp.text(REST[1:])))
    assert REST[0] not in rows(world, tcp.port), "the second is still there"


@test("removing: drain-timeout ends it, without any tool")
def timeout(world):
    tcp = Service(world, 7004)
    settings = {"drain_timeout": "1s", "handshake_grace": "0s"}
    placed = begun(world, tcp, **settings)
    leave(world, configuration(tcp.text(REST), **settings))
    stayed(placed, tcp.send(placed, f.ACK), "at first")
    wait_for(lambda: LEFT not in tcp.send(placed, f.ACK).values(), "its end")
    assert LEFT not in rows(world, tcp.port), "it is still shown"
    for zero in begun(world, tcp, drain_timeout="0s"), :
        leave(world, configuration(tcp.text(REST), drain_timeout="0s"))
        assert LEFT not in tcp.send(zero, f.ACK).values(), "0s did not cut"


@test("removing: within the grace unknown flows go there until drain-timeout ends it")
def unknown(world):
    for seconds in 2, 8, 32:  # more where the machine is slow
        tcp, drain = Service(world, 7020), {"drain_timeout": f"{seconds}s"}
        begun(world, tcp, handshake_grace="0s", **drain)
        there = at(tcp.send(range(30000, 30400), f.RST), LEFT)  # of a RST nothing is remembered
        began = time.monotonic()
        leave(world, configuration(tcp.text(REST), handshake_grace="60s", **drain))
        after = tcp.send(there, f.RST)
        if time.monotonic() - began < seconds / 2:
            break
        world.apply(configuration(Service(world, 7021).text(TEN), handshake_grace="0s"))
    stayed(there, after, "at first")
    wait_for(lambda: LEFT not in tcp.send(there, f.RST).values(), "its end", seconds + 10)


@test("removing: it ends when its flows are idle: UDP after udp-idle, TCP some seconds after FIN or RST")
def ended(world):
    tcp, udp = Service(world, 7005), Service(world, 7006, "udp")
    other = Service(world, 7007)  # that goes on
    settings = {"udp_idle": "1s", "handshake_grace": "0s"}

    def apply(pool):
        return leave(world, configuration(*(each.text(pool) for each in (tcp, udp, other)),
                                         **settings))

    apply(TEN)
    placed = {each: at(each.hold(PORTS[:300], flags), LEFT)
              for each, flags in ((tcp, f.ACK), (udp, 0), (other, f.ACK))}
    half = list(placed[tcp])
    tcp.send(half, f.ACK)  # known since a moment ago
    tcp.send(half[::2], f.FIN)
    tcp.send(half[1::2], f.RST)
    other.send(placed[other], f.FIN)
    other.send(placed[other], f.ACK)  # ACKs for what the server still sends
    other.send(placed[other], f.PUSH)  # a new connection by the same ports: the flow is in use
    apply(REST)
    equal([rows(world, each.port)[LEFT]["active-flows"] for each in placed],
          [len(flows) for flows in placed.values()], "in use")
    stayed(placed[tcp], tcp.send(placed[tcp], f.ACK), "what is still under way")
    wait_for(lambda: rows(world, udp.port)[LEFT]["active-flows"] == 0, "idle")
    wait_for(lambda: rows(world, tcp.port)[LEFT]["active-flows"] == 0, "ended")
    said = apply(REST)
    for each in tcp, udp:
        assert f"- backend {LEFT} of {VIP}:{each.port}/{each.protocol} drained\n" in said, said
        assert LEFT not in rows(world, each.port), "it is still there"
    equal(rows(world, other.port)[LEFT]["active-flows"], len(placed[other]), "of the one that goes on")
    stayed(placed[other], other.send(placed[other], f.ACK), "one that goes on")


@test("removing: back in the file, it has the flows that it still had")
def back(world):
    tcp = Service(world, 7008)
    placed = begun(world, tcp)
    leave(world, configuration(tcp.text(REST)))
    said = leave(world, configuration(tcp.text(TEN)))
    assert f"+ backend {LEFT} of {VIP}:{tcp.port}/tcp weight 1, was being removed\n" in said, said
    stayed(placed, tcp.send(placed, f.PUSH), "back")
    assert LEFT in tcp.send(range(30000, 31000), f.SYN).values(), "it gets no new flows"
    equal(rows(world, tcp.port)[LEFT]["state"], "up", "state")


@test("removing: another apply does not change when it ends")
def again(world):
    tcp = Service(world, 7009)
    begun(world, tcp)
    leave(world, configuration(tcp.text(REST), drain_timeout="1h"))
    first = rows(world, tcp.port)[LEFT]["until"]
    said = leave(world, configuration(tcp.text(REST), drain_timeout="2h"))
    assert said.strip() == "~ drain-timeout 1h -> 2h", said
    leave(world, configuration(tcp.text([backend(REST[0], 7), *REST[1:]])))
    second = rows(world, tcp.port)[LEFT]["until"]
    # Printed to the second, twice.
    assert abs(first - second) <= 2, f"{first} {second}"


@test("removing: cut if another service takes over its address")
def taken(world):
    tcp, sports = Service(world, 7010), PORTS[:1000]
    placed = begun(world, tcp)
    other = service([LEFT], "192.168.25.77", port=tcp.port)
    leave(world, configuration(tcp.text(REST), other))
    assert moved(placed, tcp.send(placed, f.ACK)), "it restores another VIP by now"
    assert LEFT not in rows(world, tcp.port), "it is still there"
    # of another port: the backend can tell them apart
    tcp = Service(world, 7011)
    placed = begun(world, tcp)
    leave(world, configuration(tcp.text(REST), service([LEFT], "192.168.25.77", port=7012)))
    stayed(placed, tcp.send(placed, f.ACK), "of another port")
