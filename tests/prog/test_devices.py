# SPDX-License-Identifier: GPL-2.0-only
"""Devices that XDP cannot send out of: the kernel forwards the packets that would leave
there, if the method allows it; otherwise they are dropped."""

import contextlib

from scapy.layers.inet import IP
from scapy.layers.l2 import Ether

import frames as f
from network import DROP, PASS, REDIRECT, VIP, VIP6, configuration, on, service
from tap import equal, test

FAR, FAR6 = "172.24.0.9", "2001:db8:2400::9"
PORTS = {"rewrite": 2401, "dscp": 2402, "ipip": 2403, "l2": 2404, "update": 2405}
MAC = "02:42:0a:00:00:24"
KINDS = {
    "tun": "tuntap add dev tun9 mode tun",
    "br": "link add br9 type bridge",
    "macvlan": "link add macvlan9 link under9 type macvlan",
}


def setting(near=FAR, near6=FAR6, methods=tuple(PORTS)):
    more = {"rewrite": {}, "dscp": {"forward": "dscp", "dscp": 7},
            "ipip": {"forward": "ipip"}, "l2": {"forward": "l2"},
            "update": {"checksum": "update"}}
    rows = [service([to], vip, PORTS[name], **more[name])
            for name in methods for vip, to in ((VIP, near), (VIP6, near6))]
    return configuration(*rows, lb_sources="[172.17.0.0/16, '2001:db8:17::/64']",
                         next_hop_age="0s")


def ip(*lines, force=False):
    on("lbdsr0a", "ip", *["-force"] * force, "-batch", "-", text="\n".join(lines) + "\n",
       status=None if force else 0)


@contextlib.contextmanager
def device(kind):
    """FAR is behind the device, and its neighbour is permanent: no process holds the
    tun device, so it has no carrier, which removes other neighbours. Before Linux 6.8
    this takes up to a second after the device came up."""
    name = f"{kind}9"
    known = "nud permanent" if kind == "tun" else f"lladdr {MAC} nud permanent"
    try:
        ip("link add under9 type veth peer name under8", "link set under9 up",
           KINDS[kind], f"link set {name} up", f"address add 10.9.24.1/24 dev {name}",
           f"address add 2001:db8:924::1/64 dev {name} nodad",
           f"route add {FAR} dev {name}", f"route add {FAR6} dev {name}",
           f"neigh replace {FAR} dev {name} {known}", f"neigh replace {FAR6} dev {name} {known}")
        yield name
    finally:
        ip(f"link del {name}", "link del under9", force=True)


def end(world, frame):
    before = world.lbr.reasons()
    [(action, got)] = world.lbr.run([bytes(frame)])
    after = world.lbr.reasons()
    [reason] = [key for key in after if after[key] != before[key]]
    return (action, reason), got


def packets(method):
    yield f.ip4() / f.tcp(PORTS[method]), FAR
    yield f.ip6() / f.tcp(PORTS[method]), FAR6


def by_kernel(world, when, how=("device_passed", "device_unfit")):
    for method in PORTS:
        for packet, to in packets(method):
            got, left = end(world, packet)
            if method in ("ipip", "l2"):
                equal(got, (DROP, how[1]), f"{when}, {method}")
                equal(left, bytes(packet), f"{when}, {method}: untouched")
                continue
            equal(got, (PASS, how[0]), f"{when}, {method}")
            wanted = Ether(bytes(packet))
            layer = IP if IP in wanted else "IPv6"
            wanted[layer].dst = to
            if layer == IP:
                del wanted[IP].chksum
            if method == "dscp":
                field = "tos" if layer == IP else "tc"
                setattr(wanted[layer], field, 7 << 2)
            if method == "update":
                del wanted["TCP"].chksum
            equal(left, bytes(wanted), f"{when}, {method}: what is handed up")



def sender(world):
    rows = world.lbr.rows("next-hops")
    return {row["sent-by"] for row in rows if row["interface"] not in ("eth0", None)}


@test("devices: without an Ethernet header, whether the tool knows it or not")
def no_ethernet(world):
    world.apply(setting("172.19.0.3", "2001:db8:19::3"))
    for mode in "generic", "native":
        world.up(setting("172.19.0.3", "2001:db8:19::3", ("rewrite",)), mode)
        # A file with such a backend is refused, so the route is added after `apply`.
        world.up(setting(), mode)
        with device("tun"):
            by_kernel(world, f"{mode}, new")
            equal(sender(world), {"kernel: no Ethernet header"}, "shown")
            world.apply(setting(methods=("rewrite", "dscp", "update")))
            for packet, _ in packets("rewrite"):
                equal(end(world, packet)[0], (PASS, "device_passed"), f"{mode}, known")


@test("devices: without ndo_xdp_xmit: redirected to in generic mode only")
def no_xmit(world):
    for kind in "br", "macvlan":
        world.up(setting(), "generic")
        with device(kind):
            for method in "rewrite", "dscp", "ipip", "l2", "update":
                for packet, _ in packets(method):
                    equal(end(world, packet)[0], (REDIRECT, "redirected"), f"{kind}, {method}")
        world.up(setting(), "native")
        with device(kind):
            world.lbr("apply", world.file(setting(methods=("rewrite", "dscp", "update"))))
            equal(sender(world), {"xdp_lbr; native: kernel"}, "shown")
            for packet, _ in packets("rewrite"):
                equal(end(world, packet)[0], (PASS, "device_passed"), kind)
    world.up(setting("172.19.0.3", "2001:db8:19::3", ("rewrite",)), "generic")


@test("devices: a method that needs XDP to send is refused; the message names the device")
def refused(world):
    world.up(setting("172.19.0.3", "2001:db8:19::3", ("rewrite",)), "native")
    for kind, why in ("tun", "has no Ethernet header"), ("br", "takes no redirected frames"):
        with device(kind) as name:
            for method in "ipip", "l2":
                said = refusal(world, setting(methods=(method,)))
                assert f"by {method}: the route leads out of {name}, which {why}" in said, said
            world.lbr("apply", world.file(setting(methods=("rewrite", "dscp"))))
    world.up(setting("172.19.0.3", "2001:db8:19::3", ("rewrite",)), "generic")
    with device("br"):
        world.apply(setting(methods=("ipip", "l2")))
    world.apply(setting("172.19.0.3", "2001:db8:19::3", ("rewrite",)))


def refusal(world, text):
    return on("lbdsr0a", "sh", "-c", f"LoadBalancer/lbr apply {world.file(text)} 2>&1", status=1)
