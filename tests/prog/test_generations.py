# SPDX-License-Identifier: GPL-2.0-only
"""Handshakes across a change of the pool, and flows across an upgrade."""

import time

import frames as f
from network import TX, backend, configuration, service
from placing import PORTS, TEN, Service, moved, stayed, wait_for
from tap import equal, test

FEW, MANY = TEN[:5], TEN  # between them, no backend's flows are lost


def tables(world, tcp, sports):
    """Where each of the two tables places unknown flows; afterwards the first table is
    in use, and no flow is remembered."""
    by = []
    for pool in MANY, FEW:
        world.apply(configuration(tcp.text(pool), handshake_grace="0s"))
        by.append(tcp.send(sports, f.RST))
    differ = moved(by[0], by[1])
    assert len(differ) > 0.3 * len(sports), "the tables do not differ"
    return by[1], by[0], differ


class AnyPort(Service):
    """The same for a service of any port."""

    def text(self, backends):
        return service(backends, port="any")


@test("generations: SYN, change, ACK: the same backend")
def handshake(world):
    change_between(world, Service(world, 2001))


@test("generations: SYN, change, ACK: the same backend, for any port")
def handshake_any(world):
    change_between(world, AnyPort(world, 2011))


def change_between(world, tcp):
    sports = PORTS[:3000]
    _, _, differ = tables(world, tcp, sports)
    before = tcp.send(sports, f.SYN)
    world.apply(configuration(tcp.text(MANY), handshake_grace="60s"))
    stayed(before, tcp.send(sports, f.ACK), "ACK")
    # The flow is remembered now: the grace may end.
    world.apply(configuration(tcp.text(MANY[:9]), handshake_grace="0s"))
    stayed({sport: before[sport] for sport in differ},
           tcp.send(differ, f.PUSH), "after the grace")


@test("generations: SYN after the change, ACK: the new backend")
def after_change(world):
    tcp, sports = Service(world, 2002), PORTS[:3000]
    _, new, _ = tables(world, tcp, sports)
    count = world.flows()
    world.apply(configuration(tcp.text(MANY), handshake_grace="60s"))
    stayed(new, tcp.send(sports, f.SYN), "SYN, by the new table")
    equal(world.flows() - count, 0, "remembered after the SYNs")
    stayed(new, tcp.send(sports, f.ACK), "ACK")
    equal(world.flows() - count, len(sports), "remembered after the ACKs")


@test("generations: SYN before and again after the change: the new backend")
def again(world):
    tcp, sports = Service(world, 2003), PORTS[:3000]
    _, new, _ = tables(world, tcp, sports)
    tcp.send(sports, f.SYN)
    world.apply(configuration(tcp.text(MANY), handshake_grace="60s"))
    stayed(new, tcp.send(sports, f.SYN), "the second SYN")
    stayed(new, tcp.send(sports, f.ACK), "its ACK")


@test("generations: two changes within the grace, SYN before both, ACK")
def two_changes(world):
    tcp, sports = Service(world, 2004), PORTS[:3000]
    tables(world, tcp, sports)
    before = tcp.send(sports, f.SYN)
    world.apply(configuration(tcp.text(TEN[:7]), handshake_grace="60s"))
    between = tcp.send(range(30000, 33000), f.SYN)
    world.apply(configuration(tcp.text(MANY), handshake_grace="60s"))
    stayed(before, tcp.send(sports, f.ACK), "begun before both")
    stayed(between, tcp.send(range(30000, 33000), f.ACK), "begun between")


@test("generations: a table that handshakes still go by is not written over")
def kept(world):
    tcp, sports = Service(world, 2020), PORTS[:1000]
    if world.lbr.program:  # so that the table is the first of all
        world.lbr.close()
        world.lbr("down")
    world.apply(configuration(tcp.text(FEW), handshake_grace="0s"))
    before = tcp.send(sports, f.RST)  # nothing is remembered
    for count in 10, 9, 8, 7:
        world.apply(configuration(tcp.text(MANY[:count]), handshake_grace="60s"))
    stayed(before, tcp.send(sports, f.ACK), "ACK")


@test("generations: the grace ends: an unknown ACK goes by the new table")
def grace_over(world):
    tcp, sports = Service(world, 2005), PORTS[:3000]
    old, new, differ = tables(world, tcp, sports)
    world.apply(configuration(tcp.text(MANY), handshake_grace="2s"))
    probe = differ[:1]
    equal(tcp.send(probe, f.RST), {probe[0]: old[probe[0]]}, "within the grace")
    wait_for(lambda: tcp.send(probe, f.RST)[probe[0]] == new[probe[0]], "the end of the grace")
    stayed(new, tcp.send(sports, f.ACK), "after the grace")


@test("generations: an unknown ACK never goes to a removed backend")
def removed(world):
    tcp = Service(world, 2006)
    world.apply(configuration(tcp.text(MANY), handshake_grace="0s"))
    world.apply(configuration(tcp.text(FEW), handshake_grace="60s"))
    left = set(tcp.send(PORTS[:3000], f.ACK).values())
    assert left == set(FEW), f"flows at {sorted(left)}"


