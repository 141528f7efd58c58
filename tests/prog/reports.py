# SPDX-License-Identifier: GPL-2.0-only
"""The ICMP errors that xdp_lbr has to send, as scapy builds them."""

from scapy.layers.inet import ICMP, IP
from scapy.layers.inet6 import ICMPv6PacketTooBig, ICMPv6TimeExceeded, IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from network import CLIENT_MAC, LB, LB6, LB_MAC
from oracle import ETHER, pseudo, total
from tap import equal


def answer(packet, icmp):
    """The error about a packet, built by scapy, with sums by scapy."""
    frame = bytes(packet)
    if IP in packet:
        there = frame[ETHER : ETHER + int.from_bytes(frame[16:18], "big")][: 576 - 28]
        around = IP(src=LB, dst=packet[IP].src, tos=0xC0, id=0, flags="DF", ttl=64)
    else:
        there = frame[ETHER : ETHER + 40 + int.from_bytes(frame[18:20], "big")][: 1280 - 48]
        around = IPv6(src=LB6, dst=packet[IPv6].src, tc=0, fl=0, hlim=64)
    out = bytes(Ether(dst=CLIENT_MAC, src=LB_MAC) / around / icmp / Raw(there))
    # Without scapy: every checksum is computed from scratch.
    if IP in packet:
        equal((total(out[14:34]), total(out[34:])), (0xFFFF, 0xFFFF), "the test's own sums")
    else:
        cover = pseudo(out, 58, len(out) - 54)
        equal(total(cover + out[54:]), 0xFFFF, "the test's own sum")
    return out


def exceeded(packet):
    return answer(packet, ICMP(type=11, code=0) if IP in packet else ICMPv6TimeExceeded(code=0))


def too_big(packet, mtu):
    return answer(packet, ICMP(type=3, code=4, nexthopmtu=mtu) if IP in packet
                  else ICMPv6PacketTooBig(mtu=mtu))
