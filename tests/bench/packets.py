# SPDX-License-Identifier: GPL-2.0-only
"""The packets of the scenarios, as the driver makes them (driver.bpf.c)."""

import struct
import sys

import frames as f
from network import (
    BACK_ROUTER_MAC, BACKEND_MAC, CLIENT_MAC, LB, LB6, LB_MAC, ROUTER, ROUTER6,
)
from oracle import ETHER, total
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6PacketTooBig, IPv6
from scapy.layers.l2 import Dot1Q, Ether

# The driver fills in the last two bytes.
SOURCE = {4: "10.9.0.0", 6: "2001:db8:99::"}
OTHER = {4: "203.0.113.7", 6: "2001:db8:113::7"}
OWN = {4: LB, 6: LB6}
FROM_ROUTER = {4: ROUTER, 6: ROUTER6}
MARK = 46  # of `dscp`
LENGTH = 128
WORDS_AT, FIRST_PORT, FLOW_STEP = 6, 32768, 2654435761  # driver.h

PACKETS = {
    "ack": lambda family: f.tcp(flags="A", payload=b""),
    "syn": lambda family: f.tcp(flags="S", payload=b""),
    "fin": lambda family: f.tcp(flags="FA", payload=b""),
    "rst": lambda family: f.tcp(flags="R", payload=b""),
    "ssh": lambda family: f.tcp(22, flags="A", payload=b""),
    "other": lambda family: f.tcp(flags="A", payload=b""),
    "tagged": lambda family: f.tcp(flags="A", payload=b""),
    "udp": lambda family: f.udp(80, b""),
    "echo": lambda family: f.echo4(b"") if family == 4 else f.echo6(b""),
}


def head(family, source, to, **fields):
    if family == 4:
        return IP(src=source, dst=to, **fields)
    fields = {{"tos": "tc", "proto": "nh"}[name]: value for name, value in fields.items()}
    return IPv6(src=source, dst=to, **fields)


def error(family, vip):
    """A router's ICMP error about the backend's answer to flow 0."""
    quoted = head(family, vip, SOURCE[family]) / TCP(sport=80, dport=FIRST_PORT)
    kind = ICMP(type=3, code=4, nexthopmtu=1400) if family == 4 else ICMPv6PacketTooBig(mtu=1400)
    return head(family, FROM_ROUTER[family], vip) / kind / quoted


def at_backend(scenario, packet, vip, to):
    """What the load balancer makes of the error, by the service's method."""
    family, method = scenario.family, scenario.service.get("forward")
    l4, source = PACKETS[packet](family), SOURCE[family]
    if method == "ipip":
        around = head(family, OWN[family], to, proto=4 if family == 4 else 41)
        return around / head(family, source, vip) / l4
    if method == "dscp":
        return head(family, source, to, tos=MARK << 2) / l4
    return head(family, source, vip if method == "l2" else to) / l4


class Template:
    """The frames of a scenario, as the driver makes them: that of flow 0, and the offsets
    at which the others differ."""

    def __init__(self, scenario, packet, flows, vip, backends):
        family = scenario.family
        if scenario.program == "lbr":
            macs, to = (LB_MAC, CLIENT_MAC), vip
        else:
            macs, to = (BACKEND_MAC["backend0x"], BACK_ROUTER_MAC), backends[0]
        to = OTHER[family] if packet == "other" else to
        if scenario.program == "lbr" and packet == "ssh":
            to = OWN[family]
        layers = Ether(dst=macs[0], src=macs[1])
        if packet == "tagged":
            layers /= Dot1Q(vlan=7)
        if packet == "error":
            layers /= error(family, vip)
        elif scenario.program == "bkd":
            layers /= at_backend(scenario, packet, vip, to)
        else:
            layers /= head(family, SOURCE[family], to) / PACKETS[packet](family)
        layers /= b"\0" * (LENGTH - len(layers))
        for layer in TCP, UDP:
            if layer in layers and packet != "error":
                layers[layer].sport = FIRST_PORT
        self.frame = bytes(layers)
        self.flows, self.family = flows, family
        self.l4 = ETHER + 4 * (packet == "tagged") + (20 if family == 4 else 40)
        end = self.l4 + (8 if packet in ("udp", "echo", "error") else 20)
        self.words = -(-(end - WORDS_AT) // 8)
        if flows > 1 and family == 4:  # the driver fills it in
            self.frame = self.frame[:24] + b"\0\0" + self.frame[26:]

    def command(self, grows=False, twice=False):
        header_sum = int.from_bytes(self.header_sum(self.frame), sys.byteorder)
        return (f"load {self.family} {self.flows} {self.words} {int(grows)} {int(twice)} {header_sum} "
                f"{self.frame.hex()}")

    @staticmethod
    def header_sum(frame):
        header = frame[ETHER : ETHER + 10] + frame[ETHER + 12 : ETHER + 20]
        return struct.pack("!H", total(bytes(header)))

    def of_turn(self, turn):
        """The frame that the driver makes in this turn."""
        if self.flows == 1:
            return self.frame
        flow = turn * FLOW_STEP & (self.flows - 1)
        frame = bytearray(self.frame)
        struct.pack_into("!H", frame, self.l4, FIRST_PORT + (flow & 0x7FFF))
        struct.pack_into("!H", frame, 28 if self.family == 4 else 36, flow >> 15)
        if self.family == 4:
            frame[24:26] = bytes(255 - byte for byte in self.header_sum(frame))
        return bytes(frame)
