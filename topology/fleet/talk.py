#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""talk.py VIP [HELD [PAUSE [RATE]]]: a web server's clients, who notice what goes
wrong. HELD connections (500) are kept open; each asks for /files/small again and
again, PAUSE (2) seconds after it was answered. RATE (0) times a second a new
connection asks once and is closed. Nothing is tried twice.

Broken is a connection that is refused, reset or closed, silent for 5 s while an
answer is due, or whose answer is another one, by a byte. Each is told on stderr,
with its port, its server and the cause. Ctrl-C ends it. Words on stdin, each
answered with a line on stdout:

    advance    wait until each that is held has had another answer; how many
    more N     open N more that are held; how many have had an answer
    gap        the longest time without a new connection since the last `gap`, in ms,
               and how many each server has answered. A new connection counts from
               when it began, if it was answered within half a second, as only its
               first SYN can be: the next one comes after a second
    finish     HELD held, ASKED asked, N broken, and how often each cause
"""

import collections
import errno
import heapq
import os
import re
import select
import socket
import struct
import sys
import time

AT_FIRST = 0.5
SILENCE = 5 / 3 * int(os.environ.get("PATIENCE", "3"))  # seconds; see tests/net/lib.bash

if not 2 <= len(sys.argv) <= 5:
    sys.exit("usage: talk.py VIP [HELD [PAUSE [RATE]]]")
vip, held, pause, rate = (sys.argv[1:] + ["500", "2", "0"][len(sys.argv) - 2:])[:4]
held, pause, rate = int(held), float(pause), float(rate)
family = socket.AF_INET6 if ":" in vip else socket.AF_INET
BODY = "".join(f"{n}\n" for n in range(1, 501)).encode() + b"the end of a small file\n"
HOST = f"[{vip}]" if ":" in vip else vip
REQUEST = f"GET /files/small HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
# no TIME_WAIT: there are more new connections in a minute than ports
AT_ONCE = struct.pack("ii", 1, 0)

epoll = select.epoll()
flows, broken = {}, collections.Counter()
due = []  # (time, turn, flow): when the flow asks again
asked = turn = 0
served, starts = collections.Counter(), [time.monotonic()]  # for `gap`


class Flow:
    def __init__(self, keep):
        self.keep, self.answers, self.seen = keep, 0, b""
        self.since = self.began = time.monotonic()
        self.waits = True  # an answer is due
        self.server = "nobody yet"
        self.socket = socket.socket(family)
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
            return self.breaks("more than was asked for" if data else "closed")
        head, end, body = self.seen.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"[:len(head)]) or not BODY.startswith(body):
            return self.breaks(f"another answer: {self.seen[:40]}")
        if end and body == BODY:
            self.answered(head)

    def answered(self, head):
        global turn
        name = re.search(rb"Server-Name: (\S+)", head)
        self.server = name[1].decode() if name else "a server without a name"
        self.answers += 1
        self.waits = False
        if not self.keep:
            served[self.server] += 1
            if time.monotonic() - self.began < AT_FIRST:
                starts.append(self.began)
            return self.close()
        turn += 1
        heapq.heappush(due, (time.monotonic() + pause, turn, self))

    def breaks(self, why):
        broken[why] += 1
        print(f"port {self.socket.getsockname()[1]}, {self.server}, after {self.answers} "
              f"answers: {why}", file=sys.stderr, flush=True)
        self.close()

    def close(self):
        if flows.pop(self.socket.fileno(), None):
            epoll.unregister(self.socket)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            self.socket.close()


def work():
    """Do everything that is due, and wait a moment for more."""
    global asked, scanned, began
    now = time.monotonic()
    while due and due[0][0] <= now:
        flow = heapq.heappop(due)[2]
        if flow.socket.fileno() in flows:
            try:
                flow.ask()
            except OSError as why:
                flow.breaks(str(why))
    # On a slow machine fewer new connections begin; never many at once, or they would
    # all be late.
    for _ in range(min(int((now - began) * rate), 50)):
        Flow(False)
        asked += 1
        began = max(began + 1 / rate, now - 0.1)
    for number, events in epoll.poll(0.002):
        if number in flows:
            flows[number].ready(events)
    if now - scanned < 0.5:
        return
    # If this client did not get the CPU, it cannot tell whether a server was silent.
    late = time.monotonic() - now + max(now - scanned - 0.6, 0)
    scanned = now
    for flow in [flow for flow in flows.values() if flow.waits]:
        flow.since += late
        if now - flow.since > SILENCE:
            flow.breaks("silent")


def advance():
    before = {flow: flow.answers for flow in flows.values() if flow.keep}
    while any(flow.answers <= count for flow, count in before.items()
              if flow.socket.fileno() in flows):
        work()
    return f"{sum(flow.socket.fileno() in flows for flow in before)} advanced"


def report():
    kept = sum(flow.keep for flow in flows.values())
    causes = ", ".join(f"{count} {why}" for why, count in broken.most_common())
    return f"{kept} held, {asked} asked, {broken.total()} broken" + (causes and f": {causes}")


def open_all(left):
    while left:
        work()
        while left and sum(flow.answers == 0 for flow in flows.values()) < 100:
            Flow(True)
            left -= 1


def more(count):
    before = set(flows.values())
    open_all(count)
    while any(flow.answers == 0 for flow in flows.values() if flow.keep):
        work()
    return f"{sum(flow.keep for flow in set(flows.values()) - before)} opened"


def gap():
    now = time.monotonic()
    while max(starts) < now or any(flow.began < now for flow in flows.values() if not flow.keep):
        work()
    times = sorted(starts)
    longest = max(after - before for before, after in zip(times, times[1:]))
    names = " ".join(f"{name} {count}" for name, count in sorted(served.items()))
    starts[:] = times[-1:]
    served.clear()
    return f"{longest * 1000:.0f} {names}"


def finish():
    """No flow is left that has asked and was not answered."""
    global rate
    rate = 0
    while any(flow.waits and not flow.keep for flow in flows.values()):
        work()


def serve():
    open_all(held)
    commands = select.poll()
    if not sys.stdin.isatty():
        commands.register(sys.stdin, select.POLLIN)
    while True:
        work()
        if not commands.poll(0):
            continue
        word, *count = sys.stdin.readline().split() or ["finish"]
        if word == "finish":
            return finish()
        answer = {"more": more, "gap": gap}.get(word, advance)
        print(answer(*map(int, count)), flush=True)


began = scanned = time.monotonic()
try:
    serve()
except KeyboardInterrupt:
    pass
print(report(), flush=True)