@test("generations: a client port used again after its slot moved, 100 of 100")
def reused(world):
    for grace in "0s", "60s":
        tcp = Service(world, 2007 if grace == "0s" else 2008)
        _, _, differ = tables(world, tcp, PORTS[:3000])
        sports = differ[:100]
        tcp.send(sports, f.SYN)
        tcp.send(sports, f.ACK)  # it is remembered with the old backend
        tcp.send(sports, f.FIN)
        world.apply(configuration(tcp.text(MANY), handshake_grace=grace))
        begun = tcp.send(sports, f.SYN)
        stayed(begun, tcp.send(sports, f.ACK), f"grace {grace}")
        stayed(begun, tcp.send(sports, f.PUSH), f"grace {grace}")


@test("generations: a client port used again after its slot moved, two changes ago")
def reused_later(world):
    tcp = Service(world, 2012)
    _, new, differ = tables(world, tcp, PORTS[:3000])
    tcp.hold(differ)
    world.apply(configuration(tcp.text(MANY), handshake_grace="0s"))
    # A backend that owns none of their slots is removed, so only its own slots move.
    last = MANY[9]
    rest = [sport for sport in differ if new[sport] != last]
    world.apply(configuration(tcp.text(MANY[:9]), handshake_grace="0s"))
    begun = tcp.send(rest, f.SYN)
    stayed(begun, tcp.send(rest, f.ACK), "ACK")


@test("generations: another flow-table-size: 1,000 flows are copied")
def upgrade(world):
    tcp, sports = Service(world, 2009), PORTS[:1000]
    _, new, differ = tables(world, tcp, sports)
    count = world.flows()
    before = tcp.hold(sports)
    world.apply(configuration(tcp.text(MANY), handshake_grace="0s"))
    assert differ and moved(new, before), "they would stay by the table alone"
    try:
        world.up(configuration(tcp.text(MANY), handshake_grace="0s", flow_table_size=500000))
        stayed(before, tcp.send(sports, f.PUSH), "after the upgrade")
        equal(world.flows(), count + len(sports), "flows")
        small = world.file(configuration(tcp.text(MANY), flow_table_size=100))
        world.lbr("up", "-c", small, status=1)
        stayed(before, tcp.send(sports, f.PUSH), "after one too small was refused")
    finally:
        world.up(configuration(tcp.text(MANY)))
    stayed(before, tcp.send(sports, f.PUSH), "and back")


@test("generations: `up` again: the same program, the same flows")
def up_again(world):
    tcp, sports = Service(world, 2010), PORTS[:1000]
    tables(world, tcp, sports)
    before = tcp.hold(sports)
    for _ in range(3):
        world.up(configuration(tcp.text(MANY)))
        stayed(before, tcp.send(sports, f.PUSH), "after `up`")


@test("generations: a smaller flow-table-size: where there is no room, the oldest flows go")
def smaller(world):
    tcp, half = Service(world, 2012), len(PORTS) // 20
    old, new = PORTS[:half], PORTS[half : 2 * half]
    world.lbr("down")  # the flow table must hold only our flows
    try:
        world.up(configuration(tcp.text(TEN)))
        tcp.hold(old)
        world.see(-10_000)
        tcp.hold(new)
        world.up(configuration(tcp.text(TEN), flow_table_size=2 * half))
        shown = world.lbr.rows("flows")
        left = {int(row["client"].rsplit(":", 1)[1]) for row in shown}
        lost = [len(set(sports) - left) for sports in (old, new)]
        # a bucket has room for four flows of the same age
        assert lost[0] > 3 * lost[1], f"of the old {lost[0]}, of the new {lost[1]}"
    finally:
        world.up(configuration(tcp.text(TEN)))


@test("generations: while no backend gets new flows there is no table; then there is one again")
def no_table(world):
    tcp = Service(world, 2031)
    drained = [backend(address, drain=True) for address in FEW]
    for pool in drained, FEW, drained, FEW:
        for _ in range(3):  # the last generation that had a table is gone, too
            world.apply(configuration(tcp.text(pool), handshake_grace="0s"))
        [(action, _)] = world.lbr.run([tcp.flows.frame(PORTS[0], f.SYN)])
        equal(action == TX, pool is FEW, "forwarded")


@test("generations: from many large tables in many chunks to a single one")
def chunks_go(world):
    tcp, count = Service(world, 2032), 2
    while count < 300:
        count += max(4, count // 8)
        world.apply(configuration(*(service(FEW, port=3000 + i, table_size=131071)
                                    for i in range(count)), handshake_grace="0s"))
    time.sleep(1.1)  # then no packet uses the tables before any more
    for _ in range(5):
        world.apply(configuration(tcp.text(FEW), handshake_grace="0s"))
        time.sleep(1.1)
    [(action, _)] = world.lbr.run([tcp.flows.frame(PORTS[0], f.SYN)])
    equal(action, TX, "forwarded")
