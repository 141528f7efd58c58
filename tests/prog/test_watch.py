# SPDX-License-Identifier: GPL-2.0-only
"""lbr watch: a watcher gets every decision that matches its filter, complete, and no other; it
equals what `explain` says about the same packet."""

import json
import os
import signal
import subprocess
import time

import frames as f
from network import CLIENT, CLIENT6, ROOT, VIP, VIP6, configuration, on, service
from placing import PORTS, TEN, Service, wait_for
from scapy.packet import Raw
from tap import equal, test

WATCHED = 0x100  # in the word of the trace


def word(world):
    """The second word of the map `control`: whether somebody traces or watches."""
    found = on("lbdsr0a", "bpftool", "-j", "map", "lookup", "pinned",
               f"{world.lbr.pins}/control", "key", "0", "0", "0", "0")
    words = bytes(int(byte, 16) for byte in json.loads(found)["value"])
    return int.from_bytes(words[4:8], "little")


def dump(world, name):
    found = on("lbdsr0a", "bpftool", "-j", "map", "dump", "pinned", f"{world.lbr.pins}/{name}")
    return [row["formatted"]["value"] for row in json.loads(found)]


def untils(world):
    """The time until which each watcher's row is valid; 0: there is no watcher."""
    return [row["until"] for row in dump(world, "watch")]


def lost(world):
    return sum(dump(world, "watch_lost"))


def rings(world):
    """How many ring buffers there are."""
    found = on("lbdsr0a", "bpftool", "-j", "map", "dump", "pinned", f"{world.lbr.pins}/watched")
    return len(json.loads(found))


