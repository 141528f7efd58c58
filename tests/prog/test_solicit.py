# SPDX-License-Identifier: GPL-2.0-only
"""A next hop without a MAC address is asked for it by the program, for every method:
each frame that leaves is compared byte by byte with scapy's; how often it asks; frames
handed to the kernel are addressed to the interface's own MAC address."""

import time

from scapy.layers.inet import ICMP, IP
from scapy.layers.inet6 import ICMPv6EchoRequest, ICMPv6ND_NS, ICMPv6NDOptSrcLLAddr, IPv6
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

import frames as f
from network import (
    DROP, LB, LB6, LB_MAC, PASS, TX, VIP, VIP6, Program, configuration, on, service,
)
from tap import equal, test

# Addresses on the load balancer's segment that no host has.
HOP = {4: "172.17.0.77", 6: "2001:db8:17::1:77"}
OWN, VIPS = {4: LB, 6: LB6}, {4: VIP, 6: VIP6}
SOURCES = f"['{LB}', '{LB6}']"
HOP_MAC = "02:00:00:00:00:77"
UNSPEC, SHOT, SENT = 0xffffffff, 2, 7  # TC_ACT_*
PAUSE = 0.03  # longer than a hundredth of a second


def setting(cross=False, **keys):
    rows = [service([HOP[10 - family if cross else family]], vip, **keys)
            for family, vip in VIPS.items()]
    settings = {"lb_sources": SOURCES} if keys["forward"] == "ipip" else {}
    return configuration(*rows, **settings)


def whole(packet):
    return bytes(Ether(bytes(packet)))


def asks(family):
    """The ARP request, the neighbour solicitation."""
    if family == 4:
        return whole(Ether(dst="ff:ff:ff:ff:ff:ff", src=LB_MAC) /
                     ARP(hwsrc=LB_MAC, psrc=LB, hwdst="00:00:00:00:00:00", pdst=HOP[4]))
    return whole(Ether(dst="33:33:ff:01:00:77", src=LB_MAC) /
                 IPv6(src=LB6, dst="ff02::1:ff01:77", hlim=255) /
                 ICMPv6ND_NS(tgt=HOP[6]) / ICMPv6NDOptSrcLLAddr(lladdr=LB_MAC))


def prompts(family, packet):
    """The echo request that claims to come from the next hop."""
    link = Ether(dst=LB_MAC, src=packet.src)
    if family == 4:
        return whole(link / IP(src=HOP[4], dst=LB, id=0, flags="DF") / ICMP(type=8, id=0, seq=0))
    return whole(link / IPv6(src=HOP[6], dst=LB6) / ICMPv6EchoRequest(id=0, seq=0))


def handed_up(packet, family):
    out = Ether(bytes(packet))
    layer = out[IP if family == 4 else IPv6]
    layer.dst = HOP[family]
    if family == 4:
        del layer.chksum
    out.dst = LB_MAC
    return whole(out)


def seen(world, packet):
    """The results of packets that are sent one at a time, some time apart."""
    got = []
    for _ in range(8):
        got += world.lbr.run([bytes(packet)])
        time.sleep(PAUSE)
    return got


def samples():
    return {4: f.ip4() / f.tcp(), 6: f.ip6() / f.tcp()}


# The kernel cannot send an IPv6 packet to an IPv4 neighbour.
@test("solicit: l2, IPv6 to an IPv4 backend: in turn, the next hop is asked, and the kernel")
def by_turns(world):
    packet = samples()[6]
    for mode in "generic", "native":
        world.up(setting(True, forward="l2"), mode)
        wanted = {(TX, asks(4)), (PASS, prompts(4, packet))}
        # Comes first: the kernel may have no entry that could take an answer.
        equal(world.lbr.run([bytes(packet)]), [(PASS, prompts(4, packet))], mode)
        time.sleep(PAUSE)
        equal(set(seen(world, packet)), wanted, mode)


def neighbour(family, *state):
    on("lbdsr0a", "ip", "neigh", "replace", HOP[family], "dev", "eth0", *state)


def sent(world, packet, family):
    """The frame, if the next hop of that family had a MAC address."""
    neighbour(family, "lladdr", HOP_MAC, "nud", "permanent")
    try:
        time.sleep(0.15)  # next-hop-age
        [(did, frame)] = world.lbr.run([bytes(packet)])
    finally:
        on("lbdsr0a", "ip", "neigh", "del", HOP[family], "dev", "eth0")
        time.sleep(0.15)
    equal((did, frame[:6].hex(":")), (TX, HOP_MAC), "sent")
    return frame


def waits(world, packet, family, name):
    """The MAC addresses of a packet that is left to lbr_waiting."""
    frame = sent(world, packet, family)
    got = world.lbr.run([bytes(packet)] * 3)
    equal({(did, one[12:]) for did, one in got}, {(PASS, frame[12:])}, name)
    [macs] = {one[:12] for _, one in got}
    equal((macs[0] & 3, macs[6:8]), (2, b"\x03\xff"), f"{name}: MAC addresses")
    return frame, macs


