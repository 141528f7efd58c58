# SPDX-License-Identifier: GPL-2.0-only
"""What `show` says was sent to each backend, packet by packet."""

import json
import subprocess
import time

import frames as f
from network import ROOT, TOPO, VIP, VIP6, backend, configuration, endpoint, service
from placing import PORTS, TEN, Service, wait_for
from scapy.layers.inet import IP, TCP, UDP
from tap import Skip, equal, test
from table_rows import FIB, prepared

NEAR, NEAR6 = "172.19.0.3", "2001:db8:19::3"
SPORT = 45001  # ports that no other test uses


def rows(world):
    shown = world.lbr.rows("backends")
    return {(row["service"], row["backend"]): (row["packets"], row["bytes"], row["flows-total"])
            for row in shown}


@test("counts: packets, bytes and flows of each backend")
def backends(world):
    prepared(world)
    near, near6 = (f"{VIP}:80", NEAR), (f"[{VIP6}]:80", NEAR6)
    padded = f.ip4() / f.tcp(payload=b"") / (b"\0" * 6)
    padded[IP].len = 40
    before = rows(world)
    for packet, where, size, flows in (
            (f.ip4() / f.tcp(flags="S", payload=b""), near, 54, 1),
            (f.ip4() / f.tcp(payload=b"x" * 100), near, 154, 0),
            (f.ip4() / f.tcp(payload=b""), near, 54, 0),
            (f.ip4() / f.tcp(flags="S", payload=b""), near, 54, 1),
            (padded, near, 54, 0),
            (f.ip4() / f.udp(payload=b"x"), (f"{VIP}:7777", NEAR), 43, 1),
            (f.ip4() / f.udp(payload=b"xy"), (f"{VIP}:7777", NEAR), 44, 0),
            (f.ip6() / f.tcp(payload=b""), near6, 74, 0),
            (f.ip4() / f.tcp(86, payload=b""), (f"{VIP}:86", FIB[86][0]), 54, 0),
            (f.ip4() / f.tcp(85, "S", b""), (f"{VIP}:85", FIB[85][0]), 54, 1),
            # packets that are dropped or answered are sent to no backend
            (f.ip4() / f.tcp(81, "S"), None, 0, 0),
            (f.ip4(ttl=1) / f.tcp(flags="S"), None, 0, 0),
            (f.ip4() / f.echo4(), None, 0, 0)):
        for layer in TCP, UDP:
            if layer in packet:
                packet[layer].sport = SPORT
        world.lbr.run([bytes(packet)])
        after = rows(world)
        rose = {key: tuple(now - then for now, then in zip(after[key], before[key]))
                for key in after if after[key] != before[key]}
        equal(rose, {where: (1, size, flows)} if where else {}, packet.summary())
        before = after


def by_service(shown):
    return {(endpoint(row["vip"], row["port"]), row["protocol"], row["reason"]): row["packets"]
            for row in shown["reasons-by-service"]}


@test("counts: why a service's packets were not sent on; packets that were sent are not counted there")
def reasons_by_service(world):
    one, other = Service(world, 4101), Service(world, 4102)
    drained = service([backend(TEN[0], drain=True)], port=4103)
    world.up(configuration(one.text(TEN), other.text(TEN), drained))
    frames = []
    for port, ttl, flags, count in ((4101, 1, "S", 3), (4102, 1, "A", 5), (4103, 64, "S", 4),
                                    (4101, 64, "S", 7), (4104, 64, "S", 2)):
        frames += count * [bytes(f.ip4(ttl=ttl) / f.tcp(port, flags))]
    before = by_service(json.loads(world.lbr("show", "-j", "reasons")))
    world.lbr.run(frames)
    after = by_service(json.loads(world.lbr("show", "-j", "reasons")))
    rose = {key: n - before.get(key, 0) for key, n in after.items() if n > before.get(key, 0)}
    equal(rose, {(f"{VIP}:4101", "tcp", "ttl_answered"): 3,
                 (f"{VIP}:4102", "tcp", "ttl_answered"): 5,
                 (f"{VIP}:4103", "tcp", "no_backend"): 4}, "reasons by service")
    world.up(configuration(other.text(TEN)))
    left = by_service(json.loads(world.lbr("show", "-j", "reasons")))
    equal({key[0] for key in left}, {f"{VIP}:4102"}, "services that are there")


@test("counts: show reasons --watch: what has risen in a second, and nothing else")
def watched(world):
    tcp = Service(world, 4105)
    world.apply(configuration(tcp.text(TEN)))
    frames = 5 * [bytes(f.ip4(ttl=1) / f.tcp(4105, "S"))]
    world.lbr.run(frames)
    process = subprocess.Popen(
        [TOPO, "exec", "lbdsr0a", "LoadBalancer/lbr", "show", "-j", "-w", "reasons"],
        cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        rose = [json.loads(process.stdout.readline())]
        equal(by_service(rose[0]), {}, "what rose where nothing came")
        world.lbr.run(frames)
        while not by_service(rose[-1]) and len(rose) < 5:
            rose.append(json.loads(process.stdout.readline()))
        # Nobody reads its output any more: it ends.
        process.stdout.close()
        equal(process.wait(timeout=10), 1, "exit status")
    finally:
        process.kill()
    equal(by_service(rose[-1]), {(f"{VIP}:4105", "tcp", "ttl_answered"): 5}, "what rose")
    equal([(row["reason"], row["packets"]) for row in rose[-1]["reasons"]],
          [("ttl_answered", 5)], "reasons that rose")


def not_remembered(world):
    return json.loads(world.lbr("show", "-j"))["flows-not-remembered"]


@test("counts: insert-limit flows a second are remembered, the rest counted")
def insert_limit(world):
    limit, tries = 50, 3
    for turn in range(tries):
        tcp = Service(world, 4001 + turn)
        world.apply(configuration(tcp.text(TEN), insert_limit=limit))
        tcp.hold(PORTS[:500])
        flows, refused, sports = world.flows(), not_remembered(world), iter(PORTS[1000:])
        tried, start = 0, None

        def another_second():
            nonlocal tried, start
            tried, start = tried + 1, time.monotonic()
            tcp.hold([next(sports)])
            return world.flows() > flows

        wait_for(another_second, "another second's flows")
        tcp.hold(PORTS[500:1000])
        took = time.monotonic() - start
        added = world.flows() - flows
        equal(not_remembered(world) - refused, 500 + tried - added, "not remembered")
        # Two lines or more if the last packets fell into the next second.
        if added == limit:
            return
        assert limit <= added <= limit * (took + 2), f"{added} flows remembered in {took:.1f} s"
    if took > 0.5:
        raise Skip(f"a second's end was seen, and 500 packets sent, in {took:.1f} s")
    equal(added, limit, "flows remembered in a second")
