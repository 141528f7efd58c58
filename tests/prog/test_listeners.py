# SPDX-License-Identifier: GPL-2.0-only
"""restore: tc: who gets the connections for a VIP that no interface has, when a server
listens on the backend's own address. The frames go through xdp_bkd alone; the host's own
TCP then connects to the VIP."""

import contextlib

from scapy.layers.inet import IP

import frames as f
from network import CLIENT, PASS, VIP, VIP6, at_own, configuration, on, service
from tap import equal, test
from transition import HOST, NEAR, NEAR6, came, fresh, restored, row, sockets

# Listen where it is told, and connect to the VIP: print which listeners accept.
SERVER = """
import select, socket, sys
vip = sys.argv[1]
family = socket.AF_INET6 if ":" in vip else socket.AF_INET
listeners = {}
def listen(name, address):
    one = listeners[name] = socket.socket(family)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    one.bind((address, 8088))
    one.listen()
def close(name):
    listeners.pop(name).close()
def connect(count):
    return " ".join(sorted({accepted() for _ in range(int(count))}))
def accepted():
    client = socket.socket(family)
    try:
        client.connect((vip, 8088))
    except ConnectionRefusedError:
        return "refused"
    ready = select.select(list(listeners.values()), [], [], 20)[0][0]
    server = ready.accept()[0]
    assert server.getsockname()[0] == vip, server.getsockname()
    client.close()
    assert not server.recv(1)
    return next(name for name in listeners if listeners[name] is ready)
print("ready", flush=True)
for line in sys.stdin:
    verb, *words = line.split()
    print({"listen": listen, "close": close, "connect": connect}[verb](*words), flush=True)
"""


@contextlib.contextmanager
def server(vip):
    with sockets(SERVER, vip) as process:
        def ask(words):
            print(words, file=process.stdin, flush=True)
            return process.stdout.readline().strip()
        yield ask


def asked(role, ip, near, vip, port=8088, **fields):
    """A SYN came: it is restored like any other packet."""
    frame = came(ip(near) / f.tcp(port, flags="S", **fields))
    row(role, frame, PASS, restored(frame, vip), "restored")


BOTH = (f.ip4, NEAR, VIP, "0.0.0.0"), (f.ip6, NEAR6, VIP6, "::")


def begin(world, **keys):
    return fresh(world, *(service([at_own(near)], vip, **{"port": 8088, **keys})
                          for _, near, vip, _ in BOTH))


@test("listeners: the one on the own address accepts for the VIP; else one on all addresses")
def own_first(world):
    role = begin(world)
    for ip, near, vip, everywhere in BOTH:
        with server(vip) as ask:
            ask(f"listen own {near}")
            equal(ask("connect 1"), "refused", "nobody knows of it yet")
            asked(role, ip, near, vip)
            equal(ask("connect 3"), "own", vip)
            ask(f"listen all {everywhere}")
            equal(ask("connect 3"), "own", "beside one on all addresses")
            ask("close own")
            equal(ask("connect 3"), "all", "without one on the own address")
            asked(role, ip, near, vip)
            ask(f"listen own {near}")
            equal(ask("connect 1"), "all", "started again, and no SYN has come")
            asked(role, ip, near, vip)
            equal(ask("connect 3"), "own", "started again")


@test("listeners: several with SO_REUSEPORT share the connections; any port")
def groups(world):
    role = begin(world, port="any")
    for ip, near, vip, _ in BOTH:
        with server(vip) as ask:
            for name in "one", "two":
                ask(f"listen {name} {near}")
            asked(role, ip, near, vip)
            equal(ask("connect 60"), "one two", vip)
            ask("close one")
            ask("connect 1")
            asked(role, ip, near, vip)
            equal(ask("connect 10"), "two", "one of them has ended")


@test("listeners: what is no SYN, or for another port or service, makes none known")
def no_other(world):
    role = begin(world)
    with server(VIP) as ask:
        ask(f"listen own {NEAR}")
        for packet, reason in (
                (f.ip4(NEAR) / f.tcp(8088, flags="A"), "restored"),
                (f.ip4(NEAR) / f.tcp(8089, flags="S"), "not_listed"),
                (f.ip4(VIP) / f.tcp(8088, flags="S"), "not_listed")):
            frame = came(packet)
            row(role, frame, PASS, restored(frame, VIP) if reason == "restored" else frame, reason)
        equal(ask("connect 1"), "refused", "not asked for")


def inside(source):
    return f.ether() / IP(src=source, dst=NEAR) / IP(src=CLIENT, dst=VIP)


@test("listeners: by dscp, ipip and l2; not one whose outer source is foreign")
def methods(world):
    for keys, packet, reason in (
            ({"forward": "dscp", "dscp": 10}, f.ip4(NEAR, tos=40), "restored"),
            ({"forward": "ipip"}, inside("172.17.0.2"), "decapsulated"),
            ({"forward": "ipip"}, inside("172.18.0.2"), "foreign_source"),
            ({"forward": "l2"}, f.ip4(VIP), "delivered")):
        role = fresh(world, service([at_own(NEAR)], port=8088, **keys),
                     lb_sources="[172.17.0.0/16]")
        with server(VIP) as ask:
            ask(f"listen own {NEAR}")
            before = role.reasons()
            role.run([came(packet / f.tcp(8088, flags="S"))])
            equal(role.reasons()[reason] - before[reason], 1, reason)
            equal(ask("connect 3"), "refused" if reason == "foreign_source" else "own", str(keys))


@test("listeners: apply to restore: lo, and what left the file")
def settled(world):
    role = begin(world)
    with server(VIP) as ask:
        ask(f"listen own {NEAR}")
        asked(role, f.ip4, NEAR, VIP)
        # It is restored until its grace is over, so it is served until then.
        role("apply", world.file(configuration(service([NEAR], port=81))))
        equal(ask("connect 1"), "own", "left the file")
        role("apply", world.file(configuration(service([NEAR], port=8088))))
        equal(ask("connect 1"), "refused", "on the VIP again")
    equal(on(HOST, "ip", "route", "show", "table", "local", "proto", "117"), "", "routes")


@test("listeners: a host that is two backends of one service is refused, and nothing changes")
def two_backends(world):
    role = begin(world)
    on(HOST, "ip", "address", "add", "172.19.0.9/16", "dev", "eth0")
    try:
        path = world.file(configuration(service([at_own(NEAR), at_own("172.19.0.9")], port=8088)))
        before = role("show", "-j")
        role("apply", path, status=1)
        equal(role("show", "-j"), before, "what runs")
    finally:
        on(HOST, "ip", "address", "del", "172.19.0.9/16", "dev", "eth0")
