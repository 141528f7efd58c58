# SPDX-License-Identifier: GPL-2.0-only
"""xdp_bkd, while backends are in transition: a TCP packet whose flow has no
socket here goes to the next backend that may have it. A row for each: what
becomes of the packet, to the last byte, and what was counted."""

from scapy.layers.inet import ICMP, IP, TCP
from scapy.layers.inet6 import ICMPv6PacketTooBig, IPv6
from scapy.layers.l2 import Ether

import frames as f
from network import CLIENT, DROP, PASS, TX, VIP, VIP6, backend, configuration, service
from tap import equal, test
from transition import (
    HOLD, LB4, LB6, NEAR, NEAR6, OTHER, OTHER6, PORTS, THIRD, came, elsewhere, error, filling,
    fresh, met, moved, owners, pair, passed_on, restored, row, sockets,
)


@test("second chance: without a socket to the next backend, by TTL at most three times")
def passes(world):
    role = fresh(world, pair(), pair(VIP6, NEAR6, OTHER6))
    for ip, near, other, vip in (f.ip4, NEAR, OTHER, VIP), (f.ip6, NEAR6, OTHER6, VIP6):
        there, here = elsewhere(role, ip(near) / f.tcp(flags="A"))
        for ttl, left in (255, 48), (64, 48), (50, 48), (49, 48), (48, 32), (33, 32), (32, 16), (
                17, 16), (16, None), (2, None), (1, None):
            hops = {"ttl" if ip is f.ip4 else "hlim": ttl}
            frame = came(ip(near, **hops) / f.tcp(flags="A"), there[0])
            if left:
                row(role, frame, TX, passed_on(frame, other, left), "second_chance")
            else:
                row(role, frame, PASS, restored(frame, vip), "second_chance_spent")
            frame = came(ip(near, **hops) / f.tcp(flags="A"), here[0])
            row(role, frame, PASS, restored(frame, vip), "restored")


@test("second chance: SYN, other protocols and other services stay here")
def others(world):
    role = fresh(world, pair(), pair(port=53, protocol="udp"), pair(port=81, scheduler="random"),
                 service([NEAR, OTHER], port=82))
    there, _ = elsewhere(role, f.ip4(NEAR) / f.tcp(flags="A"))
    for flags in "S", "SEC":
        frame = came(f.ip4(NEAR) / f.tcp(flags=flags), there[0])
        row(role, frame, PASS, restored(frame, VIP), "restored")
    for flags in "A", "PA", "FA", "R", "RA", "SA", "":
        frame = came(f.ip4(NEAR) / f.tcp(flags=flags), there[0])
        row(role, frame, TX, passed_on(frame, OTHER, 48), "second_chance")
    for packet, reason in (
            (f.ip4(NEAR) / f.udp(53), "restored"), (f.ip4(NEAR) / f.tcp(81), "restored"),
            (f.ip4(NEAR) / f.tcp(82), "restored")):
        frames = []
        for sport in PORTS:
            packet[2].sport = sport
            frames.append(came(packet.__class__(bytes(packet))))
        got, counted = met(role, frames)
        equal(counted, {reason: len(frames)}, packet.summary())
        equal([one for one in got if one[0] != PASS], [], packet.summary())


@test("second chance: an ICMP error goes where the packets of its flow go")
def errors(world):
    for checksum in "keep", "update":
        role = fresh(world, pair(port=8088, checksum=checksum),
                     pair(VIP6, NEAR6, OTHER6, port=8088, checksum=checksum))
        for ip, near, other, vip in (f.ip4, NEAR, OTHER, VIP), (f.ip6, NEAR6, OTHER6, VIP6):
            there, here = elsewhere(role, ip(near) / f.tcp(8088, flags="A"))
            frame = came(error(near, there[0]))
            out = Ether(passed_on(frame, other, 48))
            if checksum == "update" and ":" in near:
                del out[ICMPv6PacketTooBig].cksum
            row(role, frame, TX, bytes(out), "second_chance")
            equal(met(role, [came(error(near, here[0]))])[1], {"restored": 1}, "here")
            hops = {"hlim": 16} if ":" in near else {"ttl": 16}
            equal(met(role, [came(error(near, there[0], **hops))])[1],
                  {"second_chance_spent": 1}, "no pass is left")
    role = fresh(world, pair(port=8088))
    with sockets(HOLD, VIP, CLIENT, "hold", there[0]):
        frame = came(error(NEAR, there[0]))
        row(role, frame, PASS, restored(frame, VIP), "restored")
        # There is a listener, which has no cookie for an error.
        frame = came(error(NEAR, there[1]))
        row(role, frame, TX, passed_on(frame, OTHER, 48), "second_chance")


