# SPDX-License-Identifier: GPL-2.0-only
"""Services that leave the file, or are replaced by another: an existing flow stays with
its service; a new flow goes to the service that has the port now."""

import time

import frames as f
from network import DROP, PASS, TX, VIP, VIP6, backend, configuration, service
from placing import PORTS, TEN, Service, moved, stayed, wait_for
from tap import equal, test
from test_errors import one

OTHERS = [f"172.19.1.{n}" for n in range(11, 21)]
KEEPER = service(["172.19.0.3"], "192.168.25.99")  # a file needs a service
SOME, NEW = PORTS[:500], PORTS[5000:5300]


class Left(Service):
    """A service of one port, or (port "any") one of any port, as its packets to one
    port see it."""

    def __init__(self, world, vip, port, protocol="tcp", dport=None, **keys):
        super().__init__(world, dport or port, protocol)
        self.vip, self.keys, self.port = vip, keys, port
        self.flows.template[30:34] = bytes(map(int, vip.split(".")))

    def text(self, backends=TEN):
        return service(backends, self.vip, self.port, self.protocol, **self.keys)

    def met(self, sport, flags=0):
        """What becomes of one packet: (action, the reason)"""
        frame = self.flows.frame(sport, flags)
        action, got, reason = one(self.world.lbr, frame)
        if action != TX:
            equal(got, frame.hex(), "altered")
        return action, reason

    def begin(self, sports=SOME):
        """The flows that are remembered."""
        for _ in range(2):
            placed = self.send(sports, f.ACK)
        return placed

    def rows(self, kind="services"):
        shown = self.world.lbr.rows(kind)
        name = f"{self.vip}:{'*' if self.port == 'any' else self.port}"
        return [row for row in shown if (row["service"], row["protocol"]) == (name, self.protocol)]


def file(*services, **settings):
    settings = {"handshake_grace": "0s", **settings}
    return configuration(KEEPER, *(each.text() for each in services), **settings)


def said_of(said, vip):
    return [line for line in said.splitlines() if f" service {vip}:" in line]


def apply(world, *services, **settings):
    return world.apply(file(*services, **settings), now=False)


@test("left: its flows stay, other flows do not find it; its VIP stays ours; `show` and `apply` say so")
def flows_stay(world):
    for vip, protocol in ("192.168.25.71", "tcp"), ("192.168.25.72", "udp"):
        one_of = Left(world, vip, 7101, protocol)
        world.apply(file(one_of))
        placed = one_of.begin()
        said = apply(world)
        equal(said_of(said, vip),
              [f"- service {vip}:7101/{protocol} maglev rewrite, its flows drain for at most 300 s"],
              "said")
        for flags in (f.ACK, f.PUSH, f.FIN, f.RST) if protocol == "tcp" else (0,):
            stayed(placed, one_of.send(placed, flags), f"flags {flags:#x}")
        [row] = one_of.rows()
        equal((row["backends"], row["until"] > time.time()), (0, True), "shown")
        equal(sum(row["active-flows"] for row in one_of.rows("backends")), len(SOME), "in use")
        equal(one_of.met(NEW[0], f.ACK), (DROP, "unmatched"), "a new flow")
        if protocol == "tcp":
            equal(one_of.met(NEW[0], f.SYN), (DROP, "unmatched"), "SYN")
            equal(one_of.met(SOME[0], f.SYN), (DROP, "unmatched"), "SYN of a known flow")
        ping = f.ip4(vip) / f.echo4()
        equal(one(world.lbr, ping)[2], "echo_answered", "ping")
        said = apply(world)
        assert "nothing that packets meet changes" in said, said


@test("left: back in the file, it has its flows and its ids again")
def back(world):
    tcp = Left(world, "192.168.25.73", 7102)
    world.apply(file(tcp))
    placed = tcp.begin()
    # so that the table alone would select another backend
    tcp.text = lambda: Left.text(tcp, TEN[:5])
    apply(world, tcp)
    by_id = {row["backend"]: row["flows-total"] for row in tcp.rows("backends")}
    for _ in range(3):
        apply(world)
        stayed(placed, tcp.send(placed, f.PUSH), "gone")
        said = apply(world, tcp)
        equal(said_of(said, tcp.vip),
              [f"+ service {tcp.vip}:7102/tcp maglev rewrite, was being removed"], "said")
        stayed(placed, tcp.send(placed, f.PUSH), "back")
    equal({row["backend"]: row["flows-total"] for row in tcp.rows("backends")}, by_id, "counters")
    assert set(tcp.send(NEW, f.SYN).values()) <= set(TEN[:5]), "a SYN went elsewhere"
    equal(tcp.rows()[0]["until"], None, "until")


