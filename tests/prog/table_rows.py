# SPDX-License-Identifier: GPL-2.0-only
"""One row for each case: a frame, the result to the last byte, and the one counter that
rises; with services and routes that produce each reason. scapy builds the expected
frames and computes their checksums."""

from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import (
    ICMPv6EchoReply, ICMPv6ND_NS, IPv6, IPv6ExtHdrFragment, IPv6ExtHdrRouting,
)
from scapy.layers.ipsec import AH
from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether
from scapy.packet import Raw

import frames as f
from network import (
    CLIENT, CLIENT6, CLIENT_MAC, DROP, LB, LB6, LB_MAC, PASS, REDIRECT, ROUTER, ROUTER6,
    ROUTER_MAC, TX, VIP, VIP6, backend, configuration, on, service,
)

OTHER_MAC = "02:42:0a:09:09:02"  # the next hop behind the other interface
ANY = "192.168.25.11"  # a VIP with a service of any port

# Backends, each with what the FIB says about its address; the port of the service is
# the key.
FIB = {
    81: ("172.20.0.1", "2001:db8:20::1", "blackhole"),
    82: ("172.20.0.2", "2001:db8:20::2", "unreachable"),
    83: ("172.20.0.3", "2001:db8:20::3", "prohibit"),
    84: ("172.20.0.4", "2001:db8:20::4", None),
    85: ("172.20.0.5", "2001:db8:20::5", ("via 172.17.0.99", "via 2001:db8:17::99")),
    86: ("172.20.0.6", "2001:db8:20::6", ("via 10.9.9.2", "via 2001:db8:9::2")),
    87: (LB, LB6, None),
    89: ("172.20.0.9", "2001:db8:20::9", ("encap", "encap")),
    90: ("172.20.0.10", "2001:db8:20::10", None),  # but for a rule
}


def setting(**settings):
    rows = []
    for vip, near, which in (VIP, "172.19.0.3", 0), (VIP6, "2001:db8:19::3", 1):
        rows.append(service([near], vip))
        rows.append(service([near], vip, 7777, "udp"))
        rows += [service([FIB[port][which]], vip, port) for port in FIB]
        none_up = [backend(near.replace("::3", "::8") if which else "172.19.0.8", drain=True)]
        rows.append(service(none_up, vip, 88))
        rows.append(service(none_up, vip, 91, on_all_down="pass"))
    rows.append(service(["172.19.0.5"], ANY, "any"))
    rows.append(service(["172.19.0.6"], ANY, 443))
    return configuration(*rows, **settings)


def routes():
    lines = [
        "link add other0 type veth peer name other1",
        "link set other0 up", "link set other1 up",
        "address add 10.9.9.1/24 dev other0",
        "address add 2001:db8:9::1/64 dev other0 nodad",
        f"neigh replace 10.9.9.2 dev other0 lladdr {OTHER_MAC} nud permanent",
        f"neigh replace 2001:db8:9::2 dev other0 lladdr {OTHER_MAC} nud permanent",
    ]
    for v4, v6, what in FIB.values():
        if isinstance(what, str):
            lines += [f"route replace {what} {v4}/32", f"route replace {what} {v6}/128"]
        elif what and what[0] == "encap":
            way = "encap seg6 mode encap segs 2001:db8::9"
            lines += [f"route replace {v4}/32 {way} via {ROUTER} dev eth0",
                      f"route replace {v6}/128 {way} via {ROUTER6} dev eth0"]
        elif what:
            lines += [f"route replace {v4}/32 {what[0]}", f"route replace {v6}/128 {what[1]}"]
    for family, every, way in ("-4", "0.0.0.0/0", "10.9.9.2"), ("-6", "::/0", "2001:db8:9::2"):
        on("lbdsr0a", "ip", family, *("rule add iif eth0 ipproto tcp sport 40000 dport 90 "
                                      "lookup 90").split())
        lines.append(f"route replace {every} via {way} table 90")
    on("lbdsr0a", "ip", "-batch", "-", text="\n".join(lines) + "\n")


