# SPDX-License-Identifier: GPL-2.0-only
"""What should become of a frame, worked out from the RFCs and from the README's rules,
not from common/core: addresses are strings of bytes, and each sum is taken over all
that it covers."""

import socket
import struct

from network import DROP, PASS, TX

ETHER = 14
IPV4, IPV6 = 0x0800, 0x86DD
VLANS = (0x8100, 0x88A8)
ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
OPTIONS, ROUTING, FRAGMENT, AUTHENTICATION = (0, 60), 43, 44, 51
MAX_HEADERS = 8


def ip(text):
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def total(data):
    """The one's complement sum of 16-bit words (RFC 1071): 2^16 is 1 there,
    so it is the remainder by 65535, and 65535 for a remainder of 0."""
    if len(data) % 2:
        data += b"\0"
    number = int.from_bytes(data, "big")
    return (number % 0xFFFF or 0xFFFF) if number else 0


def pseudo(frame, protocol, length):
    if frame[12:14] == b"\x08\x00":
        return frame[26:34] + struct.pack("!HH", protocol, length)
    return frame[22:54] + struct.pack("!II", length, protocol)


class Read:
    """A parsed frame: `fault` is None, or the reason why it cannot be forwarded."""

    __slots__ = ("fault", "family", "source", "to", "protocol", "sport", "port",
                 "ttl", "l4", "length", "echo", "neighbour", "frame", "piece", "id",
                 "understood")

    def __init__(self, frame):
        self.frame, self.family, self.to, self.echo = frame, None, None, False
        self.port = self.sport = self.ttl = 0
        self.neighbour = False
        self.piece = self.id = None  # of a fragment: "first" or "later"
        kind = frame[12] << 8 | frame[13]
        if kind == IPV4:
            self.fault = self.ipv4()
        elif kind == IPV6:
            self.fault = self.ipv6()
        else:
            self.fault = self.tagged(kind) if kind in VLANS else "not_ip"
        self.understood = not self.fault
        if not self.fault and ETHER + self.length > len(frame):
            self.fault = "malformed"

    def tagged(self, kind):
        """Is it in no VLAN of ours, if it can be parsed at all?"""
        frame, at = self.frame, ETHER
        while kind in VLANS and at < ETHER + 8:
            if len(frame) < at + 4:
                return "malformed"
            kind, at = frame[at + 2] << 8 | frame[at + 3], at + 4
        if kind not in (IPV4, IPV6):
            return "vlan_tagged" if kind in VLANS else "not_ip"
        version, size = (4, 20) if kind == IPV4 else (6, 40)
        if len(frame) < at + size or frame[at] >> 4 != version:
            return "malformed"
        return "vlan_tagged"

    def ipv4(self):
        frame = self.frame
        if len(frame) < ETHER + 20 or frame[14] >> 4 != 4:
            return "malformed"
        self.family, self.source, self.to = 4, frame[26:30], frame[30:34]
        self.ttl, self.protocol = frame[22], frame[23]
        self.length = frame[16] << 8 | frame[17]
        header = (frame[14] & 15) * 4
        if header < 20 or self.length < header:
            return "malformed"
        self.l4 = ETHER + header
        if (frame[20] << 8 | frame[21]) & 0x3FFF:
            self.piece = "later" if (frame[20] << 8 | frame[21]) & 0x1FFF else "first"
            self.id = (self.protocol, frame[18:20])
        return self.transport(ICMP, 8)

    def damaged(self):
        """Is the checksum of its IPv4 header wrong?"""
        end = ETHER + (self.frame[14] & 15) * 4
        return self.family == 4 and total(self.frame[ETHER:end]) != 0xFFFF

    def ipv6(self):
        frame = self.frame
        if len(frame) < ETHER + 40 or frame[14] >> 4 != 6:
            return "malformed"
        self.family, self.source, self.to = 6, frame[22:38], frame[38:54]
        self.length = 40 + (frame[18] << 8 | frame[19])
        self.protocol, self.ttl, self.l4 = frame[20], frame[21], ETHER + 40
        for _ in range(MAX_HEADERS + 1):
            if self.protocol == AUTHENTICATION:
                return "extension"
            if self.protocol not in (*OPTIONS, ROUTING, FRAGMENT):
                break
            header = frame[self.l4 : self.l4 + 8]
            if len(header) < 8:
                return "malformed"
            size = 8
            if self.protocol == FRAGMENT:
                word = header[2] << 8 | header[3]
                if word & 0xFFF9:
                    if self.piece:
                        return "extension"
                    self.piece, self.id = "later" if word & 0xFFF8 else "first", header[4:]
            else:
                if self.protocol == ROUTING and header[3]:
                    return "extension"
                size += header[1] * 8
            self.protocol, self.l4 = header[0], self.l4 + size
            if self.piece == "later":
                break
        else:
            return "extension"
        if self.l4 - ETHER > self.length:
            return "malformed"
        return self.transport(ICMPV6, 128)

    def transport(self, icmp, request):
        frame, at = self.frame, self.l4
        if self.piece == "later":
            return "malformed" if at > len(frame) else None
        minimum = {TCP: 20, UDP: 8, icmp: 8}.get(self.protocol)
        if minimum is None:
            return None
        there = self.length - (at - ETHER)
        if len(frame) < at + minimum or there < minimum:
            return "malformed"
        if self.protocol == icmp:
            self.echo = frame[at] == request and not frame[at + 1] and not self.piece
            self.neighbour = (icmp == ICMPV6 and 133 <= frame[at] <= 137 and self.ttl == 255
                              and not self.piece)
            return None
        self.sport, self.port = struct.unpack_from("!HH", frame, at)
        if self.protocol == TCP:
            size = (frame[at + 12] >> 4) * 4
            return "malformed" if size < 20 or size > there else None
        return "malformed" if (frame[at + 4] << 8 | frame[at + 5]) < 8 else None


