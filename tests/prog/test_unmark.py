# SPDX-License-Identifier: GPL-2.0-only
"""Slots that have moved are at rest again once no flow needs their mark."""

import subprocess

import frames as f
from network import ROOT, TOPO, configuration, on, service
from placing import PORTS, TEN, Service, moved, stayed
from tap import equal, test

SPORTS = PORTS[:2000]
AGE_SLOTS = "build/tests/prog/age_slots"
SETTINGS = {"handshake_grace": "0s", "insert_limit": 1000000}


class Forgetful(Service):
    def text(self, backends):
        return service(backends, port=self.port, flows="second-chance")


def later(world, seconds=100):
    """As long after the last change, but for the flows."""
    on("lbdsr0a", AGE_SLOTS, f"{world.lbr.pins}/backends", str(seconds))


def marked(world, tcp):
    """How many slots are marked, and of how many."""
    row, = (row for row in world.lbr.rows("services") if row["port"] == tcp.port)
    return row["moved-slots"], row["table-size"]


def end(tcp, sports, world):
    """These flows end, and some time passes."""
    tcp.send(sports, f.FIN)
    world.see(-10_000)


def looked_up(world, tcp, sports):
    """Are packets of these flows remembered?"""
    count = world.flows()
    tcp.send(sports, f.ACK, 90)
    tcp.send(sports, f.ACK, 90)
    return world.flows() != count


def again(world, text):
    """The same file: whoever builds looks whether slots are at rest."""
    return world.apply(text, now=False)


@test("unmark: flows: second-chance: drained by hand and back: the price is flat again")
def by_hand(world):
    tcp = Forgetful(world, 9101)
    text = configuration(tcp.text(TEN), **SETTINGS)
    world.apply(text)
    before, one = tcp.send(SPORTS, f.ACK), TEN[0]
    equal(marked(world, tcp)[0], 0, "marked at first")
    own = [sport for sport in SPORTS if before[sport] == one]
    world.lbr("drain", one)
    at_deputies = tcp.hold(own, f.ACK), [sport + 20000 for sport in own]
    new = at_deputies[1]
    placed = tcp.send(new, f.SYN)
    placed = tcp.send(new, f.ACK)
    later(world)
    again(world, text)
    count, size = marked(world, tcp)
    assert size // 20 < count < size // 5, f"{count} of {size} slots while it is drained"
    world.lbr("undrain", one)
    later(world)
    again(world, text)
    at_others = [sport for sport in new if placed[sport] != one]
    stayed(placed, tcp.send(new, f.ACK), "flows of its deputies")
    count, size = marked(world, tcp)
    assert 0 < count <= len(at_others), f"{count} slots, for {len(at_others)} flows at others"
    end(tcp, new, world)
    again(world, text)
    equal(marked(world, tcp)[0], 0, "marked when they have ended")
    world.apply(text, now=False)
    equal(len([row for row in world.lbr.rows("flows") if row["port"] == tcp.port]), 0,
          "flows still remembered")
    stayed(before, tcp.send(SPORTS, f.ACK), "by the table")
    assert not looked_up(world, tcp, own), "packets are looked up"


@test("unmark: flows: second-chance: not before the notes of handshakes are old")
def not_at_once(world):
    tcp = Forgetful(world, 9102)
    text = configuration(tcp.text(TEN), **SETTINGS)
    world.apply(text)
    before, one = tcp.send(SPORTS, f.ACK), TEN[0]
    own = [sport for sport in SPORTS if before[sport] == one]
    world.lbr("drain", one)
    placed = tcp.send(own, f.SYN)
    world.lbr("undrain", one)
    world.see(-10_000)  # a SYN alone counts as ended
    later(world, 40)
    again(world, text)
    assert marked(world, tcp)[0], "at rest after 40 s"
    stayed(placed, tcp.send(own, f.ACK), "handshakes under way")