def sent(packet, to, dst=ROUTER_MAC, src=LB_MAC):
    """The frame that leaves: built by scapy from the packet that came in."""
    out = Ether(bytes(packet))
    out[Ether].dst, out[Ether].src = dst, src
    if IP in out:
        out[IP].dst, out[IP].ttl = to, out[IP].ttl - 1
        del out[IP].chksum
    else:
        out[IPv6].dst, out[IPv6].hlim = to, out[IPv6].hlim - 1
    return bytes(out)


def handed_up(packet, to):
    """Handed to the kernel, which resolves the next hop and forwards: TTL and MACs are
    unchanged."""
    out = Ether(bytes(packet))
    if IP in out:
        out[IP].dst = to
        del out[IP].chksum
    else:
        out[IPv6].dst = to
    return bytes(out)


def rows_forwarded():
    """(name, packet, reason, action, expected)"""
    rows = []
    near, near6 = "172.19.0.3", "2001:db8:19::3"
    good = {
        "TCP": (f.ip4() / f.tcp(), near),
        "TCP with options": (f.ip4() / f.tcp(options=f.TCP_OPTIONS), near),
        "SYN": (f.ip4() / f.tcp(flags="S", payload=b""), near),
        "RST": (f.ip4() / f.tcp(flags="R", payload=b""), near),
        "UDP": (f.ip4() / f.udp(), near),
        "UDP without checksum": (
            f.ip4() / UDP(sport=1, dport=7777, chksum=0) / Raw(b"x"), near),
        "IPv4 options, TCP": (f.ip4(options=f.ip_options()) / f.tcp(), near),
        "IPv4 options, UDP": (f.ip4(options=f.ip_options()) / f.udp(), near),
        "DF and TOS": (f.ip4(flags="DF", tos=0xB8) / f.tcp(), near),
        "TTL 2": (f.ip4(ttl=2) / f.tcp(), near),
        "TTL 255": (f.ip4(ttl=255) / f.tcp(), near),
        "Ethernet padding": (f.ip4() / f.tcp(payload=b"") / Raw(b"\0" * 6), near),
        "9000 bytes": (f.ip4() / f.tcp(payload=b"x" * 8960), near),
        "any port": (f.ip4(ANY) / f.tcp(12345), "172.19.0.5"),
        "a port beside any": (f.ip4(ANY) / f.tcp(443), "172.19.0.6"),
        "IPv6 TCP": (f.ip6() / f.tcp(), near6),
        "IPv6 UDP": (f.ip6() / f.udp(), near6),
        "IPv6 hop limit 2": (f.ip6(hlim=2) / f.tcp(), near6),
    }
    for name, header in f.headers6(16).items():
        good[f"IPv6 {name}, TCP"] = (f.ip6() / header / f.tcp(), near6)
        good[f"IPv6 {name}, UDP"] = (f.ip6() / header / f.udp(), near6)
    for name, (packet, to) in good.items():
        if name == "Ethernet padding":
            packet[IP].len = 40
        rows.append((name, packet, "forwarded", TX, sent(packet, to)))
    for layer, which in (f.ip4, 0), (f.ip6, 1):
        for port, what in (86, "another interface"), (90, "a rule for the ports"):
            packet = layer() / f.tcp(port)
            rows.append((f"{what} ({4 + 2 * which})", packet, "redirected", REDIRECT,
                         sent(packet, FIB[port][which], OTHER_MAC, other_mac())))
        full, large = (layer() / f.tcp(86, payload=b"x" * (size - 40 - 20 * which))
                       for size in (1500, 1501))
        rows.append((f"as large as another interface takes ({4 + 2 * which})", full,
                     "redirected", REDIRECT,
                     sent(full, FIB[86][which], OTHER_MAC, other_mac())))
        rows.append((f"too large for another interface ({4 + 2 * which})", large,
                     "super_packet", PASS, handed_up(large, FIB[86][which])))
        packet = layer() / f.tcp(85)
        rows.append((f"no neighbour ({4 + 2 * which})", packet, "neighbour_unresolved", PASS,
                     handed_up(packet, FIB[85][which])))
    return rows


def other_mac():
    return on("lbdsr0a", "cat", "/sys/class/net/other0/address").strip()


