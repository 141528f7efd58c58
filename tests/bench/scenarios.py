# SPDX-License-Identifier: GPL-2.0-only
"""The scenarios, one per row."""

from dataclasses import dataclass, field

NEW = 1 << 31  # more flows than turns
K = 1 << 10


@dataclass
class Scenario:
    """One row; keys that are not given have their defaults."""

    name: str
    family: int = 4
    packet: str = "ack"  # a key of packets.PACKETS
    flows: int = 1  # a power of two; an echo has one
    known: bool = False  # flows are remembered before, by an ACK or a datagram
    reason: str = "forwarded"  # the reason by which each packet leaves
    remembered: int = None  # remembered flows afterwards; None: any number
    limit: float = None  # limit, as a multiple of the floor
    goal: float = None
    service: dict = field(default_factory=dict)  # keys of the scenario's service
    file: dict = field(default_factory=dict)  # keys of the scenario's file
    program: str = "lbr"
    grows: bool = False  # the program puts a header in front of the packet
    aged: bool = False  # the flow table looks as after long use
    moves: bool = False  # every slot of the service has a second candidate
    fills: bool = False  # some of its slots have one, that of flow 0 has not
    held: bool = False  # the backend has a socket for flow 0


def established(family, protocol, flows, **keys):
    text = {1: "one flow", 4 * K: "4 k flows", 64 * K: "64 k flows", 512 * K: "512 k flows"}
    return Scenario(f"IPv{family} {protocol} established, {text[flows]}", family,
                    "ack" if protocol == "TCP" else "udp", flows, known=True,
                    remembered=flows, **keys)


def both(name, packet, flows=1, **keys):
    return [Scenario(f"IPv{family} {name}", family, packet, flows, **keys)
            for family in (4, 6)]


def scheduled(word, remembers):
    """The cost of a scheduler other than maglev. `remembers`: it remembers a flow at its
    SYN."""
    keys = {"service": {"scheduler": word}}
    return [
        Scenario(f"IPv4 {word}: TCP established, 64 k flows", 4, "ack", 64 * K, known=True,
                 remembered=64 * K, **keys),
        Scenario(f"IPv4 {word}: SYN, one flow", 4, "syn", remembered=int(remembers), **keys),
        Scenario(f"IPv4 {word}: SYN, all new", 4, "syn", NEW,
                 remembered=None if remembers else 0, **keys),
    ]


def by_method(word, flows=1, **keys):
    """Established TCP by a method other than plain rewrite."""
    more = {"dscp": 46} if word == "dscp" else {}
    return [Scenario(f"IPv{family} {word}: TCP established, "
                     f"{'one flow' if flows == 1 else '64 k flows'}", family, "ack", flows,
                     known=True, remembered=flows, grows=word == "ipip",
                     service={"forward": word, **more}, **keys) for family in (4, 6)]


def forgotten(family, limit, goal):
    """Services without flow memory: the cost is the same for any number of flows."""
    return [Scenario(f"IPv{family} flows: second-chance: {name}", family, packet, flows,
                     remembered=0, service={"flows": "second-chance"}, limit=limit, goal=goal)
            for name, packet, flows in (
                ("one flow", "ack", 1), ("64 k flows", "ack", 64 * K),
                ("512 k flows", "ack", 512 * K), ("SYN, all new", "syn", NEW),
                ("ACK, all new", "ack", NEW))]


def undone(word, reason, **keys):
    more = {"dscp": 46} if word == "dscp" else {}
    return [Scenario(f"IPv{family} xdp_bkd: {word}, one flow", family, "ack", reason=reason,
                     program="bkd", grows=word == "ipip", service={"forward": word, **more},
                     **keys)
            for family in (4, 6)]


def moving(name, reason, **keys):
    """xdp_bkd in transition: without `fills`, while it drains and another one fills."""
    keys.setdefault("moves", not keys.get("fills"))
    return both(f"xdp_bkd: in transition, {name}", "ack", reason=reason, program="bkd",
                file={"second_chance_limit": 10000000}, **keys)


