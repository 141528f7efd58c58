#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""topo hops: what is in a packet at each hop, taken from a capture."""

import argparse
import fcntl
import os
import signal
import sys

import capture
from network import Failure, Network
try:
    from packet import ports
    from path import Story
    from svg import draw
    from text import picture
except ModuleNotFoundError as error:
    sys.exit(f"topo: cannot draw hops: {error}\n  try: make deps")


def complain(status, what, cause, hint):
    print(f"topo: cannot {what}: {cause}\n  try: {hint}", file=sys.stderr)
    sys.exit(status)


class Parser(argparse.ArgumentParser):
    def error(self, message):
        complain(2, "draw hops", message, "topology/topo hops --help")


def arguments():
    p = Parser(prog="topo hops", description="A request of the client and its answer: the "
               "headers of the packet at each hop, and what each hop changed. "
               "Exit status 3: there was no answer.")
    p.add_argument("-6", dest="version", action="store_const", const=6, default=4,
                   help="over IPv6")
    p.add_argument("-u", "--udp", action="store_true",
                   help=f"a datagram to port {capture.UDP_PORT} instead of a curl")
    p.add_argument("-d", "--data", action="store_true",
                   help="the first packet with data each way, not the SYN and its answer")
    p.add_argument("-f", "--from", dest="client", metavar="HOST", default="curlybox01",
                   help="the client (%(default)s)")
    p.add_argument("-p", "--port", type=int, metavar="PORT",
                   help="its port, to see the same flow again (any that is free)")
    p.add_argument("-o", "--offload", action="store_true",
                   help="leave tx checksum offload as it is; else it is turned off on client "
                        "and backends meanwhile, so that checksums stand in the packets")
    p.add_argument("--svg", metavar="FILE", help="the same picture as SVG")
    p.add_argument("scenario", metavar="SCENARIO", nargs="?", help="has to be the one that is up")
    a = p.parse_args()
    if a.port is not None and not 0 < a.port < 65536:
        p.error(f"port {a.port}: 1 to 65535 are allowed")
    return a


def observe(network, client, args):
    vip = network.vip(args.version)
    port = args.port or capture.free_port(client, args.udp)
    service_port = capture.UDP_PORT if args.udp else 80
    pairs = (port, service_port), (service_port, port)
    answering = [client] + [h for h in network.hosts.values() if h.vips]
    with capture.Taps(network, lambda frame: ports(frame) in pairs) as taps:
        capture.wait_for_timestamps(client)
        ask = capture.datagram if args.udp else capture.curl
        if args.offload:
            said = ask(taps, client, vip, port)
        else:
            with capture.checksums_filled_in(network, answering):
                said = ask(taps, client, vip, port)
        lost = taps.lost()
    return Story(network, taps.sights, client, vip, port, service_port, args), said, lost


def main():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda n, _: sys.exit(128 + n))
    args = arguments()
    state, scenario = os.environ["TOPO_STATE"], os.environ["TOPO_SCENARIO"]
    if os.geteuid():
        complain(1, "draw hops", "only root can see packets", "sudo topology/topo hops")
    if not scenario:
        complain(1, "draw hops", "no scenario is up",
                 f"topology/topo up {args.scenario or ''}".rstrip())
    if args.scenario not in (None, scenario):
        complain(1, f"draw hops of {args.scenario}", f"{scenario} is up",
                 f"topology/topo down, then topology/topo up {args.scenario}")
    try:
        # Until then the network must not be changed or taken down.
        lock = os.open(state, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(f"{state}/complete"):
            raise FileNotFoundError
    except FileNotFoundError:
        complain(1, "draw hops", f"{scenario} has been taken down", f"topology/topo up {scenario}")
    try:
        network = Network(state, os.environ["TOPO_HOSTS"])
        if args.client not in network.hosts:
            raise Failure(f"ask from {args.client}", f"{scenario} has no such host",
                          "topology/topo show")
        story, said, lost = observe(network, network.hosts[args.client], args)
    except Failure as failure:
        complain(1, *failure.args)
    sys.stdout.write(picture(story, sys.stdout.isatty()))
    if said:
        print(f"the client says: {said}")
    if lost:
        print(f"{lost} packets were not seen: the machine was too busy")
    if args.svg:
        try:
            draw(story, args.svg, scenario)
        except OSError as error:
            complain(1, f"write {args.svg}", error.strerror, "another FILE")
    sys.exit(0 if story.answered() else 3)


main()
