#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""flood.py syn|ack|both COUNT VIP: from the client's interface, COUNT of them,
each of another flow, from addresses that nobody has; `both`: COUNT SYNs, and
then an ACK of each of their flows. Says how many were sent."""

import os
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
for folder in "prog", "bench":
    sys.path.insert(0, os.path.join(HERE, "..", folder))

# pylint: disable=wrong-import-position
from harness import Measure
from packets import Template
from scenarios import NEW, Scenario


class Client(Measure):
    """`measure`, which sends live frames."""

    def __init__(self):  # pylint: disable=super-init-not-called
        self.start("curlybox01", "-", "eth0")


def main():
    what, count, vip = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    packets = ("syn", "ack") if what == "both" else (what,)
    with Client() as client:
        for packet in packets:
            template = Template(Scenario("", 4, packet, NEW), packet, NEW, vip, [vip])
            client(template.command())  # starts at the first flow
            client(f"send {count}")
    print(count * len(packets))


main()
