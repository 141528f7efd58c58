# SPDX-License-Identifier: GPL-2.0-only
"""Packets for a VIP that get no backend are passed to the kernel only if it delivers
them or forwards them elsewhere, and never if they would come back."""

import contextlib

from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import ICMPv6EchoReply, IPv6, IPv6ExtHdrFragment
from scapy.layers.l2 import Ether
from scapy.packet import Raw

import frames as f
from network import (
    CLIENT_MAC, DROP, LB_MAC, PASS, ROUTER, ROUTER6, ROUTER_MAC, TX, VIP, VIP6, backend, configuration, on,
    service,
)
from tap import equal, test

OTHER = "02:42:0a:09:09:03"
BACK = (f"default via {ROUTER}", f"default via {ROUTER6}")


def setting(**settings):
    rows = []
    for vip, near in (VIP, "172.19.0.3"), (VIP6, "2001:db8:19::3"):
        rows.append(service([near], vip))
        rows.append(service([backend(near, drain=True)], vip, 91, on_all_down="pass"))
    return configuration(*rows, **settings)


def ip(family, *words, status=0):
    on("lbdsr0a", "ip", family, *words, status=status)


@contextlib.contextmanager
def have(*things):
    """Each "route ..." or "address ...": an IPv4 and an IPv6 one."""
    added = []
    try:
        for pair in things:
            for family, what in zip(("-4", "-6"), pair):
                kind, *words = what.split()
                ip(family, kind, "add", *words)
                added.append((family, kind, words))
        yield
    finally:
        for family, kind, words in reversed(added):
            ip(family, kind, "del", *words, status=None)


def routes(v4, v6):
    return f"route {v4}", f"route {v6}"


LOCAL = (f"address {VIP}/32 dev lo", f"address {VIP6}/128 dev lo nodad")
ON_ETH0 = (f"address {VIP}/32 dev eth0", f"address {VIP6}/128 dev eth0 nodad")


def strays():
    """For the VIPs, but for none of their services: {name: frame}"""
    return {
        "TCP": f.ip4() / f.tcp(22), "UDP": f.ip4() / f.udp(53),
        "SYN": f.ip4() / f.tcp(22, "S", b""),
        "echo reply": f.ip4() / ICMP(type=0) / Raw(b"ping"),
        "ICMP": f.ip4() / ICMP(type=13) / Raw(b"\0" * 12),
        "ESP": f.ip4(proto=50) / Raw(b"\0" * 20),
        "TCP (6)": f.ip6() / f.tcp(22), "UDP (6)": f.ip6() / f.udp(53),
        "echo reply (6)": f.ip6() / ICMPv6EchoReply(data=b"ping"),
        "ESP (6)": f.ip6(nh=50) / Raw(b"\0" * 20),
    }


def ends(world, frames):
    """{name: (action, reason)}; a packet that is not sent is unchanged."""
    out = {}
    for name, frame in frames.items():
        before = world.lbr.reasons()
        [(action, got)] = world.lbr.run([bytes(frame)])
        after = world.lbr.reasons()
        [reason] = [key for key in after if after[key] != before[key]]
        assert action == TX or got == bytes(frame), f"{name}: changed"
        out[name] = (action, reason)
    return out


def all_end(world, frames, action, reason, when):
    equal(ends(world, frames), {name: (action, reason) for name in frames}, when)


def served(world):
    all_end(world, {"4": f.ip4() / f.tcp(), "6": f.ip6() / f.tcp()}, TX, "forwarded", "served")
    all_end(world, {"4": f.ip4() / f.echo4(), "6": f.ip6() / f.echo6()}, TX, "echo_answered",
            "pinged")


@test("pass: a VIP that is this host's address: packets for no service")
def local(world):
    for where in LOCAL, ON_ETH0:
        with have(where):
            world.apply(setting())
            all_end(world, strays(), PASS, "local_passed", "known to the tool")
            served(world)
            world.apply(setting(unmatched="pass"))
            all_end(world, strays(), PASS, "local_passed", "pass")
            world.apply(setting(unmatched="drop"))
            all_end(world, strays(), DROP, "unmatched", "drop")
            served(world)
    world.apply(setting())
    all_end(world, strays(), DROP, "unmatched", "no longer")


