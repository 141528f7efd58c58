#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""ipvs.py VIP PORT BACKEND...: sets up a TCP service of the kernel's IPVS, round robin,
in tunnel mode. It speaks generic netlink (linux/ip_vs.h), because ipvsadm may be
missing."""

import socket
import struct
import sys

NETLINK_GENERIC, REQUEST_ACK, ERROR = 16, 5, 2
CONTROL_ID, GET_FAMILY, FAMILY_ID, FAMILY_NAME = 0x10, 3, 1, 2
NEW_SERVICE, NEW_DEST, SERVICE, DEST = 1, 5, 1, 2
TUNNEL = 2


def attribute(kind, value):
    return struct.pack("=HH", len(value) + 4, kind) + value + b"\0" * (-len(value) % 4)


def attributes(**values):
    return b"".join(attribute(int(kind[1:]), value) for kind, value in values.items())


def ask(kernel, family, command, payload):
    """The kernel's answer, without headers; OSError if it refuses."""
    body = struct.pack("=BBH", command, 1, 0) + payload
    kernel.send(struct.pack("=IHHII", len(body) + 16, family, REQUEST_ACK, 1, 0) + body)
    answer = kernel.recv(65536)
    if struct.unpack_from("=H", answer, 4)[0] == ERROR:
        error = -struct.unpack_from("=i", answer, 16)[0]
        if error:
            raise OSError(error, "the kernel's IPVS")
    return answer[20:]


def family(kernel):
    answer = ask(kernel, CONTROL_ID, GET_FAMILY, attribute(FAMILY_NAME, b"IPVS\0"))
    kernel.recv(65536)  # the acknowledgement
    at = 0
    while at < len(answer):
        length, kind = struct.unpack_from("=HH", answer, at)
        if kind == FAMILY_ID:
            return struct.unpack_from("=H", answer, at + 4)[0]
        at += -(-length // 4) * 4
    raise OSError("no IPVS")


def address(text):
    kind = socket.AF_INET6 if ":" in text else socket.AF_INET
    return struct.pack("=H", kind), socket.inet_pton(kind, text).ljust(16, b"\0")


def main():
    vip, port, *backends = sys.argv[1:]
    kind, where = address(vip)
    number = struct.pack("!H", int(port))
    name = attributes(_1=kind, _2=struct.pack("=H", socket.IPPROTO_TCP), _3=where, _4=number)
    netmask = 128 if ":" in vip else 0xFFFFFFFF
    more = attributes(_6=b"rr\0", _7=struct.pack("=II", 0, 0xFFFFFFFF), _8=struct.pack("=I", 0),
                      _9=struct.pack("=I", netmask))
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC) as kernel:
        kernel.bind((0, 0))
        ipvs = family(kernel)
        ask(kernel, ipvs, NEW_SERVICE, attribute(SERVICE, name + more))
        for backend in backends:
            kind, where = address(backend)
            dest = attributes(_1=where, _2=number, _3=struct.pack("=I", TUNNEL),
                              _4=struct.pack("=I", 1), _5=struct.pack("=I", 0),
                              _6=struct.pack("=I", 0), _11=kind)
            ask(kernel, ipvs, NEW_DEST, attribute(SERVICE, name) + attribute(DEST, dest))


main()
