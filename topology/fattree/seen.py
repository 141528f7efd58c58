#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""seen.py VIP IFACE...: looks at these ports of a switch, to which load balancers
are connected. Words on stdin, each answered with a line on stdout; what was
counted is then forgotten:

    pings    for each host that has pinged the VIP, by which ports: HOST=IFACE,...
    flows    IFACE=N for each port: how many TCP flows to the VIP began there;
             several=N: how many began at more than one
    faults   looped=N: packets to the VIP that a load balancer sent back as they
             were; exceeded=N, unreachable=N: ICMP errors either way, because a TTL
             was spent, or because nobody took a packet in a packet
"""

import collections
import selectors
import socket
import sys

if len(sys.argv) < 3:
    sys.exit("usage: seen.py VIP IFACE...")
vip, ports = socket.inet_aton(sys.argv[1]), sys.argv[2:]
OUTGOING, ETH_P_ALL, SO_RCVBUFFORCE = 4, 3, 33
ICMP, IPIP, TCP, SYN, ACK = 1, 4, 6, 2, 16

pings, flows = collections.defaultdict(set), collections.defaultdict(set)
faults = collections.Counter()


def look(port, outgoing, frame):
    if len(frame) < 34 or frame[12:14] != b"\x08\0":
        return
    source, destination, protocol = frame[26:30], frame[30:34], frame[23]
    rest = frame[14 + (frame[14] & 15) * 4:]
    if destination == vip and not outgoing:
        faults["looped"] += 1
    elif len(rest) < 18:
        return
    elif destination == vip and protocol == ICMP and rest[0] == 8:
        pings[socket.inet_ntoa(source)].add(port)
    elif destination == vip and protocol == TCP and rest[13] & (SYN | ACK) == SYN:
        flows[source, rest[:2], rest[4:8]].add(port)
    elif protocol == ICMP and rest[0] == 11:
        faults["exceeded"] += 1
    elif protocol == ICMP and rest[0] == 3 and rest[17] == IPIP and rest[1] in (2, 3):
        faults["unreachable"] += 1


def told(word):
    if word == "pings":
        said = [f"{host}={','.join(sorted(by))}" for host, by in sorted(pings.items())]
        pings.clear()
    elif word == "flows":
        said = [f"{port}={sum(port in by for by in flows.values())}" for port in ports]
        said.append(f"several={sum(len(by) > 1 for by in flows.values())}")
        flows.clear()
    else:
        said = [f"{name}={faults[name]}" for name in ("looped", "exceeded", "unreachable")]
        faults.clear()
    return " ".join(said)


def drain(key):
    while True:
        try:
            frame, address = key.fileobj.recvfrom(100)
        except BlockingIOError:
            return
        look(key.data, address[2] == OUTGOING, frame)


selector = selectors.DefaultSelector()
for name in ports:
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
    s.bind((name, ETH_P_ALL))
    s.setblocking(False)
    selector.register(s, selectors.EVENT_READ, name)
commands = selector.register(sys.stdin, selectors.EVENT_READ)
print("looking", flush=True)
while True:
    ready = [key for key, _ in selector.select()]
    for key in selector.get_map().values():
        if key is not commands:
            drain(key)
    if commands in ready:
        word = sys.stdin.readline().strip()
        if not word:
            break
        print(told(word), flush=True)
