# SPDX-License-Identifier: GPL-2.0-only
"""What the verbs override, how `save` prints it, and what takes it back."""

import json
import random
import time

import frames as f
from network import VIP, VIP6, backend, configuration, on, service
from placing import PORTS, TEN, Service, share, stayed
from tap import equal, test

NOTHING = "nothing that packets meet changes"


def rows(world, port):
    shown = world.lbr.rows("backends")
    return {row["backend"]: row for row in shown if row["service"] == f"{VIP}:{port}"}


def digest(world):
    return json.loads(world.lbr("show", "-j"))["digest"]


@test("override: drain and undrain: known flows stay, SYNs go elsewhere; apply takes it back")
def drain(world):
    tcp, sports, one = Service(world, 7101), PORTS[:2000], TEN[0]
    text = configuration(tcp.text(TEN), handshake_grace="0s")
    world.apply(text)
    before, file = tcp.hold(sports), digest(world)
    where = f"~ backend {one} of {VIP}:{tcp.port}/tcp"
    equal(world.lbr("drain", one), f"{where} up -> draining\n", "said")
    stayed(before, tcp.send(sports, f.PUSH), "known")
    row = rows(world, tcp.port)[one]
    equal((row["state"], row["overrides"], row["active-flows"]),
          ("draining", ["state"], list(before.values()).count(one)), "shown")
    assert one not in tcp.send(sports, f.SYN).values(), "a SYN went there"
    equal(digest(world), file, "the file's digest")
    equal(world.lbr("undrain", one), f"{where} draining -> up, takes back what was set "
          "by hand\n", "said")
    equal(rows(world, tcp.port)[one]["overrides"], [], "shown")
    world.lbr("drain", one)
    said = world.apply(text)
    assert f"{where} draining -> up, takes back what was set by hand\n" in said, said
    assert one in tcp.send(range(30000, 31000), f.SYN).values(), "it gets no new flows"


def inner(world, name):
    """The maps in a map of maps."""
    return on("lbdsr0a", "bpftool", "map", "dump", "pinned", f"{world.lbr.pins}/{name}")


@test("override: the first change of a weight, after up, makes no map: that waits for RCU")
def no_map(world):
    # Of 24 tables, each another one, 16 fill the first chunk, and the others are a little more
    # than the smallest chunk has room for.
    text = configuration(*(service([backend(TEN[0], weight=n), *TEN[1:3]], port=7110 + n,
                                   table_size=131071) for n in range(1, 25)))
    world.lbr("down")
    world.up(text)
    before = inner(world, "file"), inner(world, "tables")
    assert "value" in before[0] and "value" in before[1], before
    for weight in "31", "32", "33", "34":
        world.lbr("weight", TEN[0], weight, "-s", f"{VIP}:7134/tcp")
        equal((inner(world, "file"), inner(world, "tables")), before, "maps")
    assert "weight: 34" in world.lbr("save"), "the state"
    world.apply(configuration(service(TEN, port=7111)))
    assert inner(world, "file") != before[0], "another file makes none, either"


@test("override: since: the state's own time, which nothing else moves")
def since(world):
    tcp = Service(world, 7106)
    text = configuration(tcp.text(TEN))
    world.apply(text)
    before, then = rows(world, tcp.port), int(time.time())
    while int(time.time()) == then:
        time.sleep(0.02)

    world.lbr("drain", TEN[0])
    world.lbr("weight", TEN[1], "9")
    after = rows(world, tcp.port)
    assert then < after[TEN[0]]["since"] <= time.time(), after[TEN[0]]
    equal([after[name]["since"] for name in TEN[1:]], [before[name]["since"] for name in TEN[1:]],
          "of those that are as they were")
    equal((after[TEN[0]]["why"], after[TEN[0]]["accepts"], after[TEN[1]]["why"]),
          ("set by hand", "its own", None), "why")
    world.apply(configuration(tcp.text(TEN), udp_idle="59s"))
    equal(rows(world, tcp.port)[TEN[1]]["since"], before[TEN[1]]["since"], "over an apply")


@test("override: weight: shares of new flows; a file's own is no longer by hand")
def weight(world):
    tcp = Service(world, 7102)

    def text(first):
        return configuration(tcp.text([backend(TEN[0], first), TEN[1]]), handshake_grace="0s")

    world.apply(text(1))
    equal(world.lbr("weight", TEN[0], "3"),
          f"~ backend {TEN[0]} of {VIP}:{tcp.port}/tcp weight 1 -> 3\n", "said")
    part = share(tcp.send(PORTS, f.SYN))[TEN[0]]
    assert 0.70 <= part <= 0.80, f"{part:.1%} of the flows"
    equal(rows(world, tcp.port)[TEN[0]]["overrides"], ["weight"], "shown")
    said = world.apply(text(3))
    assert NOTHING in said, said
    equal(rows(world, tcp.port)[TEN[0]]["overrides"], [], "the file says so now")


