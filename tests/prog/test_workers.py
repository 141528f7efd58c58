# SPDX-License-Identifier: GPL-2.0-only
"""scheduler: workers: which thread a request gets, what waits, and who frees a thread."""

import collections
import json
import os
import random
import re
import struct
import subprocess
import time

from scapy.layers.inet import IP, UDP, fragment
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Raw

import frames as f
from network import (
    CLIENT, CLIENT6, DROP, LB, LB6, LB_MAC, PASS, ROOT, ROUTER_MAC, TOPO, TX, VIP, VIP6,
    configuration, on, service,
)
from oracle import ip, total
from placing import TEN
from tap import equal, test
from test_trace import TRACE, traced

THREE, RELEASE = TEN[:3], 9000


def pool(port, release=RELEASE, backends=THREE, threads=5, **keys):
    return configuration(service(backends, port=port, protocol="udp", scheduler="workers",
                                 threads=threads, release=release, **keys))


def request(port, sport, payload=b"sleep 1"):
    return bytes(f.ip4() / UDP(sport=sport, dport=port) / Raw(payload))


def done(backend, payload=b"done with it", release=RELEASE, to=LB, room=64):
    """A server's message; `room`: bytes of payload at least."""
    return bytes(Ether(dst=LB_MAC, src=ROUTER_MAC) / IP(src=backend, dst=to)
                 / UDP(sport=5, dport=release) / Raw(payload.ljust(room, b"\0")))


def named(client, sport, key=b""):
    return (b"done" + key.ljust(16, b"\0") + b"\0" * 10 + b"\xff\xff" + ip(client)
            + struct.pack(">HH", sport, 0))


def to(answer):
    action, frame = answer
    equal(action, TX, "action")
    return ".".join(map(str, frame[30:34])), struct.unpack_from(">H", frame, 34)[0]


def sent(world, port, sports):
    return [to(answer)[0] for answer in world.lbr.run([request(port, n) for n in sports])]


def fill(world, port, count=15):
    """All threads are busy: {source port: backend}."""
    return dict(zip(range(1000, 1000 + count), sent(world, port, range(1000, 1000 + count))))


def counted(world, frames):
    """What becomes of them, and how often each reason was met."""
    before = world.lbr.reasons()
    answers = world.lbr.run(frames)
    after = world.lbr.reasons()
    return answers, {name: after[name] - before.get(name, 0) for name in after
                     if after[name] != before.get(name, 0)}


@test("workers: a request goes to the backend with most free threads, in turn among equals")
def most_free(world):
    world.apply(pool(2001))
    first = sent(world, 2001, range(1000, 1006))
    equal(first[:3], first[3:], "the second round")
    equal(set(first), set(THREE), "the first round")
    # One of them is done with both: it gets the next two.
    world.lbr.run([done(first[1]), done(first[1])])
    equal(sent(world, 2001, range(1006, 1008)), [first[1]] * 2, "the freed threads")
    equal(collections.Counter(sent(world, 2001, range(1008, 1017))),
          {address: 3 for address in THREE}, "the rest")


@test("workers: what waits leaves oldest first, as it came, in place of a server's message")
def first_in_first_out(world):
    world.apply(pool(2002))
    fill(world, 2002)
    waiting = [request(2002, 2000 + n, b"x" * (7 * n)) for n in range(8)]
    answers, reasons = counted(world, waiting)
    equal({action for action, _ in answers}, {DROP}, "actions")
    equal(reasons, {"queued": 8}, "reasons")
    for number, frame in enumerate(waiting):
        backend = THREE[number % 3]
        answer = world.lbr.run([done(backend)])[0]
        equal(to(answer), (backend, 2000 + number), "who leaves, and to whom")
        wanted = bytearray(frame)
        wanted[:12], wanted[22], wanted[30:34] = answer[1][:12], 63, ip(backend)
        wanted[24:26] = answer[1][24:26]
        equal(answer[1], bytes(wanted), "the request")
        equal(total(answer[1][14:34]), 0xffff, "the header's sum")
    answers, reasons = counted(world, [done(THREE[0])])
    equal((answers[0][0], reasons), (DROP, {"released": 1}), "nothing waits")


