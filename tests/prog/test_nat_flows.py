# SPDX-License-Identifier: GPL-2.0-only
"""forward: nat: what is told of flows by `lbr explain` and `lbr show`, and how they end."""

import json

from scapy.layers.inet import TCP, UDP
from scapy.layers.l2 import Ether

from network import CLIENT, LB, VIP
from tap import equal, test
from test_nat import BACKENDS, CLIENTS, VIPS, answer, ends, nat, request, translated


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
                equal(unaged(world), before, "shown before and after")
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
    return [{**row, "idle-seconds": 0} for rows in shown(world) for row in rows]


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
        before = counts()
        syn = request(4, TCP, port=4321, flags="S")
        out = translated(run, syn, "SYN")
        equal(phase(), "new", "SYN")
        steps = ((1, "SA", "replied"), (0, "A", "established"), (1, "FA", "closing"),
                 (0, "FA", "closed"), (0, "R", "reset"), (1, "A", "closed"))
        for is_reply, flags, wanted in steps:
            frame = answer(out, 4, flags) if is_reply else request(4, TCP, port=4321, flags=flags)
            translated(run, frame, flags)
            equal(phase(), wanted, flags)
        after = counts()
        # those of other tests end meanwhile
        assert after[LB][0] <= before[LB][0] and after[LB][1] > before[LB][1], f"{before} {after}"
