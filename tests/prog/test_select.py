# SPDX-License-Identifier: GPL-2.0-only
"""Which backend a flow gets and keeps: 10,000 client ports through the loaded program,
while the backends stay the same or change once."""

import time

import frames as f
from network import CLIENT, TX, VIP, backend, configuration, service
from placing import PORTS, TEN, Service, moved, share, stayed, wait_for
from tap import Skip, equal, test


@test("select: 10,000 flows stay, with others in between; a SYN is not remembered")
def flows_stay(world):
    tcp, other = Service(world, 1001), Service(world, 1002)
    world.apply(configuration(tcp.text(TEN), other.text(TEN), insert_limit=1000000))
    before = tcp.send(PORTS, f.SYN)
    equal(world.flows(), 0, "flows remembered after the SYNs")
    other.send(PORTS, f.ACK)
    equal(world.flows(), 0, "flows remembered after one ACK each")
    other.hold(PORTS)
    equal(world.flows(), len(PORTS), "flows remembered after the other's ACKs")
    for flags in f.ACK, f.PUSH, f.FIN, f.ACK, f.RST:
        stayed(before, tcp.send(PORTS, flags), f"flags {flags:#x}")
        other.send(PORTS[::7], f.SYN)
    equal(len(share(before)), 10, "backends used")
    for address, part in share(before).items():
        assert 0.08 <= part <= 0.12, f"{address} has {part:.1%} of the flows"


@test("select: a RST is not remembered")
def rst(world):
    tcp = Service(world, 1003)
    world.apply(configuration(tcp.text(TEN)))
    before = world.flows()
    tcp.send(PORTS[:1000], f.RST)
    tcp.send(PORTS[:1000], f.RST | f.ACK)
    equal(world.flows() - before, 0, "flows remembered")


@test("select: any port: from one client port to two ports are two flows")
def two_ports(world):
    one, other, sports = Service(world, 1016), Service(world, 1017), PORTS[:500]
    world.apply(configuration(service(TEN, port="any")))
    count = world.flows()
    for flags in f.SYN, f.ACK, f.PUSH:
        before = one.send(sports, flags), other.send(sports, flags)
    equal(world.flows() - count, 2 * len(sports), "flows remembered")
    assert moved(*before), "the two ports fall on the same slots"


@test("select: remembered flows are shown with their backends")
def shown(world):
    tcp = Service(world, 1030)
    world.apply(configuration(tcp.text(TEN)))
    placed = tcp.hold(PORTS[:50])
    rows = {row["client"]: (row["service"], row["protocol"], row["backend"])
            for row in world.lbr.rows("flows")
            if row["service"].endswith(":1030")}
    equal(rows, {f"{CLIENT}:{sport}": (f"{VIP}:1030", "tcp", backend)
                 for sport, backend in placed.items()}, "flows")


@test("select: weights 3:1")
def weights(world):
    tcp = Service(world, 1004)
    world.apply(configuration(tcp.text([backend(TEN[0], 3), backend(TEN[1], 1)])))
    part = share(tcp.send(PORTS, f.SYN))[TEN[0]]
    assert 0.70 <= part <= 0.80, f"{part:.1%} of the flows"


@test("select: one of ten removed, flows not remembered: at most 12 % move")
def removed(world):
    tcp = Service(world, 1005)
    world.apply(configuration(tcp.text(TEN), handshake_grace="0s"))
    before = tcp.send(PORTS, f.SYN)
    world.apply(configuration(tcp.text(TEN[1:]), handshake_grace="0s"))
    after = tcp.send(PORTS, f.SYN)
    gone = set(moved(before, after))
    assert len(gone) <= 0.12 * len(PORTS), f"{len(gone)} moved"
    for sport in PORTS:
        assert before[sport] != TEN[0] or sport in gone, "the removed one still gets flows"


@test("select: one of ten removed, flows remembered: only its own move")
def removed_known(world):
    tcp = Service(world, 1006)
    world.apply(configuration(tcp.text(TEN)))
    before = tcp.hold(PORTS)
    world.apply(configuration(tcp.text(TEN[1:])))
    after = tcp.send(PORTS, f.ACK)
    equal(set(moved(before, after)), {port for port in PORTS if before[port] == TEN[0]},
          "the flows that moved")
    stayed(after, tcp.send(PORTS, f.PUSH), "then")
    # The backend is back with a new id, so flows that moved away stay away.
    world.apply(configuration(tcp.text(TEN)))
    stayed(after, tcp.send(PORTS, f.PUSH), "when it is back")