def with_header_sum(frame, was):
    """Writes the IPv4 header checksum. A checksum that was wrong stays wrong by the same
    amount: a damaged packet must not be repaired."""
    end = ETHER + (frame[14] & 15) * 4
    error = total(bytes(was[ETHER:end])) % 0xFFFF
    frame[24:26] = b"\0\0"
    wanted = (error - total(bytes(frame[ETHER:end]))) % 0xFFFF
    frame[24:26] = struct.pack("!H", wanted)
    return frame


def same_echo(got, wanted):
    """Equal to a receiver: in a checksum, 65535 is as good as 0."""
    at = Read(wanted).l4 + 2
    if wanted[at : at + 2] == b"\0\0" and got[at : at + 2] == b"\xff\xff":
        got = got[:at] + b"\0\0" + got[at + 2 :]
    return same(got, wanted)


def same(got, wanted):
    """Are these the same packet? In a damaged header checksum, 0 and 65535 are equal; in a
    correct one only one of them can occur."""
    if got == wanted:
        return True
    if got[12:14] != b"\x08\x00" or len(got) != len(wanted):
        return False
    return (got[:24] + got[26:] == wanted[:24] + wanted[26:]
            and {got[24:26], wanted[24:26]} == {b"\0\0", b"\xff\xff"}
            and total(got[ETHER : ETHER + (got[14] & 15) * 4]) != 0xFFFF)


def redirected(frame, family, to, hops, macs=None):
    """`frame` with another destination, a TTL lower by `hops`, and other MACs (destination,
    source)."""
    out = bytearray(frame)
    if macs:
        out[0:12] = macs[0] + macs[1]
    if family == 4:
        out[30:34] = to
        out[22] -= hops
        return bytes(with_header_sum(out, frame))
    out[38:54] = to
    out[21] -= hops
    return bytes(out)


def reply(read):
    """The answer to an echo request, with TTL 64."""
    out, at, frame = bytearray(read.frame), read.l4, read.frame
    out[0:12] = frame[6:12] + frame[0:6]
    end = ETHER + read.length
    out[at] = 0 if read.family == 4 else 129
    cover = b"" if read.family == 4 else pseudo(frame, ICMPV6, end - at)
    if read.family == 4:
        out[26:34] = frame[30:34] + frame[26:30]
        out[22] = 64
        with_header_sum(out, frame)
    else:
        out[22:54] = frame[38:54] + frame[22:38]
        out[21] = 64
    error = total(cover + frame[at:end]) % 0xFFFF
    out[at + 2 : at + 4] = b"\0\0"
    wanted = (error - total(cover + bytes(out[at:end]))) % 0xFFFF
    out[at + 2 : at + 4] = struct.pack("!H", wanted)
    return bytes(out)


def is_host(address):
    """Is it the address of one host (RFC 1122 3.2.1.3; RFC 4291 2: any other is unicast)?"""
    if len(address) == 4:
        return address[0] not in (0, 127) and address[0] < 224
    return (address[0] != 0xFF and (address[0], address[1] & 0xC0) != (0xFE, 0x80)
            and address[:12] not in (b"\0" * 12, b"\0" * 10 + b"\xff\xff"))


def is_martian(read):
    return not is_host(read.source) or read.source == read.to