def rows_dropped():
    ended = {81: "fib_blackhole", 82: "fib_unreachable", 83: "fib_prohibit",
             84: "fib_not_forwarded", 87: "fib_not_forwarded", 88: "no_backend",
             89: "fib_unsupported"}
    rows = [(f"port {port} (IPv{family})", layer() / f.tcp(port), reason)
            for port, reason in ended.items()
            for layer, family in ((f.ip4, 4), (f.ip6, 6))]
    rows += [
        ("unmatched port", f.ip4() / f.tcp(9999), "unmatched"),
        ("unmatched protocol", f.ip4() / f.udp(80), "unmatched"),
        ("unmatched GRE", f.ip4(proto=47) / Raw(b"\0" * 20), "unmatched"),
        ("unmatched protocol 0", f.ip4(proto=0) / Raw(b"\0" * 20), "unmatched"),
        ("unmatched port (IPv6)", f.ip6() / f.udp(80), "unmatched"),
        ("no other ICMP", f.ip4() / ICMP(type=13) / Raw(b"\0" * 12), "unmatched"),
        ("echo reply", f.ip4() / ICMP(type=0) / Raw(b"ping"), "unmatched"),
        ("echo with a code", f.ip4() / ICMP(type=8, code=1) / Raw(b"ping"), "unmatched"),
        ("ICMPv6 echo in IPv4", f.ip4(proto=58) / Raw(b"\x80\0" + b"\0" * 8), "unmatched"),
        ("TTL 1, from a group", changed(f.ip4(ttl=1) / f.tcp(), IP, src="224.0.0.5"),
         "martian"),
        ("from a link-local address", f.ether() / IPv6(src="fe80::1", dst=VIP6) / f.tcp(),
         "martian"),
        ("first fragment of an echo", f.ip4(flags="MF", id=9) / f.echo4(), "unmatched"),
        ("first fragment, too short", f.ip4(flags="MF", proto=6) / Raw(b"x" * 16),
         "malformed_vip"),
        ("last fragment", f.ip4(frag=10) / Raw(b"x" * 30), "fragment"),
        ("IPv6 last fragment", f.ip6() / IPv6ExtHdrFragment(offset=4, nh=17) / Raw(b"x"),
         "fragment"),
        ("routing, one left", f.ip6() / IPv6ExtHdrRouting(
            addresses=[CLIENT6], segleft=1) / f.tcp(), "extension"),
        ("authentication header", f.ip6() / AH(nh=6, icv=b"x" * 12) / f.tcp(), "extension"),
        ("IHL 4", f.ip4(ihl=4) / f.tcp(), "malformed_vip"),
        ("total length too large", f.ip4(len=2000) / f.tcp(), "malformed_vip"),
        ("total length too small", f.ip4(len=19) / f.tcp(), "malformed_vip"),
        ("TCP offset 4", f.ip4() / f.tcp(dataofs=4), "malformed_vip"),
        ("TCP offset 15", f.ip4() / f.tcp(dataofs=15), "malformed_vip"),
        ("UDP length 7", f.ip4() / UDP(sport=1, dport=7777, len=7) / Raw(b"x"),
         "malformed_vip"),
        ("payload length too large", f.ip6(plen=500) / f.tcp(), "malformed_vip"),
    ]
    return [(name, packet, reason, DROP, bytes(packet)) for name, packet, reason in rows]


def changed(packet, layer, **fields):
    for name, value in fields.items():
        setattr(packet[layer], name, value)
    return packet