@test("select: a backend that takes the index of one that left does not get its flows")
def place_taken(world):
    tcp, sports = Service(world, 1018), PORTS[:1000]

    def apply(*pool):
        world.apply(configuration(tcp.text(pool), handshake_grace="0s"))

    apply(TEN[0], TEN[1])
    by_table = tcp.send(sports, f.RST)
    apply(TEN[0])
    apply(TEN[0], TEN[2])
    before = tcp.hold(sports)
    apply(TEN[0])
    apply(TEN[0], TEN[1])
    left = {sport: by_table[sport] for sport in sports if before[sport] == TEN[2]}
    equal(set(left.values()), {TEN[0], TEN[1]}, "where the table sends them")
    stayed(left, tcp.send(left, f.ACK), "by the table")


@test("select: flow-table-size 10, 40 flows held open: none moves")
def small_table(world):
    tcp, sports = Service(world, 1007), PORTS[:40]
    world.lbr("down")  # a table in use cannot become this small
    try:
        world.up(configuration(tcp.text(TEN), flow_table_size=10))
        before = tcp.send(sports, f.SYN)
        for _ in range(20):
            stayed(before, tcp.send(sports, f.ACK), "with the table full")
            tcp.send(PORTS[100:200], f.SYN)
            tcp.send(PORTS[200:300], f.ACK)
        assert world.flows() < len(sports), "the table is not small"
    finally:
        world.up(configuration(tcp.text(TEN)))


@test("select: draining: known flows stay, SYNs go elsewhere")
def draining(world):
    tcp, known, new = Service(world, 1008), PORTS[:2000], PORTS[5000:7000]
    for grace in "0s", "60s":
        world.apply(configuration(tcp.text(TEN), handshake_grace=grace))
        before = tcp.hold(known)
        rest = [backend(TEN[0], drain=True), *TEN[1:]]
        world.apply(configuration(tcp.text(rest), handshake_grace=grace))
        stayed(before, tcp.send(known, f.PUSH), "known")
        begun = tcp.send(new, f.SYN)
        assert TEN[0] not in begun.values(), "a new flow went to the draining one"
        stayed(begun, tcp.send(new, f.ACK), f"new, grace {grace}")
        # The client's ports of known flows, used again.
        begun = tcp.send(known, f.SYN)
        assert TEN[0] not in begun.values(), "a SYN went to the draining one"
        stayed(begun, tcp.send(known, f.ACK), f"reused, grace {grace}")
        known, new = range(20000, 22000), range(25000, 27000)


@test("select: all backends draining: known flows stay, SYNs get none")
def all_draining(world):
    tcp, known = Service(world, 1009), PORTS[:100]
    world.apply(configuration(tcp.text(TEN)))
    before = tcp.hold(known)
    world.apply(configuration(tcp.text([backend(address, drain=True) for address in TEN])))
    stayed(before, tcp.send(known, f.PUSH), "known")
    count = world.lbr.reasons()["no_backend"]
    world.lbr.run(tcp.flows.frames(PORTS[200:300], f.SYN))
    equal(world.lbr.reasons()["no_backend"] - count, 100, "no_backend")


@test("select: random: 10,000 SYNs are spread evenly, ACKs follow")
def at_random(world):
    tcp = Service(world, 1010, scheduler="random")
    world.apply(configuration(tcp.text(TEN[:2]), insert_limit=1000000))
    before = tcp.send(PORTS, f.SYN)
    part = share(before)[TEN[0]]
    assert 0.45 <= part <= 0.55, f"{part:.1%} of the flows"
    for flags in f.ACK, f.PUSH, f.SYN:
        stayed(before, tcp.send(PORTS, flags), f"flags {flags:#x}")
    maglev = Service(world, 1011)
    world.apply(configuration(tcp.text(TEN[:2]), maglev.text(TEN[:2])))
    by_table = maglev.send(PORTS, f.SYN)
    other = sum(by_table[sport] != before[sport] for sport in PORTS) / len(PORTS)
    assert 0.4 <= other <= 0.6, f"random is no other than maglev for {1 - other:.0%}"
    stayed(before, tcp.send(PORTS, f.ACK), "after a change elsewhere")


@test("select: random: a client port is used again after its backend left, ACKs follow")
def random_again(world):
    tcp, sports = Service(world, 1015, scheduler="random"), PORTS[:1000]
    for pool in TEN[:2], TEN[2:4]:
        world.apply(configuration(tcp.text(pool), insert_limit=1000000))
        begun = tcp.send(sports, f.SYN)
        equal(set(begun.values()), set(pool), "backends used")
        stayed(begun, tcp.send(sports, f.ACK), "ACK")


@test("select: another scheduler or table-size: a known port's SYN, ACKs follow")
def table_anew(world):
    def text(scheduler, size):
        return configuration(service(TEN, port=1019, scheduler=scheduler, table_size=size),
                             handshake_grace="0s", insert_limit=1000000)

    tcp, sports = Service(world, 1019), PORTS[:2000]
    world.apply(text("maglev", 65537))
    by_table = tcp.send(sports, f.SYN)
    world.apply(text("random", 65537))
    before = tcp.send(sports, f.SYN)
    for scheduler, size in ("maglev", 65537), ("maglev", 4099):
        world.apply(text(scheduler, size))
        assert moved(by_table, before), "the table says the same"
        stayed(before, tcp.send(sports, f.SYN), f"SYN, {scheduler} {size}")
        stayed(before, tcp.send(sports, f.ACK), f"ACK, {scheduler} {size}")