@test("second chance: by dscp the mark stays; checksum: update makes the sum right")
def methods(world):
    role = fresh(world, pair(forward="dscp", dscp=10), pair(port=81, checksum="update"))
    there, _ = elsewhere(role, f.ip4(NEAR, tos=40) / f.tcp(flags="A"))
    frame = came(f.ip4(NEAR, tos=40) / f.tcp(flags="A"), there[0])
    row(role, frame, TX, passed_on(frame, OTHER, 48), "second_chance")
    there, _ = elsewhere(role, f.ip4(NEAR) / f.tcp(81, flags="A"))
    for payload in b"", b"odd", b"even":
        packet = f.ip4(NEAR) / f.tcp(81, flags="A", payload=payload)
        packet[TCP].sport = there[0]
        frame = came(packet)
        out = Ether(passed_on(frame, OTHER, 48))
        del out[TCP].chksum
        row(role, frame, TX, bytes(out), "second_chance")


@test("second chance: by ipip the whole packet is passed on, by the outer TTL")
def tunnelled(world):
    def outer(near, ttl=64):
        if ":" in near:
            return f.ether() / IPv6(src=LB6, dst=near, hlim=ttl)
        return f.ether() / IP(src=LB4, dst=near, ttl=ttl)

    def inner(sport, flags="A"):
        packet = f.ip4(ttl=7) / f.tcp(flags=flags)
        packet[TCP].sport = sport
        return packet[IP]

    for near, other in (NEAR, OTHER), (NEAR6, OTHER6):
        role = fresh(world, pair(VIP, near, other, forward="ipip"),
                     lb_sources=f"[{LB4}, '{LB6}']")
        got, _ = met(role, [came(outer(near) / inner(sport)) for sport in PORTS])
        there = [sport for sport, (action, _) in zip(PORTS, got) if action == TX]
        here = [sport for sport in PORTS if sport not in there]
        assert there and here, f"{len(there)} of {len(PORTS)} flows may be elsewhere"
        for ttl, left in (64, 48), (33, 32), (17, 16), (16, None):
            frame = came(outer(near, ttl) / inner(there[0]))
            opened = Ether(frame)[Ether].copy()
            opened.remove_payload()
            opened.type = 0x0800
            opened = bytes(opened / inner(there[0]))
            if left:
                row(role, frame, TX, passed_on(frame, other, left), "second_chance")
            else:
                row(role, frame, PASS, opened, "second_chance_spent")
        frame = came(outer(near) / inner(there[0], "S"))
        equal(met(role, [frame])[1], {"decapsulated": 1}, "SYN")
        equal(met(role, [came(outer(near) / inner(here[0]))])[1], {"decapsulated": 1}, "here")
        frame = came(outer(near) / error(VIP, there[0], 80)[IP])
        row(role, frame, TX, passed_on(frame, other, 48), "second_chance")
        frame = came(outer(near) / error(VIP, here[0], 80)[IP])
        equal(met(role, [frame])[1], {"decapsulated": 1}, "an error about what is here")
        stranger = outer(near)
        stranger[1].src = "2001:db8:17::9" if ":" in near else "172.17.0.9"
        equal(met(role, [came(stranger / inner(there[0]))])[1], {"foreign_source": 1},
              "not from a load balancer")


@test("second chance: the circle of the candidates, from wherever it comes")
def circle(world):
    """A host that is not in the list sends to the second candidate: the first is down."""
    role = fresh(world, service([filling(NEAR), filling(OTHER), THIRD]))
    got, _ = met(role, [came(f.ip4(NEAR) / f.tcp(flags="A"), sport)
                        for sport in range(20000, 20400)])
    to = {Ether(frame)[IP].dst for action, frame in got if action == TX}
    equal(to, {OTHER, THIRD}, "to whom")
    # No backend is filling: where a slot has a second candidate, it is THIRD.
    role("apply", world.file(configuration(
        service([NEAR, OTHER, backend(THIRD, drain=True)]))))
    got, _ = met(role, [came(f.ip4(NEAR) / f.tcp(flags="A"), sport)
                        for sport in range(20000, 20400)])
    to = {Ether(frame)[IP].dst for action, frame in got if action == TX}
    equal(to, {THIRD}, "to the one that drains")


