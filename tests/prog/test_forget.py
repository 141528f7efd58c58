# SPDX-License-Identifier: GPL-2.0-only
"""xdp_lbr with `flows: second-chance`: it goes by the file's table and remembers flows
only in slots that somebody has taken from their owner."""

import frames as f
from network import DROP, backend, configuration, service
from placing import PORTS, TEN, Service, share, stayed
from tap import equal, test

SPORTS = PORTS[:3000]


class Forgetful(Service):
    def text(self, backends):
        return service(backends, port=self.port, flows="second-chance")


def applied(world, text):
    """Without --now."""
    return world.apply(text, now=False)


def placed_by(world, port, pool):
    """The backends that a service with a flow table would select; that service is
    removed again."""
    plain = Service(world, port)
    world.apply(configuration(plain.text(pool)))
    placed = plain.send(SPORTS, f.SYN)
    world.apply(configuration(Service(world, 9000).text(pool)))
    return placed


def filling(address):
    return f"{{address: '{address}', state: filling}}"


@test("forget: the same backends as where flows are remembered, and none is")
def nothing_kept(world):
    tcp, wanted = Forgetful(world, 9001), placed_by(world, 9001, TEN)
    world.apply(configuration(tcp.text(TEN)))
    count = world.flows()
    for flags in f.SYN, f.ACK, f.PUSH, f.ACK, f.FIN, f.RST:
        stayed(wanted, tcp.send(SPORTS, flags), f"flags {flags:#x}")
    equal(world.flows(), count, "flows remembered")
    equal(len(share(wanted)), 10, "backends used")


@test("forget: a change of the file in steps: all flows go by it at once")
def steps(world):
    tcp, wanted = Forgetful(world, 9002), placed_by(world, 9002, TEN)
    world.apply(configuration(tcp.text(TEN[:9])))
    before = tcp.hold(SPORTS)
    applied(world, configuration(tcp.text(TEN[:9] + [filling(TEN[9])])))
    for flags in f.SYN, f.ACK:
        stayed(wanted, tcp.send(SPORTS, flags), "while the tenth fills")
    applied(world, configuration(tcp.text(TEN)))
    stayed(wanted, tcp.send(SPORTS, f.ACK), "when it is active")
    applied(world, configuration(tcp.text(TEN[:9] + [backend(TEN[9], drain=True)])))
    stayed(before, tcp.send(SPORTS, f.ACK), "while it drains")
    applied(world, configuration(tcp.text(TEN[:9])))
    stayed(before, tcp.send(SPORTS, f.ACK), "when it is gone")


@test("forget: a step that would break flows is refused, and names the next one")
def refused(world):
    tcp = Forgetful(world, 9003)
    world.apply(configuration(tcp.text(TEN)))
    before = tcp.send(SPORTS, f.ACK)
    for pool, hint in (TEN[1:], "is removed; give it `state: draining` first"), (
            TEN + ["172.19.1.11"], "is new; give it `state: filling` first"), (
            [backend(TEN[0], 2)] + TEN[1:], "give it `weight-before: 1` first"):
        file = world.file(configuration(tcp.text(pool)))
        assert world.lbr("apply", file, status=1) == ""
        stayed(before, tcp.send(SPORTS, f.ACK), hint)
    world.lbr("apply", "--now", world.file(configuration(tcp.text(TEN[1:]))))
    assert TEN[0] not in tcp.send(SPORTS, f.ACK).values()


@test("forget: drained by hand: the drained keeps its flows, its deputies theirs, also afterwards")
def by_hand(world):
    tcp = Forgetful(world, 9004)
    world.apply(configuration(tcp.text(TEN), insert_limit=1000000))
    before, count, one = tcp.send(SPORTS, f.ACK), world.flows(), TEN[0]
    own = [sport for sport in SPORTS if before[sport] == one]
    others = [sport for sport in SPORTS if before[sport] != one]
    world.lbr("drain", one)
    # Flows that began before, and that nobody remembers.
    stayed(before, tcp.send(SPORTS, f.PUSH), "those that were there")
    new = tcp.send(own[::2], f.SYN)
    assert one not in new.values(), "a SYN went to the drained one"
    stayed(before, tcp.send(others, f.SYN), "SYNs of other slots")
    stayed(new, tcp.send(own[::2], f.ACK), "at their deputies")
    stayed(before, tcp.send(own[1::2], f.ACK), "at the drained one")
    equal(world.flows() - count >= len(own[::2]), True, "flows remembered in its slots")
    assert world.flows() - count <= len(own), "flows remembered in other slots"
    world.lbr("undrain", one)
    stayed(new, tcp.send(own[::2], f.ACK), "still at their deputies")
    stayed(before, tcp.send(own[1::2], f.ACK), "still at the owner")
    equal(set(tcp.send([sport + 20000 for sport in own], f.SYN).values()) - set(TEN), set(), "new")