@test("override: of one service only, or of all; what is not there is refused by name")
def named(world):
    one, other = Service(world, 7103), Service(world, 7104)
    world.apply(configuration(one.text(TEN), other.text(TEN)))
    world.lbr("drain", "-s", f"{VIP}:7103/tcp", TEN[0])
    equal([rows(world, each.port)[TEN[0]]["state"] for each in (one, other)],
          ["draining", "up"], "of one")
    # As `show` prints it, without the protocol, where that names one service.
    world.lbr("undrain", "-s", f"{VIP}:7103", TEN[0])
    equal(rows(world, one.port)[TEN[0]]["state"], "up", "without the protocol")
    world.lbr("drain", "-s", f"{VIP}:7103", TEN[0])
    world.lbr("weight", TEN[0], "7")
    equal([rows(world, each.port)[TEN[0]]["weight"] for each in (one, other)], [7, 7], "of all")
    equal(rows(world, one.port)[TEN[0]]["overrides"], ["state", "weight"], "both")
    before = world.lbr("save")
    for words, status in ((("drain", "172.19.1.99"), 1), (("drain", "nobody"), 1),
                          (("weight", TEN[0], "0"), 1), (("weight", TEN[0], "1001"), 1),
                          (("weight", TEN[0]), 2), (("drain",), 2), (("drain", TEN[0], "1"), 2),
                          (("drain", "-s", f"{VIP}:7103/udp", TEN[0]), 1)):
        world.lbr(*words, status=status)
    equal(world.lbr("save"), before, "after what was refused")


@test("override: up again with the same file: says what it takes back")
def up_again(world):
    tcp = Service(world, 7105)
    text = configuration(tcp.text(TEN))
    world.apply(text)
    world.lbr("drain", TEN[0])
    said = world.lbr("up", "-c", world.file(text))
    assert f"~ backend {TEN[0]} of {VIP}:{tcp.port}/tcp draining -> up, takes back" in said, said


def drawn(draw):
    """A random file, as a person might write it."""

    def maybe(name, *values):
        return {name: draw.choice(values)} if draw.random() < 0.5 else {}

    services = []
    for number in range(draw.randint(1, 6)):
        six = draw.random() < 0.3
        udp = draw.random() < 0.3
        net = "2001:db8:19::" if six else "172.19.1."
        hosts = draw.sample(range(1, 99), draw.randint(1, 8))
        rows = []
        for host in hosts:
            keys = {"address": f"'{net}{host}'", **maybe("weight", 1, 2, 1000),
                    **maybe("drain", "true", "false"), **maybe("mtu", "route", 1400)}
            keys = draw.sample(list(keys.items()), len(keys))
            rows.append("{" + ", ".join(f"{key}: {value}" for key, value in keys) + "}")
        services.append(service(
            rows, VIP6 if six else VIP, 9000 + number, "udp" if udp else "tcp",
            **maybe("scheduler", "maglev", "random", "round-robin", "source-hash"),
            **maybe("table_size", 251, 1021, 65537)))
    draw.shuffle(services)
    settings = {**maybe("unmatched", "drop", "pass"), **maybe("handshake_grace", "0s", "1500ms"),
                **maybe("udp_idle", "1s", "90s", "2h"),
                **maybe("grace", "20min", "1h"), **maybe("drain_timeout", "0s", "7min"),
                **maybe("next_hop_age", "0s", "10ms"), **maybe("insert_limit", 1, 70000),
                **maybe("icmp_error_limit", 0, 5), **maybe("advmss", "route", 1200)}
    return configuration(*services, **settings), [row for each in services
                                                  for row in each.split("address: '")[1:]]


@test("override: save, then apply: no difference, 12 random files, with what was set by hand")
def saved(world):
    seed = random.SystemRandom().randrange(1 << 32)
    draw = random.Random(seed)
    for turn in range(12):
        text, addresses = drawn(draw)
        what = f"seed {seed}, file {turn}"
        world.apply(text)
        assert NOTHING in world.lbr("apply", world.file(world.lbr("save"))), what
        for _ in range(draw.randint(1, 3)):
            address = draw.choice(addresses).split("'")[0]
            verb = draw.choice(("drain", "undrain", "weight"))
            world.lbr(verb, address, *(str(draw.randint(1, 9)),) * (verb == "weight"))
        state = world.lbr("save")
        said = world.lbr("apply", "-n", world.file(state))
        assert NOTHING in said, f"{what}: {said}\n{text}\n{state}"
        before = digest(world)
        said = world.lbr("apply", "-n", world.file(text))
        overridden = [row for row in world.lbr.rows("backends")
                   if row["overrides"]]
        equal(said.count("takes back") > 0, len(overridden) > 0, f"{what}: {said}")
        world.apply(state)
        equal(world.lbr("save"), state, f"{what}: saved again")
        equal(digest(world) != before, len(overridden) > 0, f"{what}: the digest")


@test("override: the digest is of what a file means")
def meaning(world):
    first = ("services:\n  - {vip: 192.168.25.10, port: 80, backends: "
             "[{address: 172.19.1.1}, {address: 172.19.1.2, weight: 2}]}\n"
             "  - {vip: 192.168.25.10, port: 81, backends: [{address: 172.19.1.1}]}\n")
    same = ("# another hand\ngrace: 600s\nservices:\n- port: 81\n  backends:\n"
            "  - address: 172.19.1.1\n    drain: false\n  vip: '192.168.25.10'\n"
            "- backends: [{weight: 2, address: 172.19.1.2}, {weight: 1, address: 172.19.1.1}]\n"
            "  vip: 192.168.25.10\n  port: 80\n  protocol: tcp\n  scheduler: maglev\n")
    seen = []
    for text in first, same, first.replace("weight: 2", "weight: 3"), "grace: 11min\n" + first:
        world.apply(text)
        seen.append(digest(world))
        assert seen[-1] in world.lbr("check", world.file(text)), "check says another"
    equal(seen[0], seen[1], "of two that mean the same")
    equal(len(set(seen)), 3, "different ones")
