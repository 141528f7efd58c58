# SPDX-License-Identifier: GPL-2.0-only
"""xdp_bkd, while backends are in transition: a TCP packet whose flow has no
socket here goes to the next backend that may have it. A row for each: what
becomes of the packet, to the last byte, and what was counted."""

import contextlib
import subprocess

from scapy.layers.inet import ICMP, IP, TCP
from scapy.layers.inet6 import ICMPv6PacketTooBig, IPv6
from scapy.layers.l2 import Ether

import frames as f
from network import (
    BACKEND_MAC, CLIENT, CLIENT6, DROP, PASS, ROOT, TOPO, TX, VIP, VIP6, backend,
    configuration, on, service,
)
from oracle import mac
from tap import equal, test

HOST = "backend0x"
NEAR, OTHER, THIRD = "172.19.0.3", "172.19.0.4", "172.19.0.5"
NEAR6, OTHER6 = "2001:db8:19::3", "2001:db8:19::4"
PORTS = range(20000, 20064)


def came(packet, sport=None):
    if sport:
        packet = packet.copy()
        packet[TCP].sport = sport
        packet = packet.__class__(bytes(packet))
    return mac(BACKEND_MAC[HOST]) + bytes(packet)[6:]


def restored(frame, vip):
    """The VIP written back; with `keep` the checksum above IP does not change."""
    out = Ether(frame)
    if IP in out:
        out[IP].dst = vip
        del out[IP].chksum
    else:
        out[IPv6].dst = vip
    return bytes(out)


def passed_on(frame, to, ttl):
    """Back to the router that it came from, addressed to `to`."""
    out = Ether(frame)
    out.dst, out.src = out.src, out.dst
    if isinstance(out.payload, IP):
        out[IP].dst, out[IP].ttl = to, ttl
        del out[IP].chksum
    else:
        out[IPv6].dst, out[IPv6].hlim = to, ttl
    return bytes(out)


def fresh(world, *services, **settings):
    role = world.bkd[HOST]
    if role.program:
        role.close()
        role("down")
    role.up(world.file(configuration(*services, **settings)))
    return role


def met(role, frames):
    """What becomes of the packets, and which reasons were counted."""
    before = role.reasons()
    got = role.run(frames)
    after = role.reasons()
    return got, {key: after[key] - before[key] for key in after if after[key] != before[key]}


def split(role, packet):
    """Source ports of flows that have another candidate, and of those that have none."""
    got, _ = met(role, [came(packet, sport) for sport in PORTS])
    there = [sport for sport, (action, _) in zip(PORTS, got) if action == TX]
    return there, [sport for sport in PORTS if sport not in there]


def elsewhere(role, packet):
    """The same; fails unless there are flows of both kinds."""
    there, here = split(role, packet)
    assert there and here, f"{len(there)} of {len(PORTS)} flows may be elsewhere"
    return there, here


def filling(address, **keys):
    return f"{{address: '{address}', state: filling}}"


def pair(vip=VIP, near=NEAR, other=OTHER, **keys):
    return service([near, filling(other)], vip, **keys)


def row(role, frame, action, wanted, reason):
    [(got, bytes_)], counted = met(role, [frame])
    what = f"{Ether(frame).summary()}, {reason}"
    equal(got, action, what)
    equal(counted, {reason: 1}, what)
    equal(bytes_.hex(), wanted.hex(), what)


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
                 service([NEAR, OTHER], port=82), pair(port=83, forward="l2"))
    there, _ = elsewhere(role, f.ip4(NEAR) / f.tcp(flags="A"))
    for flags in "S", "SEC":
        frame = came(f.ip4(NEAR) / f.tcp(flags=flags), there[0])
        row(role, frame, PASS, restored(frame, VIP), "restored")
    for flags in "A", "PA", "FA", "R", "RA", "SA", "":
        frame = came(f.ip4(NEAR) / f.tcp(flags=flags), there[0])
        row(role, frame, TX, passed_on(frame, OTHER, 48), "second_chance")
    for packet, reason in (
            (f.ip4(NEAR) / f.udp(53), "restored"), (f.ip4(NEAR) / f.tcp(81), "restored"),
            (f.ip4(NEAR) / f.tcp(82), "restored"), (f.ip4(VIP) / f.tcp(83), "delivered")):
        frames = []
        for sport in PORTS:
            packet[2].sport = sport
            frames.append(came(packet.__class__(bytes(packet))))
        got, counted = met(role, frames)
        equal(counted, {reason: len(frames)}, packet.summary())
        equal([one for one in got if one[0] != PASS], [], packet.summary())


def error(near, sport, port=8088, **hops):
    """A router says that a reply to this flow is too big."""
    if ":" in near:
        return f.ether() / IPv6(src="2001:db8:99::1", dst=near, **hops) / ICMPv6PacketTooBig(
            mtu=1280) / IPv6(src=VIP6, dst=CLIENT6, hlim=60) / TCP(
                sport=port, dport=sport, flags="A")
    return f.ether() / IP(src="198.51.100.1", dst=near, **hops) / ICMP(
        type=3, code=4, nexthopmtu=1400) / IP(src=VIP, dst=CLIENT, ttl=60) / TCP(
            sport=port, dport=sport, flags="A")


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


LB4, LB6 = "172.17.0.2", "2001:db8:17::2"


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


def owners(world, packet, port, **keys):
    """{source port: who owns the flow's slot}, as xdp_lbr says."""
    world.apply(configuration(service([NEAR, OTHER], port=port, **keys)))
    frames = []
    for sport in PORTS:
        packet[TCP].sport, packet[TCP].dport, packet[TCP].flags = sport, port, "S"
        frames.append(bytes(packet.__class__(bytes(packet))))
    return {sport: Ether(frame)[IP].dst
            for sport, (_, frame) in zip(PORTS, world.lbr.run(frames))}


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


@contextlib.contextmanager
def sockets(script, *arguments):
    """A process on the host with sockets of its own, until the end."""
    on(HOST, "ip", "address", "add", f"{CLIENT}/32", "dev", "lo")
    process = subprocess.Popen(
        [TOPO, "exec", HOST, "python3", "-c", script, *map(str, arguments)], cwd=ROOT,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        equal(process.stdout.readline(), "ready\n", "the sockets")
        yield process
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait()
        on(HOST, "ip", "address", "del", f"{CLIENT}/32", "dev", "lo")


# At the end, connections that are still held are reset, so that no TIME_WAIT disturbs
# another test.
HOLD = """
import socket, struct, sys
vip, client, close, *ports = sys.argv[1:]
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind((vip, 8088))
server.listen()
held = []
for port in ports:
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.bind((client, int(port)))
    one.connect((vip, 8088))
    held += [one, server.accept()[0]]
    if close == "hold":
        for each in held[-2:]:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if close == "close":
        held[-1].close()
        one.recv(1)
        one.close()
print("ready", flush=True)
sys.stdin.read()
"""


def moved(role):
    return [row["moved-flows"] for row in role.rows("restores")]


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
