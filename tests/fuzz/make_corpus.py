#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
#
# Writes corpus/packet: a frame of every kind the parser tells from others, for
# the fuzzer to start from. What it writes is committed; run it again after
# adding a kind.

import pathlib

from scapy.all import (
    ARP, AH, Dot1Q, Ether, GRE, ICMP, ICMPv6EchoRequest, ICMPv6ND_NS,
    ICMPv6PacketTooBig, IP, IPOption_NOP, IPOption_RR, IPv6,
    IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting, IPerror6, IPerror, PadN, Raw, TCP, TCPerror, UDP, raw)

ETH = Ether(dst="02:00:00:00:00:01", src="02:00:00:00:00:02")
FOUR = ETH / IP(src="192.0.2.1", dst="198.51.100.7")
SIX = ETH / IPv6(src="2001:db8::1", dst="2001:db8::7")
PORTS = dict(sport=40000, dport=80)
SYN = TCP(**PORTS, flags="S", options=[("MSS", 1460), ("SAckOK", b"")])


def four(**fields):
    return ETH / IP(src="192.0.2.1", dst="198.51.100.7", **fields)


FRAMES = {
    "arp": ETH / ARP(),
    "vlan": ETH / Dot1Q(vlan=5) / IP() / SYN,
    "tcp-syn": FOUR / SYN,
    "tcp-ack": FOUR / TCP(**PORTS, flags="A") / b"GET / HTTP/1.1\r\n",
    "tcp-rst": FOUR / TCP(**PORTS, flags="R"),
    "tcp-options": four(options=[IPOption_NOP(), IPOption_RR()]) / SYN,
    "tcp-ttl-1": four(ttl=1) / SYN,
    "udp": FOUR / UDP(**PORTS) / b"question",
    "udp-no-checksum": FOUR / UDP(**PORTS, chksum=0) / b"question",
    "udp-first": four(flags="MF") / UDP(**PORTS, len=2000) / b"12345678",
    "udp-last": four(frag=185, proto=17) / b"12345678",
    "echo": FOUR / ICMP(id=7, seq=1) / b"abcdefgh",
    "echo-reply": FOUR / ICMP(type=0, id=7, seq=1),
    "too-big": FOUR / ICMP(type=3, code=4, nexthopmtu=1000)
    / IPerror(src="198.51.100.7", dst="192.0.2.1") / TCPerror(**PORTS),
    "gre": FOUR / GRE() / IP(),
    "ipip": FOUR / IP(src="192.0.2.9", dst="203.0.113.7") / SYN,
    "ipip-v6": FOUR / IPv6(src="2001:db8::9", dst="2001:db8:7::7") / SYN,
    "v6-ipip": SIX / IP(src="192.0.2.9", dst="203.0.113.7") / SYN,
    "v6-tcp-syn": SIX / SYN,
    "v6-tcp-ack": SIX / TCP(**PORTS, flags="A") / b"GET / HTTP/1.1\r\n",
    "v6-udp": SIX / UDP(**PORTS) / b"question",
    "v6-echo": SIX / ICMPv6EchoRequest(id=7, seq=1, data=b"abcdefgh"),
    "v6-neighbour": SIX / ICMPv6ND_NS(tgt="2001:db8::7"),
    "v6-too-big": SIX / ICMPv6PacketTooBig(mtu=1280)
    / IPerror6(src="2001:db8::7", dst="2001:db8::1") / TCPerror(**PORTS),
    "v6-hop-by-hop": SIX / IPv6ExtHdrHopByHop(options=[PadN(optdata=b"\0" * 4)])
    / SYN,
    "v6-options-echo": SIX / IPv6ExtHdrDestOpt(options=[PadN(optdata=b"\0" * 12)])
    / ICMPv6EchoRequest(),
    "v6-routing-done": SIX / IPv6ExtHdrRouting(type=4, segleft=0) / UDP(**PORTS),
    "v6-routing": SIX
    / IPv6ExtHdrRouting(segleft=1, addresses=["2001:db8::9"]) / UDP(**PORTS),
    "v6-atomic": SIX / IPv6ExtHdrFragment(id=9) / SYN,
    "v6-first": SIX / IPv6ExtHdrFragment(id=9, m=1) / UDP(**PORTS) / b"12345678",
    "v6-all": SIX / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt()
    / IPv6ExtHdrRouting(type=4, segleft=0) / IPv6ExtHdrFragment(id=9)
    / IPv6ExtHdrDestOpt() / SYN,
    "v6-ah": SIX / AH(spi=1, icv=b"\0" * 12) / SYN,
    "v6-no-next": ETH / IPv6(dst="2001:db8::7", nh=59),
    "runt": Raw(raw(FOUR / SYN)[:40]),
}


def main():
    folder = pathlib.Path(__file__).parent / "corpus" / "packet"
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in FRAMES.items():
        (folder / name).write_bytes(raw(frame))


main()
