# SPDX-License-Identifier: GPL-2.0-only
"""Where packets are seen, and the request that makes them.

A tap is a packet socket. Those at the bridges' ports see what is on the wire:
on an LB's own eth0, generic XDP takes packets before any tap, and what XDP
sends passes none. Those on the hosts with XDP see what XDP has passed up.
tcpdump would show the same frames; the socket also tells which way each went
and whether its checksum is still to be filled in."""

import contextlib
import dataclasses
import selectors
import signal
import socket
import struct
import subprocess
import time

from network import Failure, enter, run_in

ETH_P_ALL = 3
SOL_PACKET, PACKET_STATISTICS, PACKET_AUXDATA = 263, 6, 8
TP_STATUS_CSUMNOTREADY = 8
SO_RCVBUFFORCE, SO_TIMESTAMPNS = 33, 35
PACKET_OUTGOING = 4
SENDS, RECEIVES, STACK = "sends", "receives", "stack"
TIMEOUT = 2  # seconds for the whole request
UDP_PORT = 7777


@dataclasses.dataclass
class Sight:
    """One packet, seen in one place."""
    time: int
    interface: object
    way: str
    frame: bytes
    partial: bool  # the L4 checksum is still to be filled in


class Tap:
    def __init__(self, netns, name, interface, stack):
        enter(netns)
        self.interface, self.stack = interface, stack
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        with contextlib.suppress(PermissionError):
            self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
        self.socket.bind((name, ETH_P_ALL))
        self.socket.setblocking(False)

    def way(self, packet_type):
        # A packet that the host sends comes in at the bridge's port.
        outgoing = packet_type == PACKET_OUTGOING
        if self.stack:
            return None if outgoing else STACK
        return RECEIVES if outgoing else SENDS

    def read(self):
        while True:
            try:
                frame, control, _, address = self.socket.recvmsg(1 << 17, 256)
            except BlockingIOError:
                return
            control = {(level, kind): data for level, kind, data in control}
            seconds, nanoseconds = struct.unpack("qq", control[socket.SOL_SOCKET, SO_TIMESTAMPNS])
            status, = struct.unpack_from("I", control[SOL_PACKET, PACKET_AUXDATA])
            way = self.way(address[2])
            if way:
                yield Sight(seconds * 10**9 + nanoseconds, self.interface, way, frame,
                            bool(status & TP_STATUS_CSUMNOTREADY))

    def lost(self):
        statistics = self.socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)
        return struct.unpack("II", statistics)[1]


class Taps:
    """All taps; `wanted` decides whether a frame is kept."""

    def __init__(self, network, wanted):
        self.wanted, self.sights = wanted, []
        wires = network.netns("wires")
        self.taps = [Tap(wires, f"{i.host.name}-{i.name}", i, False)
                     for i in network.interfaces]
        self.taps += [Tap(i.host.netns, i.name, i, True)
                      for i in network.interfaces if i.host.xdp]
        self.selector = selectors.DefaultSelector()
        for tap in self.taps:
            self.selector.register(tap.socket, selectors.EVENT_READ, tap)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for tap in self.taps:
            tap.socket.close()

    def look(self, seconds):
        """Look at what has been captured, or will be captured until then."""
        for key, _ in self.selector.select(seconds):
            self.sights += [s for s in key.data.read() if self.wanted(s.frame)]

    def lost(self):
        return sum(tap.lost() for tap in self.taps)


def wait_for_timestamps(host):
    """The kernel begins to record times of arrival shortly after the first socket has
    asked for them. Until then a packet has the time at which it was read, which does not
    give their order."""
    enter(host.netns)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        s.bind(("127.0.0.1", 0))
        while True:
            s.sendto(b"", s.getsockname())
            sent = time.time_ns()
            (_, _, data), = s.recvmsg(1, 64)[1]
            seconds, nanoseconds = struct.unpack("qq", data)
            if seconds * 10**9 + nanoseconds <= sent:
                return


@contextlib.contextmanager
def checksums_filled_in(network, hosts):
    """tx checksum offload off where requests and answers are made: else the
    field holds a part of the sum only, for a network card to complete."""
    changed = []
    try:
        for interface in [i for h in hosts for i in h.interfaces]:
            features = run_in(interface.host.netns, "ethtool", "-k", interface.name)
            if "tx-checksumming: on" in features:
                changed.append(interface)
                run_in(interface.host.netns, "ethtool", "-K", interface.name, "tx", "off")
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        for interface in changed:
            run_in(interface.host.netns, "ethtool", "-K", interface.name, "tx", "on")


def curl(taps, host, vip, port):
    """Sends a request over TCP; returns its result in curl's words."""
    url = f"http://[{vip}]/" if ":" in vip else f"http://{vip}/"
    command = ["nsenter", f"--net={host.netns}", "--", "curl", "-sS", "-o", "/dev/null",
               "--max-time", str(TIMEOUT), "--local-port", str(port), url]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                          text=True) as process:
        try:
            while process.poll() is None:
                taps.look(0.05)
            taps.look(0)
            if process.returncode == 45:
                raise Failure("ask", f"port {port} of {host.name} is in use",
                              "another port, or none: topology/topo hops")
            if process.returncode == 127:
                raise Failure("run curl", process.stderr.read().strip(), "make deps")
            return process.stderr.read().strip()
        finally:
            process.kill()


def datagram(taps, host, vip, port):
    """Sends a request over UDP; returns its result."""
    enter(host.netns)
    family = socket.AF_INET6 if ":" in vip else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        try:
            s.bind(("", port))
        except OSError as error:
            raise Failure("ask", f"port {port} of {host.name}: {error.strerror}",
                          "another port, or none: topology/topo hops") from None
        s.connect((vip, UDP_PORT))
        s.send(b"hops")
        end = time.monotonic() + TIMEOUT
        s.setblocking(False)
        while time.monotonic() < end:
            taps.look(0.05)
            try:
                s.recv(100)
                break
            except BlockingIOError:
                continue
            except OSError as error:
                return error.strerror
        else:
            return f"no answer within {TIMEOUT} s"
        taps.look(0)
        return ""


def free_port(host, udp):
    enter(host.netns)
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM) as s:
        s.bind(("", 0))
        return s.getsockname()[1]