@test("left: --now cuts it; drain-timeout ends it, without any tool: then the VIP is the kernel's")
def ended(world):
    tcp = Left(world, "192.168.25.74", 7103)
    short = {"drain_timeout": "1s"}
    world.apply(file(tcp))
    tcp.begin()
    apply(world)
    said = world.apply(file())
    assert f"- service {tcp.vip}:7103/tcp maglev rewrite, was being removed: cut\n" in said, said
    equal(tcp.met(SOME[0], f.ACK), (PASS, "not_vip"), "cut")
    apply(world, tcp, **short)
    placed = tcp.begin()
    apply(world, **short)
    stayed(placed, tcp.send(placed, f.ACK), "at first")
    wait_for(lambda: not tcp.rows(), "its end")
    for flags in f.ACK, f.SYN:
        equal(tcp.met(SOME[0], flags), (PASS, "not_vip"), "after its end")
    equal(one(world.lbr, f.ip4(tcp.vip) / f.echo4())[2], "not_vip", "ping")
    said = apply(world, **short)
    assert f"- service {tcp.vip}:7103/tcp maglev rewrite, was being removed: drained\n" in said, said
    # no flow was in use
    apply(world, tcp)
    said = apply(world)
    equal(said_of(said, tcp.vip), [f"- service {tcp.vip}:7103/tcp maglev rewrite"], "said")
    equal(tcp.met(SOME[0], f.ACK), (PASS, "not_vip"), "nothing was in use")


# the services that the file has before and after: (that of port 80, that of any port)
CHANGES = {
    "80 leaves, any is there": ((1, 1), (0, 1)),
    "80 becomes any": ((1, 0), (0, 1)),
    "80 comes beside any": ((0, 1), (1, 1)),
    "any becomes 80": ((0, 1), (1, 0)),
}


def pair(world, number, protocol="tcp", **keys):
    """A service of port 80, and one of any port as packets to port 80 see it."""
    vip = f"192.168.26.{number}"
    own = Left(world, vip, 80, protocol)
    any_port = Left(world, vip, "any", protocol, 80, **keys)
    any_port.text = lambda: Left.text(any_port, OTHERS)
    return own, any_port


def of(services, which):
    return [each for each, there in zip(services, which) if there]


@test("left: the port changes hands: flows stay, new ones go to the port's new service")
def hands(world):
    for number, (name, (before, after)) in enumerate(CHANGES.items(), 1):
        for protocol in "tcp", "udp":
            services = pair(world, number, protocol)
            world.apply(file(*of(services, before)))
            placed = services[0].begin()
            assert set(placed.values()) <= set(TEN if before[0] else OTHERS), name
            for _ in range(2):
                apply(world, *of(services, after))
                stayed(placed, services[0].send(placed, f.PUSH), f"{name}, {protocol}")
            new = TEN if after[0] else OTHERS
            begun = services[0].send(NEW, f.SYN)
            assert set(begun.values()) <= set(new), f"{name}, {protocol}: new flows"
            stayed(begun, services[0].send(NEW, f.ACK), f"{name}, {protocol}: new flows")
            # and back
            apply(world, *of(services, before))
            stayed(placed, services[0].send(placed, f.PUSH), f"{name}, {protocol}, back")
            stayed(begun, services[0].send(NEW, f.PUSH), f"{name}, {protocol}, back, new")