@test("solicit: ipip and l2: ready to be sent, left to lbr_waiting, which sends it")
def left_behind(world):
    secrets = set()
    for mode in "generic", "native":
        for method, cross in ("l2", False), ("l2", True), ("ipip", False), ("ipip", True):
            world.up(setting(cross, forward=method), mode)
            behind = Program(world.lbr.host, f"{world.lbr.pins}/link-eth0", "waiting")
            for family, packet in samples().items():
                to = 10 - family if cross else family
                if (method, family, to) == ("l2", 6, 4):
                    continue
                name = f"{mode} {method} IPv{family} to IPv{to}"
                frame, macs = waits(world, packet, to, name)
                secrets.add(macs[:6])
                left = macs + frame[12:]
                strange = bytes([macs[0] ^ 4]) + left[1:]
                unknown = left[:8] + b"\xff\xff\xff\xff" + left[12:]
                before = world.lbr.reasons()
                equal([did for did, _ in behind.run([left, strange, frame, unknown])],
                      [SENT, UNSPEC, UNSPEC, SHOT], name)
                after = world.lbr.reasons()
                equal({key: after[key] - before[key] for key in after if after[key] != before[key]},
                      {"neighbour_unresolved": -1, "no_backend": 1}, name)
            behind.close()
    equal(len(secrets), 1, "secrets")


@test("solicit: no more than one in a hundredth of a second; other packets as before")
def rarely(world):
    world.up(setting(True, forward="l2"))
    packet = samples()[6]
    before, began = world.lbr.reasons(), time.monotonic()
    got = world.lbr.run([bytes(packet)] * 5000)
    most = 1 + (time.monotonic() - began) / 0.008
    asked = [one for one in got if one[0] != DROP]
    assert 1 <= len(asked) <= most, f"{len(asked)} asked, at most {most}"
    equal({one for one in got if one[0] == DROP}, {(DROP, bytes(packet))}, "untouched")
    rose = {name: count - before[name] for name, count in world.lbr.reasons().items()}
    equal(rose["neighbour_asked"] + rose["neighbour_prompted"], len(asked), "counted")
    equal(rose["neighbour_missing"], 5000 - len(asked), "counted")


def unceasing(world, packet):
    """The results of packets sent one after the other, until one has asked for the address."""
    got, end = [], time.monotonic() + 10
    while time.monotonic() < end and not any(action == TX for action, _ in got):
        got += world.lbr.run([bytes(packet)] * 5000)
    return got


@test("solicit: rewrite and dscp: the kernel gets all packets until it has asked in vain")
def kernel_first(world):
    for keys in ({"forward": "rewrite"}, {"forward": "rewrite", "checksum": "update"}):
        world.up(setting(**keys))
        for family, packet in samples().items():
            if keys.get("checksum"):
                [(did, _)] = world.lbr.run([bytes(packet)])
                equal(did, PASS, "the first")
                continue
            kernels = (PASS, handed_up(packet, family))
            equal(world.lbr.run([bytes(packet)] * 3), [kernels] * 3, f"IPv{family}")
            # Single packets now and then, such as the first of a flow after each flush:
            # none is lost.
            for _ in range(4):
                time.sleep(0.3)
                equal(world.lbr.run([bytes(packet)]), [kernels], f"IPv{family}, seldom")
            got = unceasing(world, packet)
            equal(set(got) - {kernels}, {(TX, asks(family))}, f"IPv{family}, unceasing")
            equal(got[:100], [kernels] * 100, f"IPv{family}, the first of them")


@test("solicit: a super-packet becomes no request")
def no_super_packet(world):
    world.up(setting(forward="ipip"))
    for layer in f.ip4(), f.ip6():
        packet = layer / f.tcp() / Raw(b"x" * 3000)
        equal({did for did, _ in seen(world, packet)}, {PASS}, "large")


@test("solicit: a frame handed to the kernel for a macvlan is addressed to the interface below")
def macvlan(world):
    mac = "00:00:5e:00:01:07"
    on("lbdsr0a", "ip", "link", "add", "vrrp7", "link", "eth0", "address", mac,
       "type", "macvlan", "mode", "private")
    try:
        for keys in ({"forward": "rewrite"}, {"forward": "rewrite", "checksum": "update"}):
            world.up(setting(**keys))
            for family, packet in samples().items():
                packet.dst = mac
                [(did, got)] = world.lbr.run([bytes(packet)])
                equal((did, got[:6].hex(":"), got[6:12].hex(":")), (PASS, LB_MAC, packet.src),
                      f"IPv{family} {keys}")
    finally:
        on("lbdsr0a", "ip", "link", "del", "vrrp7")
        world.up(setting(forward="rewrite"))