@test("workers: a message that names the client frees its thread, and only once")
def once(world):
    world.apply(pool(2003))
    busy = fill(world, 2003)
    world.lbr.run([request(2003, 2000), request(2003, 2001)])
    sport, backend = next(iter(busy.items()))
    other = next(address for address in THREE if address != backend)
    message = named(CLIENT, sport)
    for frame, what in (done(other, message), "of another backend"), (
            done(backend, named(CLIENT, 999)), "about another client"):
        answers, reasons = counted(world, [frame])
        equal((answers[0][0], reasons), (DROP, {"released": 1}), what)
    equal(to(world.lbr.run([done(backend, message)])[0]), (backend, 2000), "the first")
    answers, reasons = counted(world, [done(backend, message)])
    equal((answers[0][0], reasons), (DROP, {"released": 1}), "the second")
    equal(to(world.lbr.run([done(backend)])[0]), (backend, 2001), "one that names nobody")


@test("workers: a stranger's message, one without the key, one elsewhere: passed, untouched")
def strangers(world):
    key = b"open sesame"
    world.apply(pool(2004, release_key=key.decode()))
    fill(world, 2004)
    world.lbr.run([request(2004, 2000)])
    for frame in (done("172.19.1.9", named("0.0.0.0", 0, key)), done(THREE[0]),
                  done(THREE[0], named("0.0.0.0", 0, b"open")),
                  done(THREE[0], named("0.0.0.0", 0, key), to="172.17.0.9"),
                  done(THREE[0], named("0.0.0.0", 0, key), release=RELEASE + 1)):
        answers, reasons = counted(world, [frame])
        equal(answers, [(PASS, frame)], "action and frame")
        equal(reasons, {"not_vip": 1}, "reasons")
    equal(to(world.lbr.run([done(THREE[0], named("0.0.0.0", 0, key))])[0]),
          (THREE[0], 2000), "with the key")


@test("workers: the queue is full")
def full(world):
    world.apply(pool(2005, queue=3))
    fill(world, 2005)
    answers, reasons = counted(world, [request(2005, 2000 + n) for n in range(5)])
    equal(reasons, {"queued": 3, "queue_full": 2}, "reasons")
    equal({action for action, _ in answers}, {DROP}, "actions")
    equal(to(world.lbr.run([done(THREE[1])])[0]), (THREE[1], 2000), "the oldest")


@test("workers: over apply, and with more threads, what is busy stays busy, and what waits waits")
def applied(world):
    world.apply(pool(2006))
    fill(world, 2006)
    world.lbr.run([request(2006, 2000 + n) for n in range(3)])
    world.apply(pool(2006, threads=6))
    # The next packet takes a new thread for the oldest.
    answers = world.lbr.run([request(2006, 2003 + n) for n in range(3)])
    equal([to(answer)[1] for answer in answers], [2000, 2001, 2002], "who leaves")
    equal(to(world.lbr.run([done(THREE[2])])[0]), (THREE[2], 2003), "the next")


@test("workers: a lease ends; load-balancers: 2 takes half of the threads")
def leases(world):
    world.apply(pool(2007, lease="2s", load_balancers=2))
    equal(len(fill(world, 2007, 6)), 6, "threads")
    equal(counted(world, [request(2007, 2000)])[1], {"queued": 1}, "reasons")
    action, end = DROP, time.monotonic() + 30
    while action == DROP and time.monotonic() < end:
        (action, frame), = world.lbr.run([request(2007, 2001)])
        time.sleep(0.05)
    equal(to((action, frame))[1], 2000, "who leaves")


def kept(world):
    """How many rows each map of workers has; of `pools`, which has some of each generation, of
    how many services."""
    dumps = {name: json.loads(on(world.lbr.host, "bpftool", "-j", "map", "dump", "pinned",
                                 f"{world.lbr.pins}/{name}"))
             for name in ("pools", "pool_states", "workers", "queues")}
    services = {tuple(row["key"][4:]) for row in dumps["pools"]}
    return {name: len(dump) for name, dump in dumps.items()} | {"pools": len(services)}


