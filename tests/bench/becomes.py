# SPDX-License-Identifier: GPL-2.0-only
"""What a scenario's packets ought to become, by the oracle of tests/prog and by scapy.
Each function is given the packet as it came, the action, the packet that left, and the
service's VIP and backends."""

from network import LB_MAC, PASS, ROUTER_MAC, TX
from oracle import ETHER, Read, ip, mac, redirected, reply, same_echo
from packets import LENGTH, MARK, OWN, head
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

MACS = mac(ROUTER_MAC), mac(LB_MAC)


def swapped(came, action, left):
    return action == TX and left == came[6:12] + came[:6] + came[12:]


def sent_to(left, family, backends):
    """One of the service's backends, or None."""
    to = left[30:34] if family == 4 else left[38:54]
    return to if to in map(ip, backends) else None


def forwarded(came, action, left, _vip, backends):
    """To one of the service's backends, through the router."""
    family = Read(came).family
    to = sent_to(left, family, backends)
    return action == TX and to and left == redirected(came, family, to, 1, MACS)


def true_sums(frame):
    """A frame whose checksums scapy computes; its padding stays as it is."""
    packet = Ether(frame)
    if IP in packet:
        del packet[IP].chksum
    else:
        del packet[IPv6].payload.cksum
    return bytes(packet)


def error_forwarded(came, action, left, vip, backends):
    """An ICMP error from the load balancer's own address."""
    packet = Ether(came)
    family = 4 if IP in packet else 6
    packet.payload.src = OWN[family]
    return forwarded(true_sums(bytes(packet)), action, left, vip, backends)


def marked(came, action, left, vip, backends):
    """The packet with the mark of `dscp`."""
    packet = Ether(came)
    if IP in packet:
        packet[IP].tos = MARK << 2
        del packet[IP].chksum
    else:
        packet[IPv6].tc = MARK << 2
    return forwarded(bytes(packet), action, left, vip, backends)


def updated(came, action, left, _vip, backends):
    """The packet with correct checksums, also above IP."""
    packet = Ether(came)
    to = sent_to(left, 4, backends)
    if not to:
        return False
    packet.dst, packet.src = ROUTER_MAC, LB_MAC
    packet[IP].dst, packet[IP].ttl = ".".join(map(str, to)), packet[IP].ttl - 1
    del packet[IP].chksum, packet[IP].payload.chksum
    return action == TX and left == bytes(packet)


def tunnelled(came, action, left, vip, backends):
    """The packet in an outer header from the load balancer. The outer id, or flow label, is
    a keyed hash, and not compared."""
    family = Read(came).family
    to = sent_to(left, family, backends)
    inner = redirected(came, family, ip(vip), 1, MACS)
    if not to:
        return False
    around = head(family, OWN[family], "0.0.0.0" if family == 4 else "::")
    if family == 4:
        around.dst, around.ttl, around.proto = ".".join(map(str, to)), 64, 4
        around.id, around.flags = int.from_bytes(left[18:20], "big"), "DF"
    else:
        around.dst = next(address for address in backends if ip(address) == to)
        around.hlim, around.nh, around.fl = 64, 41, int.from_bytes(left[15:18], "big") & 0xFFFFF
    return action == TX and left == inner[:ETHER] + bytes(around / inner[ETHER:])


def beside(came, action, left, vip, _backends):
    """`l2`: the packet with another MAC address."""
    out = redirected(came, Read(came).family, ip(vip), 1, (mac(NEAR_MAC), mac(LB_MAC)))
    return action == TX and left == out


def restored(came, action, left, vip, _backends):
    return action == PASS and left == redirected(came, Read(came).family, ip(vip), 0)


def passed_on(came, action, left, _vip, backends):
    """The packet back to the router, for the other backend, with TTL 48."""
    macs = came[6:12], came[:6]
    return action == TX and left == redirected(came, Read(came).family, ip(backends[1]), 16, macs)


def unmarked(came, action, left, vip, backends):
    packet = Ether(came)
    if IP in packet:
        packet[IP].tos &= 3
        del packet[IP].chksum
    else:
        packet[IPv6].tc &= 3
    return restored(bytes(packet), action, left, vip, backends)


def taken_out(came, action, left, _vip, _backends):
    size = 20 if Read(came).family == 4 else 40
    return (action == PASS and len(came) == LENGTH
            and left == came[:ETHER] + came[ETHER + size :])


def answered(came, action, left, _vip, _backends):
    return action == TX and same_echo(left, reply(Read(came)))


def passed(came, action, left, _vip, _backends):
    return action == PASS and left == came


NEAR_MAC = "02:42:ac:11:10:00"  # the backends of the `l2` service

# What a packet becomes: by the reason with which it leaves, or by the method.
BY_REASON = {"forwarded": forwarded, "echo_answered": answered, "not_vip": passed,
             "restored": restored, "not_listed": passed, "decapsulated": taken_out,
             "delivered": passed, "vlan_tagged": passed, "second_chance": passed_on}
BY_METHOD = {("lbr", "dscp"): marked, ("lbr", "ipip"): tunnelled, ("lbr", "l2"): beside,
             ("bkd", "dscp"): unmarked}


def becomes(scenario):
    if scenario.packet == "error":
        return error_forwarded
    if scenario.service.get("checksum") == "update" and scenario.program == "lbr":
        return updated
    method = scenario.program, scenario.service.get("forward")
    return BY_METHOD.get(method) or BY_REASON[scenario.reason]
