# SPDX-License-Identifier: GPL-2.0-only
"""forward: nat: what is told of flows by `lbr explain` and `lbr show`, and how they end."""

import json
import os
import struct
import subprocess

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6PacketTooBig, ICMPv6TimeExceeded, IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Raw

import frames as f
from network import CLIENT, LB, ROOT, ROUTER, TOPO, VIP
from tap import equal, test
from test_nat import (
    BACKENDS, CLIENTS, PASSED, SENT, SHOT, VIPS, answer, ends, is_true, layer, nat, request,
    setting, translated,
)


def explained(world, client, server, protocol, *options):
    return json.loads(world.lbr("explain", "-j", *options, client, f"{server}/{protocol}"))


def text_of(address, port):
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


@test("nat: explain says what lbr_nat does, and leaves no trace of it")
def _(world):
    with nat(world) as run:
        for family in 4, 6:
            for kind, name, port in (TCP, "tcp", 80), (UDP, "udp", 7777):
                flags = {"flags": "S"} if kind is TCP else {}
                sent = request(family, kind, port=1234, **flags)
                asked = text_of(CLIENTS[family], 1234), text_of(VIPS[family], port), name
                before = unaged(world)
                told = explained(world, *asked, *(["--syn"] if flags else []))
                equal((told["reason"], told["nat"]["flow"]), ("translated", "new"), name)
                # some may have ended meanwhile
                assert unaged(world).items() <= before.items(), f"{before}"
                # ... and that is where the packet goes
                out = translated(run, sent, "sent")
                equal(ends(out), ends(Ether(bytes.fromhex(told["sent"]))), "ends")
                equal(ends(out), tuple(told["nat"][key] for key in (
                    "source", "source-port", "destination", "port")), "ends, typed")
                row = told["nat"]["row"]
                told = explained(world, *asked)
                equal((told["reason"], told["nat"]["flow"], told["nat"]["row"]),
                      ("translated", "known", row), "a known flow")
                # the backend's answer
                source, sport, to, dport = ends(out)
                told = explained(world, text_of(to, dport), text_of(source, sport), name)
                equal((told["reason"], told["nat"]["destination"], told["nat"]["row"]),
                      ("returned", CLIENTS[family], row), "a reply")
        told = explained(world, f"{CLIENT}:999", f"{VIP}:80", "tcp")
        equal((told["reason"], told["nat"]), ("no_flow", None), "an ACK")
        told = explained(world, f"{CLIENT}:999", f"{LB}:22", "tcp", "--syn")
        equal((told["reason"], told["nat"]), ("not_vip", None), "SSH")


def shown(world):
    return [json.loads(world.lbr("show", "-j", part))[part] for part in ("nat-sources", "nat-flows")]


def unaged(world):
    """Each flow's phase."""
    keys = "client", "client-port", "vip", "port", "protocol", "source", "source-port"
    return {tuple(row[key] for key in keys): row["phase"] for row in shown(world)[1]}


@test("nat: show: flows, their phases, and resting ports by source")
def _(world):
    def counts():
        return {row["source"]: (row["flows"], row["resting"]) for row in shown(world)[0]}

    def phase():
        row, = (row for row in shown(world)[1]
                if (row["client"], row["client-port"]) == (CLIENT, 4321))
        equal((row["vip"], row["backend"], row["source"]), (VIP, BACKENDS[4], LB), "ends")
        return row["phase"]

    with nat(world) as run:
        syn = request(4, TCP, port=4321, flags="S")
        out = translated(run, syn, "SYN")
        equal(phase(), "new", "SYN")
        steps = ((1, "SA", "replied"), (0, "A", "established"), (1, "FA", "closing"),
                 (0, "FA", "closed"), (0, "R", "reset"), (1, "A", "closed"))
        for is_reply, flags, wanted in steps:
            frame = answer(out, 4, flags) if is_reply else request(4, TCP, port=4321, flags=flags)
            translated(run, frame, flags)
            equal(phase(), wanted, flags)
        # it rests, as others of other tests may
        assert counts()[LB][1] > 0, counts()


def replies(run, family, port):
    """A long reply of TCP and of UDP, each with what it answers."""
    for kind in TCP, UDP:
        sent = request(family, kind, port=port, **({"flags": "S"} if kind is TCP else {}))
        out = translated(run, sent, "request")
        reply = answer(out, family) / Raw(bytes(range(256)) * 7)
        yield kind, Ether(bytes(reply)), out


