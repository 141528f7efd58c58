#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints the golden values of test_hash.c and test_maglev.c: the flow hash and
# the Maglev table, written a second time, from their descriptions, in
# integers of any size. Every load balancer in a network must agree on both,
# whatever compiled it: a golden value that changes breaks the flows of a
# network in which two versions run.

import ipaddress

M64 = 2**64 - 1


def address(text):
    ip = ipaddress.ip_address(text)
    return ip.packed if ip.version == 6 else b"\0" * 10 + b"\xff\xff" + ip.packed


def mix(state, word):
    state = (state ^ word) * 0x9E3779B97F4A7C15 & M64
    return state ^ state >> 32


def mix_address(state, packed):
    for half in packed[:8], packed[8:]:
        state = mix(state, int.from_bytes(half, "big"))
    return state


def flow_hash(protocol, source, source_port, destination, port):
    state = protocol << 32 | source_port << 16 | port
    state = mix(mix_address(state, address(source)), mix_address(3, address(destination)))
    state = (state ^ state >> 33) * 0xFF51AFD7ED558CCD & M64
    return state >> 32


def finish(state):
    state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & M64
    state = (state ^ state >> 27) * 0x94D049BB133111EB & M64
    return state ^ state >> 31


def order_of_slots(size, packed):
    offset = finish(mix_address(1, packed)) % size
    skip = finish(mix_address(2, packed)) % (size - 1) + 1
    for n in range(size):
        yield (offset + n * skip) % size


def maglev(size, backends):
    """backends: {address: weight}; returns the table, as addresses."""
    orders = {packed: order_of_slots(size, packed) for packed in sorted(backends)}
    # A backend's turn n is in round n * max / weight, rounded up.
    heaviest = max(backends.values())
    turns = dict.fromkeys(orders, 0)
    table = [None] * size
    left = size
    for turn in range(size):
        for packed, order in orders.items():
            if turn < -(-turns[packed] * heaviest // backends[packed]):
                continue
            turns[packed] += 1
            slot = next(slot for slot in order if table[slot] is None)
            table[slot] = packed
            left -= 1
            if not left:
                return table


def digest(table, order):
    """FNV-1a over the indices, two bytes each, high byte first."""
    value = 0xCBF29CE484222325
    for packed in table:
        for byte in order.index(packed).to_bytes(2, "big"):
            value = (value ^ byte) * 0x100000001B3 & M64
    return value


def main():
    for flow in (
        (6, "192.0.2.1", 40000, "198.51.100.7", 80),
        (17, "192.0.2.1", 40000, "198.51.100.7", 80),
        (6, "192.0.2.1", 40001, "198.51.100.7", 80),
        (6, "198.51.100.7", 80, "192.0.2.1", 40000),
        (6, "2001:db8::1", 40000, "2001:db8::7", 443),
        (17, "2001:db8:ffff:1:2:3:4:5", 65535, "2001:db8::7", 53),
        (6, "0.0.0.0", 0, "255.255.255.255", 65535),
        (0, "::", 0, "::", 0),
    ):
        print("hash", *flow, hex(flow_hash(*flow)))
    four = ["172.19.0.%d" % n for n in range(3, 13)]
    six = ["2001:db8:%x::%x" % (n, 7 - n) for n in range(7)]
    for name, texts, weights, size in (
        ("ten equal", four, [1] * 10, 65537),
        ("two, 3:1", four[:2], [3, 1], 65537),
        ("seven, v6", six, [1000, 1, 7, 50, 3, 999, 20], 65537),
        ("five in seven slots", four[:5], [1] * 5, 7),
    ):
        order = [address(text) for text in texts]
        table = maglev(size, dict(zip(order, weights)))
        print("table", name, hex(digest(table, order)))


main()
