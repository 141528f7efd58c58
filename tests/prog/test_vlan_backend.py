# SPDX-License-Identifier: GPL-2.0-only
"""Tagged frames at a backend, in native mode. As in test_vlan.py, a plain device
stands for the VLAN device."""

import contextlib
import struct

import frames as f
from network import LB, LB6, PASS, TX, VIP, VIP6, Program, configuration, on, service
from oracle import ip, redirected
from tap import equal, test
from test_vlan import AD, PORT, Q, number, tag, tagged, update


@contextlib.contextmanager
def backend_vlan(world, others=((), ()), **keys):
    """On backend0x, in7 stands for VLAN 100 of eth0 and has its address. `others`: further
    backends of each family."""
    host, address = "backend0x", "02:42:0a:00:07:03"
    role = world.bkd[host]
    settings = {"lb_sources": f"['{LB}', '{LB6}']"} if keys else {}
    text = world.file(configuration(service(["172.19.0.3", *others[0]], VIP, PORT, **keys),
                                    service(["2001:db8:19::3", *others[1]], VIP6, PORT, **keys),
                                    **settings))
    on(host, "ip", "link", "add", "in7", "address", address, "type", "veth", "peer", "in7p")
    for link in "in7", "in7p":
        on(host, "ip", "link", "set", link, "up")
    try:
        role("up", "-i", "eth0", "-i", "in7", "-m", "native", "-c", text)
        role.close()
        role.program = Program(host, f"{role.pins}/link-eth0")
        index = [int(on(host, "cat", f"/sys/class/net/{device}/ifindex"))
                 for device in ("eth0", "in7")]
        for tags in (number(tag(100)), 0), (number(tag(7, AD)), number(tag(8))):
            update(host, role.pins, "vlans", struct.pack("=IHH", index[0], *tags),
                   struct.pack("=I", index[1]))
        yield role, address
    finally:
        role.close()
        role("down")
        on(host, "ip", "link", "del", "in7")


@test("VLAN: xdp_bkd restores in a VLAN of ours, and leaves others alone")
def restored(world):
    with backend_vlan(world) as (role, address):
        for family, to, vip in (4, "172.19.0.3", VIP), (6, "2001:db8:19::3", VIP6):
            packet = (f.ip4(to) if family == 4 else f.ip6(to)) / f.tcp(PORT)
            packet.dst = address
            bare = bytes(packet)
            wanted = redirected(bare, family, ip(vip), 0)
            for priority in 0, 0xB:
                [(action, got)] = role.run([tagged(bare, tag(100, Q, priority))])
                equal((action, got.hex()),
                      (PASS, tagged(wanted, tag(100, Q, priority)).hex()), "restored")
            for tags in (tag(101),), (tag(100, AD),), (tag(100), tag(1)):
                frame = tagged(bare, *tags)
                equal(role.run([frame]), [(PASS, frame)], f"{tags}")


@test("VLAN: xdp_bkd takes an outer header off, and leaves the tags on")
def taken_off(world):
    with backend_vlan(world, forward="ipip") as (role, address):
        for packet, outer in ((f.ip4() / f.tcp(PORT), f.IP(src=LB, dst="172.19.0.3", proto=4)),
                              (f.ip6() / f.tcp(PORT), f.IPv6(src=LB6, dst="2001:db8:19::3", nh=41))):
            packet.dst = address
            bare = bytes(packet)
            put = bytes(f.Ether(bare[:14]) / outer)
            for tags in [tag(100, Q, 5)], [tag(7, AD, 3), tag(8, Q, 1)]:
                [(action, got)] = role.run([tagged(bytes(put) + bare[14:], *tags)])
                equal((action, got.hex()), (PASS, tagged(bare, *tags).hex()), packet.summary())


@test("VLAN: xdp_bkd passes a flow on with its tags")
def passed_on(world):
    others = "172.19.0.4", "2001:db8:19::4"
    with backend_vlan(world, [[f"{{address: '{other}', state: filling}}"] for other in others]
                      ) as (role, address):
        for packet, other in zip((f.ip4("172.19.0.3"), f.ip6("2001:db8:19::3")), others):
            packet.dst = address
            for tags in [tag(100, Q, 5)], [tag(7, AD, 3), tag(8, Q, 1)]:
                bare = []
                for sport in range(20000, 20064):
                    segment = f.tcp(PORT, flags="A")
                    segment.sport = sport
                    bare.append(bytes(packet / segment))
                got = role.run([tagged(frame, *tags) for frame in bare])
                equal({action for action, _ in got}, {PASS, TX}, f"{packet.summary()}, {tags}")
                for frame, (action, bytes_) in zip(bare, got):
                    wanted = f.Ether(frame)
                    wanted.src, wanted.dst = wanted.dst, wanted.src
                    wanted[1].dst = other
                    if f.IP in wanted:
                        del wanted[f.IP].chksum
                        wanted[f.IP].ttl = 48
                    else:
                        wanted[f.IPv6].hlim = 48
                    if action == TX:
                        equal(bytes_.hex(), tagged(bytes(wanted), *tags).hex(), wanted.summary())
