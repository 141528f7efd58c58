# SPDX-License-Identifier: GPL-2.0-only
"""For random valid packets of both families: the packets that xdp_lbr sends differ only
in TTL, destination, header checksum and MACs; behind xdp_bkd they are what the client
sent, except for TTL and MACs."""

import collections
import random
import struct

import frames as f
from network import (
    BACK_ROUTER_MAC, BACKEND_MAC, BOTH_WAYS, LB_MAC, PASS, ROUTER_MAC, TX, VIP, VIP6, configuration,
    service,
)
from oracle import ETHER, Read, ip, mac, pseudo, redirected, same, total
from tap import FEWER, equal, test

SEED, PACKETS = 20240607, 6000 // FEWER
ADDRESSES = {4: ("172.19.0.3", "172.19.0.4"), 6: ("2001:db8:19::3", "2001:db8:19::4")}
HOSTS = dict(zip(map(ip, ADDRESSES[4] + ADDRESSES[6]), list(BACKEND_MAC) * 2))


def setting():
    rows = []
    for vip, family in (VIP, 4), (VIP6, 6):
        rows.append(service(ADDRESSES[family], vip))
        rows.append(service(ADDRESSES[family], vip, 7777, "udp"))
    return configuration(*rows)


def packets(seed, count):
    """Templates with other clients, ports, TTLs and payloads; all checksums are correct."""
    draw = random.Random(seed)
    kinds = [(bytes(frame), Read(frame)) for name, frame in f.templates().items()
             if "echo" not in name]
    for _ in range(count):
        template, read = draw.choice(kinds)
        fixed = read.l4 + (20 if read.protocol == 6 else 8)
        if read.protocol == 6:
            fixed = read.l4 + (template[read.l4 + 12] >> 4) * 4
        # A few of each size up to a full frame, for checksums over odd lengths.
        size = draw.choice((0, 1, draw.randrange(64), draw.randrange(1514 - fixed)))
        frame = bytearray(template[:fixed]) + draw.randbytes(size)
        grown = len(frame) - ETHER
        if read.family == 4:
            struct.pack_into("!H", frame, 16, grown)
            frame[15], frame[18:20] = draw.randrange(256), draw.randbytes(2)
            frame[28:30], frame[22] = draw.randbytes(2), draw.randrange(2, 256)
        else:
            struct.pack_into("!H", frame, 18, grown - 40)
            frame[15:18] = bytes([frame[15] & 0xF0 | draw.randrange(16)]) + draw.randbytes(2)
            frame[30:38], frame[21] = draw.randbytes(8), draw.randrange(2, 256)
        frame[read.l4 : read.l4 + 2] = draw.randbytes(2)
        if read.protocol == 6:
            frame[read.l4 + 4 : read.l4 + 12] = draw.randbytes(8)
            frame[read.l4 + 13] = draw.choice((f.SYN, f.ACK, f.PUSH, f.FIN, f.RST))
        else:
            struct.pack_into("!H", frame, read.l4 + 4, len(frame) - read.l4)
        f.write_sums(frame, read.l4, read.protocol)
        yield bytes(frame)


def sums_true(frame):
    read = Read(frame)
    if read.family == 4 and total(frame[ETHER : ETHER + (frame[14] & 15) * 4]) != 0xFFFF:
        return False
    segment = frame[read.l4 :]
    return total(pseudo(frame, read.protocol, len(segment)) + segment) == 0xFFFF


def forwarded_right(came, action, left):
    """Check one frame that xdp_lbr sent; returns the host that it is for."""
    read = Read(came)
    to = left[30:34] if read.family == 4 else left[38:54]
    assert action == TX and to in HOSTS, f"action {action}: {came.hex()}"
    wanted = redirected(came, read.family, to, 1, (mac(ROUTER_MAC), mac(LB_MAC)))
    # For valid packets, the checksum is the one that RFC 1071 gives, to the bit.
    equal(left.hex(), wanted.hex(), "what xdp_lbr sent")
    return HOSTS[to]


@test("laws: 6,000 random packets through xdp_lbr and xdp_bkd")
def both(world):
    world.apply(setting())
    path = world.file(setting())
    for role in world.bkd.values():
        role.up(path)
    came = list(packets(SEED, PACKETS))
    assert all(map(sums_true, came)), f"seed {SEED}: the test's own packets are wrong"
    before = world.lbr.reasons()["forwarded"]
    inbox = collections.defaultdict(list)
    for frame, (action, left) in zip(came, world.lbr.run(came)):
        inbox[forwarded_right(frame, action, left)].append((frame, left))
    equal(world.lbr.reasons()["forwarded"] - before, PACKETS, "forwarded")
    equal(sorted(inbox), sorted(BACKEND_MAC), "backends reached")
    for host, pairs in inbox.items():
        for mode in BOTH_WAYS:
            world.bkd[host]("trace", mode, status=None)
            back_at(world.bkd[host], host, pairs)


def back_at(role, host, pairs):
    """xdp_bkd restores what the client sent."""
    macs = mac(BACKEND_MAC[host]) + mac(BACK_ROUTER_MAC)
    before = role.reasons()["restored"]
    answers = role.run([macs + left[12:] for _, left in pairs])
    for (sent, _), (action, got) in zip(pairs, answers):
        read = Read(sent)
        wanted = redirected(sent, read.family, read.to, 1, (macs[:6], macs[6:]))
        equal(action, PASS, "xdp_bkd's action")
        assert same(got, wanted), f"seed {SEED}: {got.hex()}, wanted {wanted.hex()}"
        assert sums_true(got), f"seed {SEED}: a checksum is wrong: {got.hex()}"
    equal(role.reasons()["restored"] - before, len(pairs), "restored")