def rows_passed():
    broadcast = "ff:ff:ff:ff:ff:ff"

    def to(mac, packet):
        packet[Ether].dst = mac
        return packet

    rows = [
        ("ARP", Ether(dst=broadcast, src=CLIENT_MAC) / ARP(pdst=VIP, psrc=CLIENT), "not_ip"),
        ("VLAN", ether_over(Dot1Q(vlan=7)), "vlan_tagged"),
        ("QinQ", ether_over(Dot1AD(vlan=7) / Dot1Q(vlan=8)), "vlan_tagged"),
        ("foreign MAC", to("02:42:ac:11:00:05", f.ip4() / f.tcp()), "foreign_mac"),
        ("broadcast MAC", to(broadcast, f.ip4() / f.tcp()), "foreign_mac"),
        ("multicast MAC (IPv6)", to("33:33:00:00:00:01", f.ip6() / f.tcp()), "foreign_mac"),
        ("not for a VIP", f.ip4(LB) / f.tcp(22), "not_vip"),
        ("ping, not for a VIP", f.ip4(LB) / f.echo4(), "not_vip"),
        ("fragment, not for a VIP", f.ip4(LB, flags="MF") / f.udp(), "not_vip"),
        ("TTL 1, not for a VIP", f.ip4(LB, ttl=1) / f.tcp(), "not_vip"),
        ("not for a VIP (IPv6)", f.ip6(LB6) / f.tcp(22), "not_vip"),
        ("malformed", f.ip4(LB) / f.tcp(dataofs=4), "malformed"),
        ("version 5", f.ip4(version=5) / f.tcp(), "malformed"),
        ("neighbour solicitation", f.ip6(hlim=255) / ICMPv6ND_NS(tgt=VIP6),
         "neighbour_discovery"),
        ("no backend, pass", f.ip4() / f.tcp(91), "no_backend_passed"),
        ("no backend, pass (IPv6)", f.ip6() / f.tcp(91), "no_backend_passed"),
    ]
    return [(name, packet, reason, PASS, bytes(packet)) for name, packet, reason in rows]


def ether_over(tag):
    return Ether(dst=LB_MAC, src=CLIENT_MAC) / tag / IP(src=CLIENT, dst=VIP) / f.tcp()


def rows_echo():
    rows = []
    zeros = ICMP(type=8, id=0, seq=0) / Raw(b"\0" * 8)
    answers = {"echo": f.echo4(), "long echo": f.echo4(b"x" * 1400), "odd echo": f.echo4(b"odd"),
               "echo that carries": f.echo4(b"\xfb\xb0"), "echo of zeros": zeros}
    # Adding 0x0800 to its checksum produces a carry.
    assert bytes(f.ip4() / answers["echo that carries"])[36] >= 0xF8
    for name, request in answers.items():
        for more in {}, {"options": f.ip_options()}, {"ttl": 1}:
            packet = f.ip4(**more) / request
            answer = Ether(bytes(packet))
            answer[Ether].dst, answer[Ether].src = CLIENT_MAC, LB_MAC
            answer[IP].src, answer[IP].dst, answer[IP].ttl = VIP, CLIENT, 64
            answer[ICMP].type = 0
            del answer[IP].chksum, answer[ICMP].chksum
            rows.append((f"{name} {'+'.join(more)}", packet, "echo_answered", TX, bytes(answer)))
    for payload in b"ping", b"odd", b"x" * 1400:
        packet = f.ip6() / f.echo6(payload)
        reply = ICMPv6EchoReply(id=77, seq=1, data=payload)
        answer = (Ether(dst=CLIENT_MAC, src=LB_MAC)
                  / IPv6(src=VIP6, dst=CLIENT6, fl=0x12345, hlim=64) / reply)
        rows.append((f"IPv6 echo, {len(payload)}", packet, "echo_answered", TX, bytes(answer)))
    return rows


SEEN = set()  # the reasons that rows have produced


def check(world, rows):
    wrong = []
    before = world.lbr.reasons()
    for name, packet, reason, action, expected in rows:
        [(did, got)] = world.lbr.run([bytes(packet)])
        after = world.lbr.reasons()
        rose = {key: after[key] - before[key] for key in after if after[key] != before[key]}
        before = after
        if (did, rose) != (action, {reason: 1}):
            wrong.append(f"{name}: action {did}, wanted {action}; rose {rose}, wanted {reason}")
        elif got != expected:
            wrong.append(f"{name}: wrong bytes\n came {bytes(packet).hex()}\n got  {got.hex()}\n"
                         f" want {expected.hex()}")
        SEEN.add(reason)
    assert not wrong, "\n".join(wrong)


def prepared(world, **settings):
    routes_once(world)
    world.apply(setting(**settings))


def routes_once(world):
    if not getattr(world, "routed", False):
        routes()
        world.routed = True