@test("workers: a service that leaves the file: what waits is counted as lost, nothing is kept")
def leaves(world):
    other = pool(2013, RELEASE + 1)
    world.apply(other)
    before = kept(world)
    both = configuration(*(service(THREE, port=port, protocol="udp", scheduler="workers",
                                   threads=5, release=release)
                           for port, release in ((2012, RELEASE), (2013, RELEASE + 1))))
    world.apply(both)
    fill(world, 2012)
    fill(world, 2013)
    waiting = [request(port, 2000 + n) for n in range(3) for port in (2012, 2013)]
    equal(counted(world, waiting)[1], {"queued": 6}, "reasons")
    lost = world.lbr.reasons()["queue_lost"]
    world.lbr("apply", "--dry-run", world.file(other))
    equal(to(world.lbr.run([done(THREE[0])])[0]), (THREE[0], 2000), "after a dry run")
    said = world.apply(other, now=False)
    assert "are lost: 2" in said, said
    equal(world.lbr.reasons()["queue_lost"] - lost, 2, "lost")
    equal(kept(world), before, "rows of maps")
    equal(counted(world, [request(2012, 1)])[1], {"unmatched": 1}, "its requests")
    equal(to(world.lbr.run([done(THREE[1], release=RELEASE + 1)])[0]), (THREE[1], 2000),
          "the other service")
    world.apply(both)
    equal(len(fill(world, 2012)), 15, "free threads where it comes back")


@test("workers: a queue of another size, while requests wait: their order stays")
def resized(world):
    world.apply(pool(2014, queue=5))
    fill(world, 2014)
    world.lbr.run([request(2014, 2000 + n) for n in range(5)])
    world.lbr("apply", world.file(pool(2014, queue=4)), status=1)
    world.lbr("apply", "--dry-run", world.file(pool(2014, queue=8)))
    equal(counted(world, [request(2014, 1)])[1], {"queue_full": 1}, "after a dry run")
    world.apply(pool(2014, queue=8))
    equal(counted(world, [request(2014, 2005 + n) for n in range(4)])[1],
          {"queued": 3, "queue_full": 1}, "reasons")
    for number in range(8):
        equal(to(world.lbr.run([done(THREE[number % 3])])[0])[1], 2000 + number, "who leaves")
    world.apply(pool(2014, queue=2))
    equal(rows(world)[1]["size"], 2, "the shorter one")


def traced_lines(world, release, frames):
    """What the trace says of the workers behind the `release` port, and of CLIENT's requests."""
    with traced(world.lbr, "all"):
        for frame in frames:
            world.lbr.run([frame])
        text = on(world.lbr.host, "grep", "-F", "-e", f"> {LB}:{release} ", "-e",
                  f"> {VIP}:2015", TRACE, status=None)
    return [re.sub(r"after \d+ ms", "after MS", line) for line in
            re.findall(r"xdp_lbr \S+ eth0: workers: (.*)", text)]


@test("workers: the trace: to whom, free threads of each, place in the queue, wait, who is done")
def told(world):
    release = random.SystemRandom().randrange(20000, 60000)
    sport = random.SystemRandom().randrange(20000, 60000)
    one, two, three = THREE
    world.apply(pool(2015, release, threads=1))
    asks = [request(2015, sport + n) for n in range(5)]
    lines = [line for line in traced_lines(
        world, release, [*asks, done(two, named(CLIENT, 1), release), done(two, release=release)])
        if any(f"{CLIENT}:{sport + n} " in line for n in range(5)) or f":{release} " in line]
    sent, free = [], dict.fromkeys(THREE, 1)
    for line in lines[:3]:
        address = line.split(" to ")[1].split(";")[0]
        free[address] = 0
        sent.append(f"{CLIENT}:{sport + len(sent)} > {VIP}:2015 to {address}; free: "
                    + ", ".join(f"{each} {free[each]}" for each in THREE))
    none, some = (f"free: {one} 0, {two} {n}, {three} 0" for n in (0, 1))
    equal(lines, [
        *sent, f"{CLIENT}:{sport + 3} > {VIP}:2015 queued, place 1; {none}",
        f"{CLIENT}:{sport + 4} > {VIP}:2015 queued, place 2; {none}",
        f"{two}:5 > {LB}:{release} done, but it works on no such request; {none}",
        f"{two}:5 > {LB}:{release} done; {some}",
        f"{CLIENT}:{sport + 3} > {VIP}:2015 from the queue after MS to {two}; {none}"], "lines")
    # More backends than a line takes.
    world.apply(pool(2015, release, backends=TEN[:6]))
    lines = traced_lines(world, release, [request(2015, sport + 9)])
    lines = [line for line in lines if f"{CLIENT}:{sport + 9} " in line]
    equal(len(lines), 2, "lines")
    equal([len(re.findall(r"\d+\.\d+\.\d+\.\d+ \d", line.split("free: ")[1])) for line in lines],
          [4, 2], "backends")