SCENARIOS = [
    established(4, "TCP", 1, limit=4.0, goal=3.0),
    established(4, "TCP", 4 * K),
    established(4, "TCP", 64 * K, goal=6.5),
    established(4, "TCP", 512 * K),
    established(4, "UDP", 1, limit=4.2, goal=3.2),
    established(4, "UDP", 4 * K),
    established(4, "UDP", 64 * K),
    established(4, "UDP", 512 * K),
    established(6, "TCP", 1, limit=4.6, goal=3.4),
    established(6, "TCP", 4 * K),
    established(6, "TCP", 64 * K),
    established(6, "TCP", 512 * K),
    established(6, "UDP", 1),
    established(6, "UDP", 4 * K),
    established(6, "UDP", 64 * K),
    established(6, "UDP", 512 * K),
    *both("SYN, one flow", "syn", remembered=0),
    Scenario("IPv4 SYN, all new", 4, "syn", NEW, remembered=0, limit=3.6, goal=2.6),
    Scenario("IPv6 SYN, all new", 6, "syn", NEW, remembered=0),
    *both("SYN of a known flow", "syn", known=True, remembered=1),
    *both("FIN of a known flow", "fin", known=True, remembered=1),
    *both("RST of a known flow", "rst", known=True, remembered=1),
    *both("RST, all new", "rst", NEW, remembered=0),
    *both("ACK, all new", "ack", NEW),
    Scenario("IPv4 not ours, passed", 4, "other", 4 * K, reason="not_vip", remembered=0,
             limit=1.7, goal=1.4),
    Scenario("IPv6 not ours, passed", 6, "other", 4 * K, reason="not_vip", remembered=0),
    *both("tagged for a VLAN that is not here, passed", "tagged", reason="vlan_tagged",
          limit=2.2, goal=1.7),
    *both("for the load balancer itself, passed", "ssh", reason="not_vip", remembered=0),
    *both("echo, answered", "echo", reason="echo_answered", remembered=0),
    Scenario("IPv4 TCP established, 64 k flows, old table", 4, "ack", 64 * K, known=True,
             remembered=64 * K, aged=True),
    *by_method("ipip", limit=2.9, goal=2.4),
    *by_method("ipip", 64 * K),
    *by_method("dscp", limit=3.0, goal=2.5),
    *by_method("l2", limit=3.0, goal=2.5),
    Scenario("IPv4 checksum: update: TCP established, one flow", 4, "ack", known=True,
             remembered=1, service={"checksum": "update"}),
    Scenario("IPv4 FIB asked every time", 4, "ack", known=True, remembered=1,
             file={"next_hop_age": "0s"}, limit=8.2, goal=7.2),
    Scenario("IPv6 FIB asked every time", 6, "ack", known=True, remembered=1,
             file={"next_hop_age": "0s"}),
    *both("ICMP error about a known flow", "error", known=True, remembered=1),
    *forgotten(4, 2.5, 2.0),
    *forgotten(6, 2.8, 2.2),
    *scheduled("random", True),
    *scheduled("round-robin", True),
    *scheduled("source-hash", False),
    *both("xdp_bkd: restored, one flow", "ack", reason="restored", program="bkd", limit=2.0,
          goal=1.5),
    *both("xdp_bkd: restored, 64 k flows", "ack", 64 * K, reason="restored", program="bkd"),
    *undone("ipip", "decapsulated", limit=3.2, goal=2.2),
    *undone("dscp", "restored"),
    *undone("l2", "delivered"),
    *moving("socket here", "restored", held=True, limit=4.4, goal=3.6),
    *moving("slot of one candidate", "restored", fills=True, limit=2.2, goal=1.7),
    *moving("passed on", "second_chance"),
    *both("xdp_bkd: not listed, passed", "ssh", reason="not_listed", program="bkd", limit=1.8,
          goal=1.4),
]

# Instructions that the verifier walked through when the program was loaded.
VERIFIER = {"limit": 50000, "goal": 40000}
