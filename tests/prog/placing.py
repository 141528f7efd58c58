# SPDX-License-Identifier: GPL-2.0-only
"""Which backend flows go to, seen from the frames that leave."""

import collections
import time

import frames as f
from network import TX, service
from oracle import ip

PORTS = range(10000, 20000)
TEN = [f"172.19.1.{n}" for n in range(1, 11)]


class Service:
    """One service in a file of its own; each test uses a port of its own, so that it
    meets nothing that another test left remembered."""

    def __init__(self, world, port, protocol="tcp", scheduler="maglev"):
        self.world, self.port = world, port
        self.protocol, self.scheduler = protocol, scheduler
        self.flows = f.Flows(port, b"x" if protocol == "udp" else None)

    def text(self, backends):
        return service(backends, port=self.port, protocol=self.protocol,
                       scheduler=self.scheduler)

    def from_clients(self, clients, sport=40000, flags=f.SYN):
        """{client's address: the backend's address}"""
        frames = []
        for client in clients:
            frame = bytearray(self.flows.frame(sport, flags))
            frame[26:30] = ip(client)
            frames.append(bytes(frame))
        return {client: ".".join(map(str, frame[30:34]))
                for client, (_, frame) in zip(clients, self.world.lbr.run(frames))}

    def send(self, sports, flags=0, seq=7):
        """{source port: the backend's address}; `seq`: as for Flows.frame()"""
        answers = self.world.lbr.run(
            [self.flows.frame(sport, flags, seq) for sport in sports])
        placed = {}
        for sport, (action, frame) in zip(sports, answers):
            assert action == TX, f"source port {sport}: action {action}"
            placed[sport] = ".".join(map(str, frame[30:34]))
        return placed


    def hold(self, sports, flags=f.ACK):
        """The same with two packets for each flow, because it is remembered at the
        second. In portions, because there is little room for the notes of first
        packets."""
        placed, sports = {}, list(sports)
        for at in range(0, len(sports), 500):
            self.send(sports[at : at + 500], flags)
            placed.update(self.send(sports[at : at + 500], flags))
        return placed


def share(placed):
    counts = collections.Counter(placed.values())
    return {address: count / len(placed) for address, count in counts.items()}


def moved(before, after):
    return [sport for sport in after if before[sport] != after[sport]]


def stayed(before, after, what):
    gone = moved(before, after)
    assert not gone, (f"{what}: {len(gone)} of {len(after)} flows moved, e.g. source port "
                      f"{gone[0]}: {before[gone[0]]} -> {after[gone[0]]}")


def wait_for(condition, what, seconds=10):
    """`seconds` is what a quiet machine needs at most; a busy one gets three times as long."""
    end = time.monotonic() + 3 * seconds
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.05)