@test("workers: fragments, TTL 1, martians, and other packets to the VIP")
def others(world):
    world.apply(pool(2008))
    packet = IP(request(2008, 1000, b"x" * 3000)[14:])
    pieces = [bytes(f.ether() / piece) for piece in fragment(packet, 1480)]
    equal(counted(world, pieces)[1], {"request_fragmented": len(pieces)}, "reasons")
    old = bytes(f.ip4(ttl=1) / UDP(sport=1001, dport=2008) / Raw(b"x"))
    equal(counted(world, [old])[1], {"ttl_answered": 1}, "TTL 1")
    equal(counted(world, [bytes(f.ip4() / f.tcp(2008))])[1], {"unmatched": 1}, "TCP")
    equal(len(set(sent(world, 2008, range(1000, 1003)))), 3, "no thread was taken")


def rows(world):
    """{backend: its row}, and the queue's row."""
    shown = json.loads(world.lbr("show", "-j", "workers"))
    return {row["backend"]: row for row in shown["workers"]}, shown["queues"][0]


@test("workers: IPv6: 5 go, the sixth waits and leaves when the backend is done")
def in_ipv6(world):
    backend = "2001:db8:19::1:1"
    world.apply(configuration(service([backend], VIP6, 2009, "udp", scheduler="workers",
                                      threads=5, release=RELEASE)))
    frames = [bytes(f.ether() / IPv6(src=CLIENT6, dst=VIP6)
                    / UDP(sport=1000 + n, dport=2009) / Raw(b"sleep")) for n in range(6)]
    answers, reasons = counted(world, frames)
    equal([action for action, _ in answers], [TX] * 5 + [DROP], "actions")
    equal(reasons, {"forwarded": 5, "queued": 1}, "reasons")
    message = (b"done" + b"\0" * 16 + ip(CLIENT6) + struct.pack(">HH", 1003, 0)).ljust(64, b"\0")
    action, frame = world.lbr.run([bytes(
        Ether(dst=LB_MAC, src=ROUTER_MAC) / IPv6(src=backend, dst=LB6)
        / UDP(sport=5, dport=RELEASE) / Raw(message))])[0]
    equal(action, TX, "action")
    equal(frame[38:54], ip(backend), "to whom")
    equal((frame[22:38], frame[54:]), (frames[5][22:38], frames[5][54:]), "the request")
    equal(rows(world)[1]["done"], 1, "messages")


@test("workers: explain says where a request would go, and takes nothing")
def explained(world):
    world.apply(pool(2010))

    def explain():
        said = json.loads(world.lbr("explain", "-j", f"{CLIENT}:1", "192.168.25.10:2010/udp"))
        return said["reason"], said["backend"]

    for _ in range(20):
        reason, backend = explain()
        equal(reason, "forwarded", "the reason")
        assert backend in THREE, backend
    fill(world, 2010)
    equal(explain(), ("queued", None), "all are busy")
    equal(rows(world)[1]["queued"], 0, "requests that wait")


def batch(frames):
    return struct.pack("=I", len(frames)) + b"".join(
        struct.pack("=I", len(frame)) + frame for frame in frames)


@test("workers: the law: on two CPUs no request waits while a thread is free, and none is lost")
def two_cpus(world):
    world.apply(pool(2011, queue=50))
    before = world.lbr.reasons()
    count = int(os.environ.get("WORKERS_REQUESTS", "50000"))
    done_by = subprocess.run(
        [TOPO, "exec", world.lbr.host, "build/tests/prog/workers_law", world.lbr.pins, str(count), "5"],
        cwd=ROOT, input=batch([request(2011, 1024 + n) for n in range(50)])
        + batch([done(one) for one in THREE]), capture_output=True, check=False)
    equal((done_by.returncode, done_by.stderr), (0, b""), "the laws")
    _, run, _, left = done_by.stdout.split()
    workers, queue = rows(world)
    assert int(run) >= count, run
    equal(queue["sent"], int(left), "requests that left")
    equal(sum(row["busy"] for row in workers.values()), queue["sent"] - queue["done"], "busy")
    for backend, row in workers.items():
        equal(row["free"] + row["busy"], 5, f"threads of {backend}")
    full = world.lbr.reasons()["queue_full"] - before.get("queue_full", 0)
    equal(int(left) + full + queue["queued"], int(run), "left, dropped, and waiting")
    assert queue["from-queue"] > count // 100, f"only {queue['from-queue']} came from the queue"
