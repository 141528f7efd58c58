#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""main.py FOLDER [PATTERN]: run the tests whose name matches PATTERN (a regular expression) on
the hosts that tests/prog/run has set up. Files go to FOLDER."""

import sys

import network
import tap

for module in ("table", "left", "laws", "restore", "trace", "counts", "mutated", "select",
               "schedulers", "workers", "generations", "removing", "override", "next_hop", "vlan",
               "vlan_backend", "errors", "fragments", "icmp_errors", "pass", "devices",
               "methods", "solicit", "path_mtu", "undone", "sources", "trust", "explain",
               "watch", "checks", "big", "files", "second_chance", "passed_on", "moved", "sockets",
               "forget", "plan", "unmark", "nat", "listeners"):
    __import__(f"test_{module}")


def main():
    pattern = sys.argv[2] if len(sys.argv) > 2 else ""
    if not tap.chosen(pattern):
        sys.exit(f"run: cannot run '{pattern}': no such test")
    network.prepare()
    world = network.World(sys.argv[1])
    try:
        failed = tap.run(pattern, world)
    finally:
        world.close()
    sys.exit(bool(failed))


main()
