# SPDX-License-Identifier: GPL-2.0-only
"""Truncated and mutated frames: both programs do exactly what the oracle says, so
nothing that was altered is passed, and nothing wrong is sent. The counters, too: over a
batch, each reason rises as often as the oracle names it."""

import collections
import random

import frames as f
from network import (
    BACK_ROUTER_MAC, BACKEND_MAC, BOTH_WAYS, LB, LB6, LB_MAC, ROUTER_MAC, VIP, VIP6, configuration,
    service,
)
from oracle import ETHER, Backend, LoadBalancer, ip, mac, redirected, Read, same, same_echo
from tap import FEWER, equal, test

SEED, MUTATED, BATCH = 20240608, 100_000 // FEWER, 10_000
NEAR, NEAR6 = "172.19.0.3", "2001:db8:19::3"  # backend0x
HOST = "backend0x"
WORDS = {"udp": 17, "tcp": 6}
SERVICES = {
    (VIP, "tcp", 80): NEAR,
    (VIP, "udp", 7777): NEAR,
    (VIP6, "tcp", 80): NEAR6,
    (VIP6, "udp", 7777): NEAR6,
}


def setting():
    return configuration(*(service([to], vip, port, protocol)
                           for (vip, protocol, port), to in SERVICES.items()))


def balancer(world):
    world.apply(setting())
    return LoadBalancer(LB_MAC, ROUTER_MAC, (LB, LB6), {
        (vip, WORDS[protocol], port): to for (vip, protocol, port), to in SERVICES.items()})


def restorer(world):
    # Attached anew if it was attached: nothing that an earlier test restored may
    # linger.
    role = world.bkd[HOST]
    if role.program:
        role.close()
        role("down")
    role.up(world.file(setting()))
    return Backend(BACKEND_MAC[HOST], {
        (to, WORDS[protocol], port): vip for (vip, protocol, port), to in SERVICES.items()})


def is_right(outcome, did, got):
    action, reason, wanted = outcome
    return did == action and (
        got == wanted
        or reason in ("forwarded", "restored") and same(got, wanted)
        or reason == "echo_answered" and same_echo(got, wanted))


def hold(role, oracle, came, note=""):
    """The program does with each frame what the oracle says."""
    predicted = [oracle.predict(frame) for frame in came]
    before = role.reasons()
    reasons, doubts = collections.Counter(), []
    for frame, outcomes, (did, got) in zip(came, predicted, role.run(came)):
        right = [row for row in outcomes if is_right(row, did, got)]
        action, reason, wanted = (right or outcomes)[0]
        assert right, (f"{note}action {did}, wanted {action} ({reason})\n came {frame.hex()}\n"
                       f" got  {got.hex()}\n want {wanted.hex()}")
        reasons[reason] += 1
        doubts += [[row[1] for row in right]] * (len(right) > 1)
    after = role.reasons()
    rose = {key: after[key] - before[key] for key in after if after[key] != before[key]}
    # A fragment whose first one may be forgotten by now: both results are right.
    for known, forgotten in doubts:
        if known != forgotten and reasons[known] > rose.get(known, 0):
            reasons.update({known: -1, forgotten: 1})
    equal(rose, dict(+reasons), note + "counters")
    return rose


def truncated(seeds):
    return [frame[:length] for frame in seeds for length in range(ETHER, len(frame) + 1)]


def for_backend():
    """The templates as they reach the backend, and with the VIP as destination."""
    macs = (mac(BACKEND_MAC[HOST]), mac(BACK_ROUTER_MAC))
    frames = []
    for frame in f.templates().values():
        family = Read(frame).family
        for to in (NEAR if family == 4 else NEAR6, VIP if family == 4 else VIP6):
            frames.append(redirected(frame, family, ip(to), 0, macs))
    return frames


def mutate(draw, seeds):
    """A frame with a few bytes changed, mostly where it matters; sometimes truncated,
    extended, or with bytes of another frame in it."""
    frame = bytearray(draw.choice(seeds))
    for _ in range(draw.choice((0, 1, 1, 1, 2, 3, 6))):
        limit = min(len(frame), 80) if draw.random() < 0.9 else len(frame)
        at = draw.randrange(limit)
        if at < 12 and draw.random() < 0.9:  # otherwise most frames would be foreign_mac
            at = draw.randrange(12, limit)
        if draw.random() < 0.5:
            frame[at] ^= 1 << draw.randrange(8)
        else:
            frame[at] = draw.choice((0, 1, 4, 5, 6, 17, 43, 44, 51, 58, 60, 80, 128, 255))
    turn = draw.random()
    if turn < 0.15:
        del frame[draw.randrange(ETHER, len(frame) + 1) :]
    elif turn < 0.25:
        frame += draw.randbytes(draw.randrange(1, 64))
    elif turn < 0.3:
        other, at = draw.choice(seeds), draw.randrange(12, len(frame))
        frame[at:] = other[at:]
    return bytes(frame)


def mutated(role, oracle, seeds, seed, count):
    draw, rose = random.Random(seed), collections.Counter()
    while count > 0:
        came = [mutate(draw, seeds) for _ in range(min(count, BATCH))]
        came = [frame if len(frame) >= ETHER else frame.ljust(ETHER, b"\0") for frame in came]
        rose.update(hold(role, oracle, came, f"seed {seed}: "))
        count -= len(came)
    return rose


@test("truncated: every length, xdp_lbr")
def cut_lbr(world):
    came = truncated(f.templates().values())
    rose = hold(world.lbr, balancer(world), came)
    equal(rose["forwarded"] + rose["echo_answered"], len(f.templates()), "whole ones")


@test("truncated: every length, xdp_bkd")
def cut_bkd(world):
    seeds = for_backend()
    oracle = restorer(world)
    rose = hold(world.bkd[HOST], oracle, truncated(seeds))
    echoes = sum("echo" in name for name in f.templates())
    equal(rose["restored"], len(f.templates()) - echoes, "whole ones")


@test("mutated: 100,000 frames, xdp_lbr")
def mutated_lbr(world):
    seeds = list(f.templates().values())
    rose = mutated(world.lbr, balancer(world), seeds, SEED, MUTATED)
    # Every reason that mutation can produce occurred often.
    for reason in ("forwarded", "echo_answered", "malformed_vip", "malformed", "not_vip",
                   "unmatched", "fragment", "extension", "ttl_answered", "foreign_mac",
                   "not_ip"):
        assert rose[reason] > 20 // FEWER, f"{reason}: {rose[reason]} only"


@test("mutated: 100,000 frames, xdp_bkd")
def mutated_bkd(world):
    role = world.bkd[HOST]
    for mode in BOTH_WAYS:
        role("trace", mode, status=None)
        rose = mutated(role, restorer(world), for_backend(), SEED + 1, MUTATED)
        for reason in ("restored", "not_listed", "malformed", "fragment_passed",
                       "extension_passed"):
            assert rose[reason] > 20 // FEWER, f"{reason}: {rose[reason]} only"