@test("unmark: from remember to second-chance: slots come to rest as their flows end")
def from_remember(world):
    tcp, plain = Forgetful(world, 9103), Service(world, 9103)
    world.apply(configuration(plain.text(TEN), **SETTINGS))
    before = plain.hold(SPORTS)
    world.apply(configuration(plain.text(TEN[:9]), **SETTINGS), now=False)
    text = configuration(tcp.text(TEN[:9]), **SETTINGS)
    world.apply(text, now=False)
    equal(*marked(world, tcp), "all slots are marked")
    later(world)
    again(world, text)
    tenth = [sport for sport in SPORTS if before[sport] == TEN[9]]
    # Maglev moves some slots of the others, too.
    count = marked(world, tcp)[0]
    assert 0 < count <= len(tenth) + 60, f"{count} slots, for {len(tenth)} flows"
    stayed(before, tcp.send(SPORTS, f.ACK), "its flows stay")
    end(tcp, SPORTS, world)
    again(world, text)
    equal(marked(world, tcp)[0], 0, "marked when they have ended")


@test("unmark: after one rolling drain of every backend, SYNs are on the fast path again")
def rolling(world):
    tcp = Service(world, 9104)
    text = configuration(tcp.text(TEN), **SETTINGS)
    world.apply(text)
    placed = tcp.hold(SPORTS)
    for one in TEN:
        world.lbr("drain", one)
        tcp.hold([sport + 20000 + 100 * TEN.index(one) for sport in SPORTS[:50]])
        world.lbr("undrain", one)
    stayed(placed, tcp.send(SPORTS, f.ACK), "the first flows")
    equal(*marked(world, tcp), "all slots are marked")
    later(world)
    again(world, text)
    stayed(placed, tcp.send(SPORTS, f.ACK), "the first flows, later")
    count, _ = marked(world, tcp)
    assert 0 < count <= 500, f"{count} slots, for 500 flows of which most are elsewhere"
    # A port that is used again must not meet the memory of a flow that ended.
    elsewhere = tcp.send(range(30000, 31000), f.ACK)
    end(tcp, elsewhere, world)
    again(world, text)
    equal(marked(world, tcp)[0], 0, "marked when they have ended")
    new = tcp.send(elsewhere, f.SYN, 500)
    stayed(new, tcp.send(elsewhere, f.ACK, 500), "new flows of the same ports")
    equal(moved(placed, tcp.send(SPORTS, f.ACK)), [], "the first flows, at the end")


@test("unmark: lbr run looks by itself")
def run(world):
    tcp = Forgetful(world, 9106)
    text = configuration(tcp.text(TEN), **SETTINGS)
    world.apply(text)
    world.lbr("drain", TEN[0])
    tcp.send(SPORTS[:500], f.SYN)
    placed = tcp.send(SPORTS[:500], f.ACK)
    world.lbr("undrain", TEN[0])
    later(world)
    running = subprocess.Popen(
        [TOPO, "exec", world.lbr.host, world.lbr.tool, "run", "-l", "127.0.0.1:8499"],
        cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        for line in running.stdout:
            if "at rest again" in line:
                break
        count = marked(world, tcp)[0]
        assert 0 < count < len(placed), f"{count} slots, for flows of deputies"
        stayed(placed, tcp.send(SPORTS[:500], f.ACK), "flows")
    finally:
        running.terminate()
        running.wait()


@test("unmark: a service of any port, and a port that had its flows")
def any_port(world):
    whole, own = Service(world, 9105), Service(world, 9105)
    whole.port = "any"
    world.apply(configuration(whole.text(TEN[:5]), **SETTINGS))
    placed = whole.hold(SPORTS)
    both = configuration(whole.text(TEN[:5]), own.text(TEN[5:]), **SETTINGS)
    world.apply(both, now=False)
    later(world)
    again(world, both)
    count = marked(world, own)[0]
    assert 0 < count <= len(SPORTS), f"{count} slots of the port"
    stayed(placed, own.send(SPORTS, f.ACK), "flows of any port")
    end(own, SPORTS, world)
    again(world, both)
    equal(marked(world, own)[0], 0, "marked when they have ended")