def answered(run, reply, out, error):
    """It is answered by the error, to the backend, from the address that it was sent to."""
    action, got = run(reply)
    equal(action, SENT, "action")
    is_true(got, "the error")
    got = Ether(got)
    equal((layer(got).src, layer(got).dst), (layer(out).src, layer(out).dst), "ends")
    head = 28 if IP in got else 48
    quoted = bytes(layer(got))[head:]
    equal(len(quoted), min(len(layer(reply)), (576 if IP in got else 1280) - head), "quoted")
    equal(quoted, bytes(layer(reply))[:len(quoted)], "the packet inside")
    kind = layer(got).payload
    equal({field: getattr(kind, field) for field in error}, error, "kind")


@test("nat: a reply that is too big, or whose TTL ends here: the backend is told")
def _(world):
    with nat(world) as run:
        for family in 4, 6:
            for kind, reply, out in replies(run, family, 5151):
                too_big = {"type": 3, "code": 4, "nexthopmtu": 1500} if family == 4 else \
                    {"type": ICMPv6PacketTooBig().type, "code": 0, "mtu": 1500}
                answered(run, reply, out, too_big)
                # the longest that fits
                reply[kind].payload = Raw(b"x")
                left = 1500 - len(layer(reply)) + 1
                fits = answer(out, family).copy()
                fits[kind].payload = Raw(bytes(left))
                equal(len(layer(translated(run, Ether(bytes(fits)), "what fits"))), 1500, "fits")
                fits[kind].payload = Raw(bytes(left + 1))
                answered(run, Ether(bytes(fits)), out, too_big)
                setattr(layer(reply), "ttl" if family == 4 else "hlim", 1)
                ended = {"type": 11, "code": 0} if family == 4 else \
                    {"type": ICMPv6TimeExceeded().type, "code": 0}
                short = Ether(bytes(layer_anew(reply)))
                answered(run, short, out, ended)
        reasons = world.lbr.reasons()
        assert reasons["too_big_answered"] >= 8 and reasons["ttl_answered"] >= 4, reasons
    with nat(world, setting().replace("services:", "icmp-error-limit: 0\nservices:", 1)) as run:
        before = world.lbr.reasons().get("icmp_error_limited", 0)
        for kind, reply, out in replies(run, 4, 5152):
            equal(run(reply)[0], SHOT, "limited")
        equal(world.lbr.reasons()["icmp_error_limited"], before + 2, "icmp_error_limited")
    # an error about an error: none
    with nat(world) as run:
        for kind, reply, out in replies(run, 4, 5153):
            error = reply.copy()
            error[IP].payload = ICMP(type=3, code=1) / Raw(bytes(layer(out))) / Raw(bytes(1600))
            for field in "len", "chksum", "proto":
                delattr(error[IP], field)
            equal(run(Ether(bytes(error)))[0], SHOT, "about an error")


@test("nat: an error about an outer header is xdp_lbr's, and counted once")
def _(world):
    with nat(world) as run:
        out = translated(run, request(4, TCP, port=5154, flags="S"), "SYN")
        # what it would quote, if this flow were in a tunnel of ours
        inner = IP(src=layer(out).src, dst=layer(out).dst) / TCP(bytes(out[TCP]))
        error = f.ether() / IP(src=ROUTER, dst=LB) / ICMP(type=3, code=4, nexthopmtu=1400) / \
            IP(src=LB, dst=BACKENDS[4], proto=4, len=1500) / inner
        before = world.lbr.reasons()
        world.lbr.run([bytes(error)])
        equal(run(error)[0], PASSED, "action")
        after = world.lbr.reasons()
        rose = {name for name in after if after[name] != before.get(name, 0)}
        equal(rose, {"path_mtu_refused"}, "counted")


@test("nat: the law: on two CPUs each flow gets its own answers, also where a port is reused")
def _(world):
    with nat(world) as run:
        syn = request(4, TCP, port=5155, flags="S")
        out = translated(run, syn, "SYN")
    count = int(os.environ.get("NAT_FLOWS", "40000"))
    frames = b"".join(struct.pack("=I", len(frame)) + bytes(frame)
                      for frame in (syn, answer(out, 4)))
    done = subprocess.run(
        [TOPO, "exec", world.lbr.host, "build/tests/prog/nat_law", world.lbr.pins, str(count)],
        cwd=ROOT, input=frames, capture_output=True, check=False)
    equal((done.returncode, done.stderr), (0, b""), "the laws")
    _, flows, _, none, _, again = done.stdout.split()
    assert int(flows) >= count and int(none) < int(flows) // 8 and int(again) > 10000, done.stdout


def layer_anew(frame):
    """The frame with lengths and sums as they are now."""
    frame = frame.copy()
    for each in layer(frame), layer(frame).payload:
        for field in "len", "chksum", "plen":
            if field in each.fields:
                delattr(each, field)
    return frame
