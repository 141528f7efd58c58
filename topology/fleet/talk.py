#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""talk.py VIP HELD PAUSE RATE: a web server's clients, who notice what
goes wrong. HELD connections are kept open; each asks for /files/small again and
again, PAUSE seconds after it was answered. RATE times a second a new connection
asks once and is closed. Nothing is tried twice.

Broken is a connection that is refused, reset or closed, silent for 5 s while an
answer is due, or whose answer is another one, by a byte. Words on stdin, each
answered with a line on stdout:

    advance    wait until each that is held has had another answer
    finish     HELD held, ASKED asked, N broken, and the first of the causes
"""

import errno
import heapq
import select
import socket
import struct
import sys
import time

SILENCE = 5  # seconds

vip, held, pause, rate = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
BODY = "".join(f"{n}\n" for n in range(1, 501)).encode() + b"the end of a small file\n"
REQUEST = f"GET /files/small HTTP/1.1\r\nHost: {vip}\r\n\r\n".encode()
# no TIME_WAIT: there are more new connections a minute than ports
AT_ONCE = struct.pack("ii", 1, 0)

epoll = select.epoll()
flows, broken = {}, []
due = []  # (time, turn, flow): when it asks again
asked = turn = 0


class Flow:
    def __init__(self, keep):
        self.keep, self.answers, self.seen = keep, 0, b""
        self.since = time.monotonic()
        self.waits = True  # an answer is due
        self.socket = socket.socket()
        self.socket.setblocking(False)
        why = self.socket.connect_ex((vip, 80))
        flows[self.socket.fileno()] = self
        epoll.register(self.socket, select.EPOLLOUT)
        if why not in (0, errno.EINPROGRESS):
            self.breaks(f"connect: {errno.errorcode[why]}")

    def ask(self):
        self.seen, self.since, self.waits = b"", time.monotonic(), True
        self.socket.sendall(REQUEST)

    def ready(self, events):
        try:
            if events & select.EPOLLOUT:
                why = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if why:
                    return self.breaks(f"connect: {errno.errorcode[why]}")
                epoll.modify(self.socket, select.EPOLLIN)
                return self.ask()
            data = self.socket.recv(65536)
        except OSError as why:
            return self.breaks(str(why))
        self.seen += data
        if not data or not self.waits:
            return self.breaks(f"after {self.answers} answers: {'more' if data else 'closed'}")
        head, end, body = self.seen.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"[:len(head)]) or not BODY.startswith(body):
            return self.breaks(f"after {self.answers} answers: {self.seen[:40]}")
        if end and body == BODY:
            self.answered()

    def answered(self):
        global turn
        self.answers += 1
        self.waits = False
        if not self.keep:
            return self.close()
        turn += 1
        heapq.heappush(due, (time.monotonic() + pause, turn, self))

    def breaks(self, why):
        broken.append(why)
        self.close()

    def close(self):
        if flows.pop(self.socket.fileno(), None):
            epoll.unregister(self.socket)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            self.socket.close()


def work():
    """All that is to be done now, and a moment's wait for more."""
    global asked, scanned, began
    now = time.monotonic()
    while due and due[0][0] <= now:
        flow = heapq.heappop(due)[2]
        if flow.socket.fileno() in flows:
            try:
                flow.ask()
            except OSError as why:
                flow.breaks(str(why))
    # Where all is slow, fewer ask; but never many at once, who would be late.
    for _ in range(min(int((now - began) * rate), 50)):
        Flow(False)
        asked += 1
        began = max(began + 1 / rate, now - 0.1)
    for number, events in epoll.poll(0.002):
        if number in flows:
            flows[number].ready(events)
    if now - scanned < 0.5:
        return
    # A client that was not at work itself has nothing to say of silence.
    late = time.monotonic() - now + max(now - scanned - 0.6, 0)
    scanned = now
    for flow in [flow for flow in flows.values() if flow.waits]:
        flow.since += late
        if now - flow.since > SILENCE:
            flow.breaks(f"silent after {flow.answers} answers")


def advance():
    before = {flow: flow.answers for flow in flows.values() if flow.keep}
    while any(flow.answers <= count for flow, count in before.items()
              if flow.socket.fileno() in flows):
        work()
    return f"{len(before)} advanced"


def report():
    kept = sum(flow.keep for flow in flows.values())
    return f"{kept} held, {asked} asked, {len(broken)} broken {' '.join(broken[:3])}".strip()


began = scanned = time.monotonic()
while held:
    work()
    while held and sum(flow.answers == 0 for flow in flows.values()) < 100:
        Flow(True)
        held -= 1
commands = select.poll()
commands.register(sys.stdin, select.POLLIN)
while True:
    work()
    if not commands.poll(0):
        continue
    word = sys.stdin.readline().strip()
    if word == "advance":
        print(advance(), flush=True)
        continue
    rate = 0
    while any(flow.waits and not flow.keep for flow in flows.values()):
        work()
    print(report(), flush=True)
    break
