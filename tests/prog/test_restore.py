# SPDX-License-Identifier: GPL-2.0-only
"""xdp_bkd and the file: packets for what is listed for this host are restored, during
its grace also for what was listed; all others pass unchanged."""

import frames as f
from network import BACKEND_MAC, VIP, configuration, service
from oracle import Backend, mac
from placing import wait_for
from scapy.packet import Raw
from tap import equal, test

HOST, NEAR = "backend0x", "172.19.0.3"
OTHER, OTHER_VIP = "172.19.0.4", "192.168.25.99"


def came(packet):
    return mac(BACKEND_MAC[HOST]) + bytes(packet)[6:]


def restored(role, packet):
    """Is it restored? The reason that was counted."""
    frame = came(packet)
    oracle = Backend(BACKEND_MAC[HOST], {(NEAR, 6, 80): VIP, (NEAR, 17, 53): VIP,
                                         (NEAR, 6, 0): VIP})
    before = role.reasons()
    [(_, got)] = role.run([frame])
    after = role.reasons()
    [reason] = [key for key in after if after[key] != before[key]]
    equal(after[reason] - before[reason], 1, f"how often {reason} was counted")
    wanted = oracle.predict(frame)[0][2] if reason == "restored" else frame
    equal(got.hex(), wanted.hex(), reason)
    return reason


def fresh(world, text):
    role = world.bkd[HOST]
    if role.program:
        role.close()
        role("down")
    role.up(world.file(text))
    return role


@test("restore: what the file lists for this host, and nothing else")
def listed(world):
    role = fresh(world, configuration(
        service([NEAR, OTHER]), service([NEAR], port=53, protocol="udp"),
        service([OTHER], port=81)))
    to = f.ip4(NEAR)
    for packet, reason in (
        (to / f.tcp(), "restored"),
        (to / f.udp(53), "restored"),
        (f.ip4(NEAR, options=f.ip_options()) / f.tcp(), "restored"),
        (to / f.tcp(22), "not_listed"),
        (to / f.udp(80), "not_listed"),
        (to / f.tcp(81), "not_listed"),
        (f.ip4(OTHER) / f.tcp(), "not_listed"),
        (f.ip4(VIP) / f.tcp(), "not_listed"),
        (to / f.echo4(), "not_listed"),
        (f.ip4(NEAR, frag=10) / Raw(b"x" * 30), "fragment_passed"),
        (f.ip4(NEAR, ttl=1) / f.tcp(), "restored"),
    ):
        equal(restored(role, packet), reason, packet.summary())


@test("restore: any port")
def any_port(world):
    role = fresh(world, configuration(service([NEAR], port="any")))
    equal(restored(role, f.ip4(NEAR) / f.tcp(12345)), "restored", "any port")
    equal(restored(role, f.ip4(NEAR) / f.udp(12345)), "not_listed", "UDP")


@test("restore: what left the file, during its grace and no longer")
def grace(world):
    both = configuration(service([NEAR]), service([NEAR], port=53, protocol="udp"))
    role, gone = fresh(world, both), f.ip4(NEAR) / f.tcp()
    less = service([NEAR], port=53, protocol="udp")
    role("apply", world.file(configuration(less, grace="10min")))
    equal(restored(role, gone), "restored", "within the grace")
    role("apply", world.file(both))
    role("apply", world.file(configuration(less, grace="0s", drain_timeout="10min")))
    equal(restored(role, gone), "restored", "while a load balancer drains")
    role("apply", world.file(both))
    role("apply", world.file(configuration(less, grace="1s", drain_timeout="0s")))
    wait_for(lambda: restored(role, gone) == "restore_expired", "the end of the grace")
    equal(restored(role, f.ip4(NEAR) / f.udp(53)), "restored", "what is still listed")
    role("apply", world.file(both))
    equal(restored(role, gone), "restored", "back in the file")


@test("restore: what left the file does not override what the file says")
def over(world):
    """A service of any port after one of a single port; a client's own DSCP after a mark."""
    away = service([NEAR], port=53, protocol="udp")
    for before, after in ((service([NEAR], OTHER_VIP), service([NEAR], port="any")),
                          (service([NEAR], forward="dscp", dscp=10), service([NEAR]))):
        role = fresh(world, configuration(before, away))
        role("apply", world.file(configuration(after, grace="1s", drain_timeout="0s")))
        packet = f.ip4(NEAR, tos=40 if "dscp" in before else 0) / f.tcp()
        wait_for(lambda: restored(role, f.ip4(NEAR) / f.udp(53)) == "restore_expired",
                 "the end of the grace")
        equal(restored(role, packet), "restored", f"when the grace is over: {after}")


@test("restore: many files of other services: none is refused, the newest rows are restored")
def full(world):
    """There is room for the rows of two files."""
    def ports(first):
        return [service([NEAR], port=port) for port in range(first, first + 4000)]

    role = fresh(world, configuration(service([NEAR])))
    for first in 1000, 11000, 21000, 31000:
        role("apply", world.file(configuration(*ports(first))))
    for port, reason in (31000, "restored"), (34999, "restored"), (21000, "restored"):
        equal(restored(role, f.ip4(NEAR) / f.tcp(port)), reason, f"port {port}")
    equal(restored(role, f.ip4(NEAR) / f.tcp(1000)), "not_listed", "the oldest")
    equal(len(role.restores()), 8192, "rows")
    fresh(world, configuration(service([NEAR])))


@test("restore: packets are counted in each row, which stays in place across changes")
def counts(world):
    def udp(*ports, **keys):
        return world.file(configuration(service([NEAR], VIP), *(
            service([NEAR], port=port, protocol="udp") for port in ports), **keys))

    def row(port):
        return (f"{VIP}:{port}", "udp")

    role, web = fresh(world, configuration(service([NEAR], VIP))), (f"{VIP}:80", "tcp")
    role("apply", udp(53, 81))
    to = f.ip4(NEAR)
    role.run([came(packet) for packet in [to / f.tcp()] * 3 + [to / f.udp(53)] * 2 + [
        to / f.udp(81), to / f.udp(54), to / f.tcp(22), f.ip4(NEAR, frag=10) / Raw(b"x" * 30)]])
    equal(role.restores(), {web: 3, row(53): 2, row(81): 1}, "by row")
    role("apply", udp(82))
    role.run([came(to / f.udp(53))])
    equal(role.restores(), {web: 3, row(53): 3, row(81): 1, row(82): 0}, "in its grace")
    role.up(udp(82))
    equal(role.restores(), {web: 3, row(53): 3, row(81): 1, row(82): 0}, "another program")
    # A removed row leaves its counter to another row, set to 0.
    for file in udp(53, 81), udp(82, grace="0s", drain_timeout="0s"), udp(82):
        role("apply", file)
    role("apply", udp(82, *range(100, 110)))
    equal(role.restores(), {web: 3, row(82): 0, **{row(port): 0 for port in range(100, 110)}},
          "after it")
    role("apply", world.file(configuration(service([NEAR], "192.168.25.11"), grace="0s",
                                           drain_timeout="0s")))
    equal(role.restores()["192.168.25.11:80", "tcp"], 0, "the row of another VIP")