@test("left: the port changes hands: a handshake that began before is completed by the old service")
def handshakes(world):
    for number, (name, (before, after)) in enumerate(CHANGES.items(), 11):
        services = pair(world, number)
        world.apply(file(*of(services, before)))
        begun = services[0].send(SOME, f.SYN)
        apply(world, *of(services, after), handshake_grace="60s")
        stayed(begun, services[0].send(SOME, f.ACK), name)
        stayed(begun, services[0].send(SOME, f.PUSH), f"{name}, remembered")
        apply(world, *of(services, after))
        stayed(begun, services[0].send(SOME, f.PUSH), f"{name}, after the grace")


@test("left: the port changes hands: a client's port used again, and a new one, within the grace or not")
def used_again(world):
    number = 30
    for name, (before, after) in CHANGES.items():
        for grace in "0s", "60s":
            number += 1
            services = pair(world, number)
            world.apply(file(*of(services, before)))
            services[0].begin()
            apply(world, *of(services, after), handshake_grace=grace)
            begun = services[0].send([*SOME, *NEW], f.SYN)
            assert set(begun.values()) <= set(TEN if after[0] else OTHERS), f"{name}: SYN"
            for flags in f.ACK, f.PUSH:
                stayed(begun, services[0].send(begun, flags), f"{name}, grace {grace}")
            apply(world, *of(services, after))
            stayed(begun, services[0].send(begun, f.PUSH), f"{name}, grace {grace}, later")


@test("left: each flow goes by the method of its own service")
def methods(world):
    own, any_port = pair(world, 21, forward="dscp", dscp=7)
    world.apply(file(own))
    frames = own.flows.frames(SOME, f.ACK)
    before = [world.lbr.run(frames) for _ in range(2)][1]
    apply(world, any_port)
    after = world.lbr.run(frames)
    equal([frame.hex() for _, frame in after], [frame.hex() for _, frame in before], "rewrite")
    frame = world.lbr.run(own.flows.frames(NEW[:1], f.SYN))[0][1]
    equal(frame[15] >> 2, 7, "of a new one")


@test("left: a backend that would now restore another VIP loses the flows; one that restores the same VIP keeps them")
def claimed(world):
    tcp = Left(world, "192.168.25.75", 7104)
    other = Left(world, "192.168.25.76", 7104)
    world.apply(file(tcp))
    placed = tcp.begin()
    other.text = lambda: Left.text(other, TEN[:1])
    apply(world, other)
    kept = {sport: to for sport, to in placed.items() if to != TEN[0]}
    stayed(kept, tcp.send(kept, f.ACK), "of the others")
    lost = next(sport for sport in placed if sport not in kept)
    equal(tcp.met(lost, f.ACK), (DROP, "unmatched"), "of the claimed")
    # any port of the same VIP, the same backends
    own, any_port = pair(world, 22)
    any_port.text = lambda: Left.text(any_port)
    any_port.keys = {"scheduler": "source-hash"}
    world.apply(file(own))
    placed = own.begin()
    apply(world, any_port)
    stayed(placed, own.send(placed, f.ACK), "of the same VIP")


@test("left: IPv6")
def ipv6(world):
    addresses = [f"2001:db8:19::{n}" for n in range(11, 16)]
    text = service(addresses, VIP6, 7105)
    flows = f.Flows(7105, ipv6=True)
    world.apply(configuration(KEEPER, text, handshake_grace="0s"))
    for _ in range(2):
        before = [frame[38:54] for _, frame in world.lbr.run(flows.frames(SOME, f.ACK))]
    apply(world)
    after = world.lbr.run(flows.frames(SOME, f.ACK))
    equal([frame[38:54] for _, frame in after], before, "flows")
    equal({action for action, _ in world.lbr.run(flows.frames(NEW, f.SYN))}, {DROP}, "SYN")


@test("left: a file with other services, again and again: the newest ones stay, and none is refused")
def again(world):
    """A file may have 4,096 services at most."""
    def many(number):
        return configuration(KEEPER, *(
            service([f"172.{net + number}.{n // 256}.{n % 256}" for net in (100, 120)],
                    f"10.{number}.{n // 256}.{n % 256}", table_size=251)
            for n in range(1, 4000)), handshake_grace="60s")

    world.apply(file())
    for number in range(1, 5):
        world.apply(many(number), now=False)
    equal(len(world.lbr.rows("services")), 4000 + 4096, "services")
    world.apply(file())