def report(read, own, kind, code, rest=0):
    """The ICMP error about a packet, from `own` (RFC 792, RFC 4443)."""
    frame = read.frame
    most = (576 - 28) if read.family == 4 else (1280 - 48)
    quote = frame[ETHER : ETHER + min(read.length, most)]
    icmp = struct.pack("!BBHI", kind, code, 0, rest) + quote
    if read.family == 4:
        head = struct.pack("!BBHHHBBH", 0x45, 0xC0, 20 + len(icmp), 0, 0x4000, 64, 1, 0)
        head += own + read.source
        head = head[:10] + struct.pack("!H", 0xFFFF - total(head)) + head[12:]
        cover = b""
    else:
        head = struct.pack("!IHBB", 0x60000000, len(icmp), ICMPV6, 64) + own + read.source
        cover = head[8:] + struct.pack("!II", len(icmp), ICMPV6)
    icmp = icmp[:2] + struct.pack("!H", 0xFFFF - total(cover + icmp)) + icmp[4:]
    return frame[6:12] + frame[0:6] + frame[12:14] + head + icmp


class Pieces:
    """The packets whose first fragment has arrived, and their ports."""

    def __init__(self):
        self.ports = {}

    def read(self, frame):
        """The readings that a frame may have. A later fragment has its first one's
        ports or, if that may be forgotten by now, none."""
        read, key = Read(frame), None
        if read.piece and read.understood:
            key = (read.source, read.to, read.id)
        if read.piece == "first" and key:
            self.ports[key] = (read.protocol, read.sport, read.port)
        if read.piece != "later" or not key:
            return [read]
        alone = Read(frame)
        # A UDP fragment may have a service anyway, if it is not malformed.
        if alone.protocol != UDP or not alone.fault:
            alone.fault = "fragment"
        if key not in self.ports:
            return [alone]
        read.protocol, read.sport, read.port = self.ports[key]
        return [read, alone]


class LoadBalancer:
    """xdp_lbr, where each service has one backend behind one next hop."""

    def __init__(self, own, router, addresses, services):
        """addresses: its own, IPv4 and IPv6.
        services: {(VIP, protocol, port or 0): backend}, text"""
        self.own, self.router = mac(own), mac(router)
        self.addresses = {4: ip(addresses[0]), 6: ip(addresses[1])}
        self.services = {(ip(v), p, port): ip(b) for (v, p, port), b in services.items()}
        self.vips = {key[0] for key in self.services}
        self.pieces = Pieces()

    def predict(self, frame):
        """[(action, reason, bytes)]: the result must be one of these"""
        return [self.outcome(frame, read) for read in self.pieces.read(frame)]

    def outcome(self, frame, read):
        if read.to is None:
            return PASS, read.fault, frame
        if frame[0:6] != self.own:
            return PASS, "foreign_mac", frame
        if not read.fault:
            backend = (self.services.get((read.to, read.protocol, read.port))
                       or self.services.get((read.to, read.protocol, 0)))
            if backend and is_martian(read):
                return DROP, "martian", frame
            if backend and read.ttl <= 1:
                if read.piece == "later":
                    return DROP, "ttl_exceeded", frame
                if read.damaged():
                    return DROP, "malformed_vip", frame
                return TX, "ttl_answered", report(
                    read, self.addresses[read.family], 11 if read.family == 4 else 3, 0)
            if backend:
                return TX, "forwarded", redirected(
                    frame, read.family, backend, 1, (self.router, self.own))
        if read.to not in self.vips:
            return PASS, "malformed" if read.fault == "malformed" else "not_vip", frame
        if read.fault:
            return DROP, {"malformed": "malformed_vip"}.get(read.fault, read.fault), frame
        if read.neighbour:
            return PASS, "neighbour_discovery", frame
        if read.echo and is_martian(read):
            return DROP, "martian", frame
        if read.echo and read.damaged():
            return DROP, "malformed_vip", frame
        if read.echo:
            return TX, "echo_answered", reply(read)
        return DROP, "unmatched", frame


class Backend:
    """xdp_bkd on a host for which each listed address is a VIP."""

    PASSED = {"fragment": "fragment_passed", "extension": "extension_passed"}

    def __init__(self, own, restores):
        """restores: {(address, protocol, port or 0): VIP}, text"""
        self.own = mac(own)
        self.restores = {(ip(a), p, port): ip(v) for (a, p, port), v in restores.items()}
        self.pieces = Pieces()

    def predict(self, frame):
        return [self.outcome(frame, read) for read in self.pieces.read(frame)]

    def outcome(self, frame, read):
        if read.to is None:
            return PASS, read.fault, frame
        if frame[0:6] != self.own:
            return PASS, "foreign_mac", frame
        if read.fault:
            return PASS, self.PASSED.get(read.fault, read.fault), frame
        vip = (self.restores.get((read.to, read.protocol, read.port))
               or self.restores.get((read.to, read.protocol, 0)))
        if not vip:
            return PASS, "not_listed", frame
        if is_martian(read) or read.source == vip:
            return PASS, "martian_passed", frame
        return PASS, "restored", redirected(frame, read.family, vip, 0)