@test("select: a port gets a service beside one of any port: a known port's SYN, ACKs follow")
def own_port(world):
    tcp, sports = Service(world, 1020), PORTS[:1000]
    every = service(TEN[:2], port="any")
    world.apply(configuration(every, handshake_grace="0s"))
    equal(set(tcp.hold(sports).values()), set(TEN[:2]), "backends of any port")
    world.apply(configuration(every, tcp.text(TEN[2:4]), handshake_grace="0s"))
    begun = tcp.send(sports, f.SYN)
    equal(set(begun.values()), set(TEN[2:4]), "backends of its own")
    stayed(begun, tcp.send(sports, f.ACK), "ACK")


@test("select: 2,000 services, each with a backend of its own")
def many_services(world):
    ports = range(20000, 22000)
    backend_of = {port: f"172.19.{2 + port % 200}.{1 + port // 200 % 200}" for port in ports}
    world.apply(configuration(*(service([backend_of[port]], port=port, table_size=251)
                                for port in ports)))
    for port in ports:
        flow = Service(world, port)
        equal(flow.send([1024], f.SYN), {1024: backend_of[port]}, f"port {port}'s backend")


@test("select: 400 VIPs, each with a backend of its own")
def many_vips(world):
    numbers = range(400)
    vip = [f"198.18.{n // 200}.{n % 200}" for n in numbers]
    backend_of = [f"172.19.{2 + n // 200}.{1 + n % 200}" for n in numbers]
    world.apply(configuration(*(service([backend_of[n]], vip[n], table_size=251)
                                for n in numbers)))
    answers = world.lbr.run([bytes(f.ip4(dst=vip[n]) / f.tcp()) for n in numbers])
    for n, (action, frame) in zip(numbers, answers):
        assert action == TX, f"{vip[n]}: action {action}"
        equal(".".join(map(str, frame[30:34])), backend_of[n], f"{vip[n]}'s backend")


@test("select: random over its insert-limit goes by the table, consistently")
def over_limit(world):
    tcp, sports = Service(world, 1012, scheduler="random"), PORTS[:2000]
    world.apply(configuration(tcp.text(TEN), insert_limit=1))
    count = world.flows()
    before = tcp.send(sports, f.SYN)
    added = world.flows() - count
    assert added <= 20, f"{added} flows remembered in spite of the limit"
    for flags in f.ACK, f.PUSH:
        stayed(before, tcp.send(sports, flags), f"flags {flags:#x}")


def shifting(udp, **settings):
    """Two files between which some slots move, but none of a removed backend."""
    return [configuration(udp.text(pool), **settings) for pool in (TEN[:5], TEN)]


class Watch:
    """A service whose packets are timed: a flow that was silent for too long may have
    expired, and proves nothing."""

    def __init__(self, service):
        self.service, self.last, self.gap = service, None, 0.0

    def send(self, sports):
        begun, answers = time.monotonic(), self.service.send(sports, 0)
        if self.last:
            self.gap = max(self.gap, time.monotonic() - self.last)
        self.last = begun  # a flow's packet may be the batch's first, and next time its last
        return answers


def use_and_idle(world, udp, watch):
    first, second = shifting(udp, udp_idle="1s")
    world.apply(second)
    by_second = udp.send(PORTS[:2000], 0)
    world.apply(configuration(Service(world, 1014).text(TEN)))  # the service's flows are forgotten
    world.apply(first)
    watch.send(PORTS[:2000])
    before = watch.send(PORTS[:2000])
    movable = moved(by_second, before)
    assert len(movable) > 400, f"{len(movable)} of 2,000 flows would move"
    used, idle = movable[:100], movable[100:]
    world.apply(second)
    stayed(before, watch.send(movable), "known")
    known = time.monotonic()

    def one_expired():
        stayed(before, watch.send(used), "in use")
        sport = idle.pop()
        expired = udp.send([sport], 0)[sport] == by_second[sport]
        return expired and time.monotonic() - known > 2.5  # it has been in use for longer

    wait_for(one_expired, "an idle flow to expire")
    stayed(by_second, udp.send(idle, 0), "expired, by the new table")


@test("select: a UDP flow in use stays, an idle one expires")
def udp_idle(world):
    # A port for each try: what the one before left would be followed by this one's flows.
    ports = 1013, 1131, 1132, 1133
    for port in ports:
        udp = Service(world, port, "udp")
        watch = Watch(udp)
        try:
            return use_and_idle(world, udp, watch)
        except AssertionError:
            if watch.gap < 0.7:
                raise
            if port == ports[-1]:
                raise Skip(f"no packet for {watch.gap:.1f} s: too slow to be in use") from None