@test("forget: drained by hand while it fills: new flows go to the candidate after it")
def by_hand_filling(world):
    tcp, keys = Forgetful(world, 9008), {"handshake_grace": "0s", "insert_limit": 1000000}

    def text(pool):  # the smaller the table, the more slots differ needlessly
        return configuration(
            service(pool, port=9008, flows="second-chance", table_size=251), **keys)

    world.apply(text(TEN[:9]))
    before = tcp.send(PORTS, f.ACK)
    applied(world, text(TEN[:9] + [filling(TEN[9])]))
    filled = tcp.send(PORTS, f.ACK)
    # With more backends out, the table of the others differs from the one before.
    out = [TEN[9], *TEN[:6]]
    own = [sport for sport in PORTS if filled[sport] == TEN[9] and before[sport] not in out]
    for one in out:
        world.lbr("drain", one)
    new = tcp.send(own[::2], f.SYN)
    stayed(before, new, "SYNs, where flows of these slots were")
    stayed(new, tcp.send(own[::2], f.ACK), "at their deputies")
    stayed(filled, tcp.send(own[1::2], f.ACK), "unknown, to the owner, who may pass them on")
    for one in out:
        world.lbr("undrain", one)
    stayed(new, tcp.send(own[::2], f.ACK), "still at their deputies")
    stayed(filled, tcp.send(own[1::2], f.ACK), "still at the owner")


@test("forget: a weight by hand: new flows go by it, those that are there stay")
def weight(world):
    tcp = Forgetful(world, 9005)
    world.apply(configuration(tcp.text(TEN[:2]), insert_limit=1000000))
    before = tcp.send(SPORTS, f.ACK)
    world.lbr("weight", TEN[0], "3")
    stayed(before, tcp.send(SPORTS, f.ACK), "unknown flows")
    part = share(tcp.send(range(30000, 34000), f.SYN))[TEN[0]]
    assert 0.70 <= part <= 0.80, f"{part:.1%} of the new flows"


@test("forget: all drained, by the file and by hand: flows stay, and SYNs are dropped")
def all_drained(world):
    tcp = Forgetful(world, 9006)
    world.apply(configuration(tcp.text(TEN[:2])))
    before = tcp.send(SPORTS, f.ACK)
    for how in "file", "hand":
        if how == "file":
            applied(world, configuration(tcp.text([backend(one, drain=True) for one in TEN[:2]])))
        else:
            applied(world, configuration(tcp.text([filling(one) for one in TEN[:2]])))
            applied(world, configuration(tcp.text(TEN[:2])))
            for one in TEN[:2]:
                world.lbr("drain", one)
        stayed(before, tcp.send(SPORTS, f.ACK), f"those that are there, by {how}")
        got = world.lbr.run(tcp.flows.frames(SPORTS[:50], f.SYN))
        equal({action for action, _ in got}, {DROP}, f"SYNs, by {how}")


@test("forget: from remember and back: no flow moves")
def both_ways(world):
    tcp, plain = Forgetful(world, 9007), Service(world, 9007)
    world.apply(configuration(plain.text(TEN), handshake_grace="0s", insert_limit=1000000))
    before = plain.hold(SPORTS)
    applied(world, configuration(plain.text(TEN[:9]), handshake_grace="0s"))
    kept = plain.send(SPORTS, f.ACK)
    stayed(before, kept, "remembered")
    applied(world, configuration(tcp.text(TEN[:9]), handshake_grace="0s"))
    stayed(before, tcp.send(SPORTS, f.ACK), "where they were remembered")
    new = tcp.send([sport + 20000 for sport in SPORTS], f.ACK)
    applied(world, configuration(plain.text(TEN[:9]), handshake_grace="0s"))
    plain.send([sport + 20000 for sport in SPORTS], f.ACK)
    plain.send([sport + 20000 for sport in SPORTS], f.ACK)
    applied(world, configuration(plain.text(TEN[:8]), handshake_grace="0s"))
    there = [sport for sport, one in new.items() if one != TEN[8]]
    stayed(new, plain.send(there, f.ACK), "remembered again")


@test("forget: from `flows: remember` on, flows from before are remembered, and outlive the service")
def remembered_from_now_on(world):
    forgetful, plain = Forgetful(world, 9021), Service(world, 9021)
    at_once = {"handshake_grace": "0s", "insert_limit": 1000000}
    rest = Service(world, 9000).text(TEN)
    world.apply(configuration(forgetful.text(TEN), rest, **at_once))
    placed = forgetful.send(SPORTS)
    equal(world.flows(), 0, "flows that are remembered before")
    applied(world, configuration(plain.text(TEN), rest, **at_once))
    stayed(placed, plain.hold(SPORTS), "now remembered")
    applied(world, configuration(rest, **at_once))
    stayed(placed, plain.send(SPORTS), "the service has left the file")