@test("pass: fragments and headers that no service accepts, for this host's address")
def local_unusual(world):
    piece = UDP(sport=1, dport=53, len=2000) / Raw(b"x" * 64)
    frames = {
        "a later fragment": f.ip4(id=4711, frag=8) / Raw(bytes(piece)),
        "of TCP": f.ip4(id=4712, frag=8, proto=6) / Raw(b"x" * 64),
        "a later fragment (6)": f.ip6() / IPv6ExtHdrFragment(nh=17, offset=8, id=4711)
                                / Raw(b"x" * 64),
    }
    with have(LOCAL):
        world.apply(setting())
        all_end(world, frames, PASS, "local_passed", "here")
        bad = {"cut short": f.ip4(len=500) / f.tcp(22)}
        all_end(world, bad, DROP, "malformed_vip", "malformed")
    world.apply(setting())
    all_end(world, frames, DROP, "fragment", "elsewhere")


@test("pass: a VIP that comes and goes while no tool runs")
def moves(world):
    world.apply(setting())
    with have(routes(*BACK)):
        all_end(world, strays(), DROP, "unmatched", "before")
        for where in LOCAL, ON_ETH0:
            with have(where):
                all_end(world, strays(), PASS, "local_passed", "while it is here")
                served(world)
            all_end(world, strays(), DROP, "unmatched", "behind it")


@test("pass: a packet that the kernel would send back is dropped")
def back(world):
    world.apply(setting(unmatched="pass"))
    to_91 = {"4": f.ip4() / f.tcp(91), "6": f.ip6() / f.tcp(91)}
    gone = (f"{VIP} via 172.17.0.99", f"{VIP6} via 2001:db8:17::99")
    for what in BACK, gone, (f"{VIP} dev lo", f"{VIP6} dev lo"):
        with have(routes(*what)):
            all_end(world, strays(), DROP, "would_loop", what)
            all_end(world, to_91, DROP, "would_loop", f"{what}, on-all-down: pass")
            served(world)


@test("pass: a packet that the kernel refuses, or sends out elsewhere, is passed")
def elsewhere(world):
    world.apply(setting(unmatched="pass"))
    to_91 = {"4": f.ip4() / f.tcp(91), "6": f.ip6() / f.tcp(91)}
    on("lbdsr0a", "ip", "-batch", "-", text="link add pass0 type veth peer name pass1\n"
       "link set pass0 up\nlink set pass1 up\naddress add 10.9.8.1/24 dev pass0\n"
       "address add 2001:db8:98::1/64 dev pass0 nodad\n")
    try:
        out = f"{VIP} via 10.9.8.2", f"{VIP6} via 2001:db8:98::2"
        for what in None, (f"blackhole {VIP}", f"blackhole {VIP6}"), out:
            with have(*[routes(*what)] if what else []):
                all_end(world, strays(), PASS, "unmatched_passed", what)
                all_end(world, to_91, PASS, "no_backend_passed", f"{what}, on-all-down: pass")
    finally:
        ip("-4", "link", "del", "pass0")


def to(mac, packet):
    return Ether(src=CLIENT_MAC, dst=mac) / packet[Ether].payload


def new_mac(mac):
    """The kernel forgets all neighbours when an address changes."""
    lines = [f"link set eth0 address {mac}"]
    lines += [f"neigh replace {router} dev eth0 lladdr {ROUTER_MAC} nud permanent"
              for router in (ROUTER, ROUTER6)]
    on("lbdsr0a", "ip", "-batch", "-", text="\n".join(lines) + "\n")


def own_and_others():
    """Frames for eth0's MAC address as it is now; and for another address."""
    frames = {"4": f.ip4() / f.tcp(), "6": f.ip6() / f.tcp(), "stray": f.ip4() / f.udp(53)}
    return ({name: to(OTHER, packet) for name, packet in frames.items()},
            {name: to("02:42:0a:09:09:04", packet) for name, packet in frames.items()})


@test("pass: a MAC address of ours that is missing in the list")
def stale_mac(world):
    world.apply(setting())
    own, others = own_and_others()
    strange = {"no VIP": to(OTHER, Ether() / IP(src="172.17.0.4", dst="172.17.0.2") / f.tcp(22)),
               "all": to("ff:ff:ff:ff:ff:ff", f.ip4() / f.tcp())}
    try:
        with have(routes(*BACK)):
            for settings in {}, {"unmatched": "drop"}:
                new_mac(LB_MAC)
                world.apply(setting(**settings))
                new_mac(OTHER)  # without an `lbr run` that would follow the change
                all_end(world, own, DROP, "would_loop", "the kernel would route it back")
                all_end(world, others, PASS, "foreign_mac", "another host's")
                all_end(world, strange, PASS, "foreign_mac", "not a VIP, not for us alone")
            with have(LOCAL):
                all_end(world, own, PASS, "foreign_mac", "the kernel is the end")
        all_end(world, own, PASS, "foreign_mac", "no route")
    finally:
        new_mac(LB_MAC)