@test("second chance: a weight that has changed; and the end of a transition")
def weights(world):
    role = fresh(world, service([NEAR, f"{{address: {OTHER}, weight: 3, weight-before: 1}}"]))
    elsewhere(role, f.ip4(NEAR) / f.tcp(flags="A"))
    frames = [came(f.ip4(NEAR) / f.tcp(flags="A"), sport) for sport in PORTS]
    said = role("apply", world.file(configuration(service([NEAR, backend(OTHER, 3)]))))
    assert "no backend is in transition" in said, said
    equal(met(role, frames)[1], {"restored": len(frames)}, "afterwards")
    equal(moved(role), [None], "no transition")
    said = role("apply", world.file(configuration(pair())))
    assert "with second chance" in said, said
    # More backends drain than there is room for in the lists.
    role("apply", world.file(configuration(service([NEAR] + [
        backend(f"172.19.0.{n}", drain=True) for n in range(4, 8)]))))
    equal(met(role, frames)[1], {"restored": len(frames)}, "four that drain")


@test("second chance: another table-size or scheduler: to the owner by the table before")
def tables(world):
    now = {"table_size": 251}
    for port, keys in (8601, {"table_size": 1021}), (8602, {"scheduler": "source-hash"}), (
            8603, {"table_size": 509, "scheduler": "source-hash"}):
        before = owners(world, f.ip4(VIP) / f.tcp(), port, **{**now, **keys})
        after = owners(world, f.ip4(VIP) / f.tcp(), port, **now)
        was = ", ".join(f"{key.replace('_', '-')}: {value}" for key, value in keys.items())
        role = fresh(world, service([NEAR, OTHER], port=port, was=f"{{{was}}}", **now))
        pairs = set()
        for sport in PORTS:
            packet = f.ip4(NEAR) / f.tcp(port, flags="A")
            packet[TCP].sport = sport
            frame = came(packet.__class__(bytes(packet)))
            pairs.add((after[sport], before[sport]))
            if after[sport] == before[sport]:
                row(role, frame, PASS, restored(frame, VIP), "restored")
            else:
                row(role, frame, TX, passed_on(frame, OTHER, 48), "second_chance")
        # By source-hash, one client's flows have one owner.
        assert len(pairs) > 1, pairs
        said = role("apply", world.file(configuration(service([NEAR, OTHER], port=port, **now))))
        assert "no backend is in transition" in said, said


@test("second chance: always: also at rest, to who owns the slot without its owner")
def deputies(world):
    three, keys = [NEAR, OTHER, THIRD], {"port": 8611, "second_chance": "always"}
    owner, deputy = ({}, {})
    for pool, answers in (three, owner), ([OTHER, THIRD], deputy):
        world.apply(configuration(service(pool, port=8611)))
        for sport in PORTS:
            packet = f.ip4(VIP) / f.tcp(8611, flags="S")
            packet[TCP].sport = sport
            [(_, frame)] = world.lbr.run([bytes(packet.__class__(bytes(packet)))])
            answers[sport] = Ether(frame)[IP].dst
    role = fresh(world, service(three, **keys))
    mine = [sport for sport in PORTS if owner[sport] == NEAR]
    assert mine
    for sport in mine:
        frame = came(f.ip4(NEAR) / f.tcp(8611, flags="A"), sport)
        row(role, frame, TX, passed_on(frame, deputy[sport], 48), "second_chance")
        frame = came(f.ip4(NEAR) / f.tcp(8611, flags="S"), sport)
        row(role, frame, PASS, restored(frame, VIP), "restored")
    # What a deputy has got from a load balancer whose checks fail: to the owner.
    for sport in set(PORTS) - set(mine):
        frame = came(f.ip4(NEAR) / f.tcp(8611, flags="A"), sport)
        got, _ = met(role, [frame])
        equal(got[0][0], TX, "from a backend that does not own the slot")
    said = role("apply", world.file(configuration(service(three, port=8611))))
    assert "no backend is in transition" in said, said
    said = role("apply", world.file(configuration(service(three, **keys))))
    assert "with second chance at all times" in said, said


@test("second chance: over the limit it is dropped, and a socket is still found")
def limit(world):
    there, _ = elsewhere(fresh(world, pair(port=8088)), f.ip4(NEAR) / f.tcp(8088, flags="A"))
    role = fresh(world, pair(port=8088), second_chance_limit=5)
    junk = came(f.ip4(NEAR) / f.tcp(8088, flags="A"), there[19])
    frame = came(f.ip4(NEAR) / f.tcp(8088, flags="A"), there[18])
    with sockets(HOLD, VIP, CLIENT, "hold", there[18]):
        got, counted = met(role, [junk, frame] * 400)
    equal(set(got[1::2]), {(PASS, restored(frame, VIP))}, "what has its socket here")
    equal({one[0] for one in got[::2]}, {TX, DROP}, "what becomes of the others")
    equal({one[1] for one in got[::2] if one[0] == DROP}, {junk}, "what is dropped is not altered")
    passed = counted["second_chance"]
    assert passed % 5 == 0 and passed < 100, counted
    equal(counted, {"restored": 400, "second_chance": passed, "second_chance_rate": 400 - passed},
          "counted")
