#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""flood_flows.py VIP COUNT: COUNT connections to a web server, each of which
asks again and again, and looks at each answer. Words on stdin, each answered
with a line on stdout:

    advance    wait until each has had another answer
    finish     says how many were broken: reset, silent for 5 s, another answer
"""

import os
import select
import socket
import sys
import time

SILENCE = 5 / 3 * int(os.environ.get("PATIENCE", "3"))  # seconds; see lib.bash

vip, count = sys.argv[1], int(sys.argv[2])
REQUEST = f"GET /files/small HTTP/1.1\r\nHost: {vip}\r\n\r\n".encode()
END = b"the end of a small file\n"


class Flow:
    def __init__(self):
        self.socket = socket.create_connection((vip, 80), 30)
        self.seen, self.answers = b"", 0
        self.ask()

    def ask(self):
        self.seen, self.asked = b"", time.monotonic()
        self.socket.sendall(REQUEST)

    def read(self):
        """What is wrong, or None."""
        try:
            return self.take(self.socket.recv(65536))
        except OSError as why:  # a reset may meet the next request, too
            return str(why)

    def take(self, data):
        self.seen += data
        if not data or not self.seen.startswith(b"HTTP/1.1 200"):
            return f"after {self.answers} answers: {self.seen[:40]}"
        if self.seen.endswith(END):
            self.answers += 1
            self.ask()
        return None


def turn(wait=0.1):
    for number, _ in poll.poll(wait * 1000):
        why = flows[number].read()
        if why:
            drop(number, why)
    now = time.monotonic()
    for number in [n for n, flow in flows.items() if now - flow.asked > SILENCE]:
        drop(number, "silent")


def drop(number, why):
    broken.append(why)
    poll.unregister(number)
    flows.pop(number).socket.close()


def advance():
    before = {number: flow.answers for number, flow in flows.items()}
    while any(flows[n].answers == before[n] for n in before if n in flows):
        turn()
    return f"{len(flows)} advanced"


broken, flows, poll = [], {}, select.poll()
for flow in (Flow() for _ in range(count)):
    flows[flow.socket.fileno()] = flow
    poll.register(flow.socket, select.POLLIN)
commands = select.poll()
commands.register(sys.stdin, select.POLLIN)
while True:
    turn()
    if not commands.poll(0):
        continue
    word = sys.stdin.readline().strip()
    if word == "advance":
        print(advance(), flush=True)
        continue
    print(f"{len(broken)} broken {' '.join(broken[:3])}".strip(), flush=True)
    break