class Watch:
    """`beside`: other processes that watch already."""

    def __init__(self, world, *arguments, beside=()):
        before, taken = untils(world), [watch.index for watch in beside]
        self.process = subprocess.Popen(
            ["topology/topo", "exec", "lbdsr0a", "LoadBalancer/lbr", "watch", *arguments],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

        def new():
            return [n for n, until in enumerate(untils(world))
                    if until != before[n] and n not in taken]

        wait_for(lambda: word(world) & WATCHED and new(), "somebody to watch")
        [self.index] = new()

    def pid(self):
        """The pid of lbr itself, behind topo and nsenter."""
        pid = self.process.pid
        while True:
            with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as children:
                below = children.read().split()
            if not below:
                return int(pid)
            pid = below[0]

    def end(self, number=signal.SIGINT):
        """End it and return its output; then its bit is cleared."""
        os.kill(self.pid(), number)
        out, said = self.process.communicate()
        return out.splitlines(), said


def one(world, *arguments, frames):
    watch = Watch(world, "-j", *arguments)
    for frame in frames:
        world.lbr.run([frame])
    # Each decision is written before the next one is made.
    lines, said = watch.end()
    equal(said, "", "stderr")
    return [json.loads(line) for line in lines]


@test("watch: each decision, as explain prints it; none while nobody watches")
def decisions(world):
    tcp = Service(world, 4201)
    world.up(configuration(tcp.text(TEN), service(["2001:db8:19:1::1"], vip=VIP6, port=4201)))
    world.lbr("trace", "new")
    questions = [f"{CLIENT}:{sport} {VIP}:4201 syn" for sport in PORTS[:20]]
    questions += [f"{CLIENT}:7 {VIP}:4202", f"[2001:db8:17::4]:9 [{VIP6}]:4201"]
    told = [json.loads(line) for line in
            world.lbr("explain", "-j", text="\n".join(questions)).splitlines()]
    frames = [bytes.fromhex(each["frame"]) for each in told]
    world.lbr.run([bytes(f.ip4() / f.tcp(4201, "S"))])  # nobody watches
    watched = one(world, frames=frames)
    keys = told[0].keys() - {"nat", "headers", "frame", "sent", "returned", "next-hop"}
    equal([[each[key] for key in keys] for each in watched],
          [[each[key] for key in keys] for each in told], "decisions")
    assert all(each["next-hop"]["via"] for each in watched if each["reason"] == "forwarded")
    equal(word(world), 1, "the word of the trace, afterwards")
    world.lbr("trace", "off")


@test("watch: a watcher that was killed leaves its place to the next one at once")
def replaced(world):
    world.up(configuration(Service(world, 4209).text(TEN)))
    watches = []
    for _ in range(4):
        watches.append(Watch(world, beside=watches))
    equal(on("lbdsr0a", "LoadBalancer/lbr", "watch", status=1), "", "a fifth one")
    watches[1].end(signal.SIGKILL)
    watches[1] = Watch(world, beside=[watches[n] for n in (0, 2, 3)])
    equal((watches[1].index, rings(world)), (1, 4), "its place, and ring buffers")
    equal(on("lbdsr0a", "sh", "-c", f"ls {world.lbr.pins} | grep -c ^watch- || :"), "4\n", "locks")
    world.lbr.run([bytes(f.ip4() / f.tcp(4209, "S"))])
    for watch in watches:
        lines, said = watch.end()
        equal((len(lines), said), (1, ""), "decisions, and stderr")
    equal(rings(world), 0, "ring buffers, afterwards")
    equal(on("lbdsr0a", "sh", "-c", f"ls {world.lbr.pins} | grep -c ^watch- || :"), "0\n", "locks")


@test("watch: another user, who takes the names that a watcher may have, keeps nobody from it")
def foreign(world):
    world.up(configuration(Service(world, 4210).text(TEN)))
    taken = subprocess.Popen(["topology/topo", "exec", "lbdsr0a", "setpriv", "--reuid=65534", "--clear-groups",
                              "/usr/bin/python3", "-c", NAMES, str(highest())],
                             cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    try:
        assert taken.stdout.readline()
        Watch(world).end()
    finally:
        taken.kill()
        taken.wait()


# Whoever knows how a watcher is named may not be in its way: the next thousand names.
NAMES = """
import socket, sys, time
held = []
for number in range(int(sys.argv[1]), int(sys.argv[1]) + 1000):
    held.append(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
    held[-1].bind(f"\\0l3dsr/watch/{number}")
print("held", flush=True)
time.sleep(60)
"""


def highest():
    """An id that the next map may have."""
    return max(int(line.split(":")[0]) for line in on("lbdsr0a", "bpftool", "map").splitlines()
               if line[0].isdigit())


@test("watch: those of a client, a service, a backend, a reason")
def filters(world):
    world.up(configuration(Service(world, 4203).text(TEN), Service(world, 4204).text(TEN[:1])))
    frames = [bytes(f.ip4() / f.tcp(4203, "S")), bytes(f.ip4() / f.tcp(4204, "S")),
              bytes(f.ip4(ttl=1) / f.tcp(4204, "S"))]
    for wanted, count in ((f"{VIP}:4203", 1), (f"{VIP}:4204/tcp", 2), (f"{VIP}:4204/udp", 0),
                          (VIP, 3), (CLIENT, 3), (f"{CLIENT}:40000", 3), (f"{CLIENT}:40001", 0),
                          (TEN[0], None), ("ttl_answered", 1), ("no_backend", 0)):
        said = one(world, wanted, frames=frames)
        if count is None:
            equal({each.get("backend") for each in said}, {TEN[0]}, "backends")
        else:
            equal(len(said), count, f"decisions that {wanted} is in")
    for wrong in "nobody", f"{VIP}:x", f"{VIP}:80/sctp":
        world.lbr("watch", wrong, status=1)


@test("watch: packets for a VIP that are neither TCP nor UDP")
def others(world):
    world.up(configuration(Service(world, 4207).text(TEN)))
    frames = [bytes(f.ip4() / f.echo4()), bytes(f.ip4(proto=47) / Raw(b"x" * 30)),
              bytes(f.ip4() / f.udp(4207))]
    said = one(world, frames=frames)
    equal([(each["protocol"], each["port"], each["reason"]) for each in said],
          [("icmp", None, "echo_answered"), ("ip", None, "unmatched"), ("udp", 4207, "unmatched")],
          "protocols")


@test("watch: one line for people; missed decisions are counted")
def lines(world):
    world.up(configuration(Service(world, 4205).text(TEN)))
    watch = Watch(world)
    world.lbr("trace", "off")  # another one still watches
    world.lbr.run([bytes(f.ip4() / f.tcp(4205, "S"))])
    os.kill(watch.pid(), signal.SIGSTOP)
    stopped = time.monotonic()
    frame = bytes(f.ip4() / f.tcp(4205, "S"))
    for _ in range(10):
        world.lbr.run(2000 * [frame])
    stopped = time.monotonic() - stopped
    os.kill(watch.pid(), signal.SIGCONT)
    seen, said = watch.end(signal.SIGTERM)
    missed = int(said.split(" decisions were not seen")[0].split()[-1])
    # One that was stopped for seconds is written to no more: see below.
    told = len(seen) + missed
    assert missed > 0 and (told == 20001 if stopped < 0.9 else told <= 20001), \
        f"{len(seen)} seen, {missed} not, stopped for {stopped:.1f} s"
    line = seen[0]
    for part in (f"{CLIENT}:40000 > {VIP}:4205 tcp syn; interface eth0; ", f"; service {VIP}:4205/tcp",
                 "; backend ", "; next-hop ", "; reason forwarded; action XDP_TX"):
        assert part in line, f"{part} is not in {line}"
    equal(word(world), 0, "the word of the trace, afterwards")


@test("watch: a watcher that was killed is soon written to no more")
def killed(world):
    world.up(configuration(Service(world, 4206).text(TEN)))
    frame = bytes(f.ip4() / f.tcp(4206, "S"))

    def is_told():
        before = lost(world)
        world.lbr.run(2000 * [frame])
        return lost(world) > before

    Watch(world).end(signal.SIGKILL)
    for _ in range(5):
        world.lbr.run(2000 * [frame])
    wait_for(lambda: not is_told(), "it to be over")
    equal(word(world) & WATCHED, 0, "the bit that it left")
    equal(rings(world), 1, "the ring buffer that it left")
    Watch(world).end()
    equal((word(world) & WATCHED, rings(world)), (0, 0), "after the next one")


@test("watch: four watchers at a time, each with its own filter, in both families")
def together(world):
    both = (service(TEN[:2], port=4207), service(["2001:db8:19:1::1"], vip=VIP6, port=4207))
    world.up(configuration(*both))
    frames = [bytes(f.ip4() / f.tcp(4207, "S")), bytes(f.ip6() / f.tcp(4207, "S")),
              bytes(f.ip4(ttl=1) / f.tcp(4207, "S")), bytes(f.ip4() / f.udp(4207, b""))]
    wanted = {VIP: 3, f"[{VIP6}]:4207/tcp": 1, CLIENT6: 1, "ttl_answered": 1}
    watches = []
    for each in wanted:
        watches.append(Watch(world, "-j", each, beside=watches))
    equal(rings(world), 4, "ring buffers")
    said = on("lbdsr0a", "LoadBalancer/lbr", "watch", status=1)
    equal(said, "", "the fifth")
    for frame in frames:
        world.lbr.run([frame])
    for n, watch in enumerate(watches):
        lines, said = watch.end()
        equal((len(lines), said), (list(wanted.values())[n], ""), list(wanted)[n])
        equal(word(world) & WATCHED, WATCHED * (n < 3), "the bit, while others watch")
    equal(rings(world), 0, "ring buffers, afterwards")


@test("watch: the wanted decisions are there, however many others there are")
def among_others(world):
    world.up(configuration(Service(world, 4208).text(TEN)))
    one, other = f.ip4() / f.tcp(4208, "S"), f.ip4() / f.tcp(4208, "S")
    one["TCP"].sport, other["TCP"].sport = 1234, 4321
    wants = Watch(world, "-j", f"{CLIENT}:1234")
    all_of_it = Watch(world, "-j", beside=[wants])
    for _ in range(20):  # meanwhile its output is not read
        world.lbr.run(2000 * [bytes(other)] + [bytes(one)])
    lines, said = wants.end()
    equal((len(lines), said), (20, ""), "of 40,020 decisions, those that are wanted")
    lines, _ = all_of_it.end()
    assert len(lines) < 40020, "the control lost none"
