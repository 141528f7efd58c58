# SPDX-License-Identifier: GPL-2.0-only
"""xdp_bkd, while backends are in transition: a flow that has a socket here stays. It is
counted as moved if the tables would have it on another backend."""

import frames as f
from network import CLIENT, PASS, TX, VIP, configuration, service
from tap import equal, test
from transition import (
    HOLD, LB4, NEAR, OTHER, PORTS, THIRD, came, elsewhere, filling, fresh, moved, owners, pair,
    passed_on, restored, row, sockets,
)


@test("second chance: what has a socket here stays, but for a listener's")
def found(world):
    role = fresh(world, pair(port=8088))
    there, here = elsewhere(role, f.ip4(NEAR) / f.tcp(8088, flags="A"))
    mine, foreign = there[0], there[1]
    equal(moved(role), [0], "flows that are not elsewhere yet")
    with sockets(HOLD, VIP, CLIENT, "hold", mine, here[0], there[2]):
        equal(moved(role), [2], "flows that need the transition")
        for flags in "A", "PA", "FA", "R":
            frame = came(f.ip4(NEAR) / f.tcp(8088, flags=flags), mine)
            row(role, frame, PASS, restored(frame, VIP), "restored")
        frame = came(f.ip4(NEAR) / f.tcp(8088, flags="A"), foreign)
        row(role, frame, TX, passed_on(frame, OTHER, 48), "second_chance")


@test("second chance: a flow is counted as moved by its service, not by that of any port")
def counted_once(world):
    role = fresh(world, pair(port=8088))
    there, _ = elsewhere(role, f.ip4(NEAR) / f.tcp(8088, flags="A"))
    for ports, wanted in ((8088, "any"), {8088: 2, None: 0}), (("any",), {None: 2}):
        role = fresh(world, *(pair(port=port, forward="ipip") for port in ports),
                     lb_sources=f"[{LB4}]")
        with sockets(HOLD, VIP, CLIENT, "hold", *there[:2]):
            equal({row["port"]: row["moved-flows"] for row in role.rows("restores")}, wanted,
                  f"ports {ports}")


@test("second chance: where this host is no candidate, a flow does not need the transition")
def not_moved(world):
    """A slot of `here` has one candidate, NEAR or OTHER. A flow that is here though its
    slot has OTHER alone was remembered, or a deputy's."""
    role = fresh(world, service([NEAR, OTHER, filling(THIRD)], port=8088))
    there, here = elsewhere(role, f.ip4(NEAR) / f.tcp(8088, flags="A"))
    with sockets(HOLD, VIP, CLIENT, "hold", *here):
        equal(moved(role), [0], "those of slots with one candidate")
    with sockets(HOLD, VIP, CLIENT, "hold", *there):
        assert 0 < moved(role)[0] < len(there), f"{moved(role)} of {len(there)}"


@test("second chance: a flow is counted as moved where the table before had it here")
def moved_by_tables(world):
    now, was = {"table_size": 251}, {"table_size": 1021}
    before = owners(world, f.ip4(VIP) / f.tcp(), 8088, **was)
    after = owners(world, f.ip4(VIP) / f.tcp(), 8088, **now)
    role = fresh(world, service([NEAR, OTHER], port=8088, was="{table-size: 1021}", **now))
    left = [sport for sport in PORTS if before[sport] == NEAR != after[sport]]
    other = [sport for sport in PORTS if sport not in left]
    assert left
    with sockets(HOLD, VIP, CLIENT, "hold", *left, *other):
        equal(moved(role), [len(left)], "those that the table before had here")


@test("second chance: always: a deputy's flows do not need a transition, others do")
def deputies_at_rest(world):
    keys = {"port": 8088, "second_chance": "always"}
    role = fresh(world, service([NEAR, OTHER], **keys))
    with sockets(HOLD, VIP, CLIENT, "hold", *PORTS):
        equal(moved(role), [0], "at rest")
        role("apply", world.file(configuration(service([NEAR, filling(OTHER)], **keys))))
        count = moved(role)[0]
        assert 0 < count < len(PORTS), f"{count} of {len(PORTS)} while OTHER fills"


@test("second chance: a socket in TIME_WAIT counts where the packet could not come back")
def time_wait(world):
    role = fresh(world, pair(port=8088))
    there, _ = elsewhere(role, f.ip4(NEAR) / f.tcp(8088, flags="A"))
    with sockets(HOLD, VIP, CLIENT, "close", there[0]):
        for ttl, stays in (64, False), (48, False), (32, True), (17, True), (16, True):
            frame = came(f.ip4(NEAR, ttl=ttl) / f.tcp(8088, flags="A"), there[0])
            if stays:
                row(role, frame, PASS, restored(frame, VIP), "restored")
            else:
                row(role, frame, TX, passed_on(frame, OTHER, (ttl - 1) // 16 * 16),
                    "second_chance")
