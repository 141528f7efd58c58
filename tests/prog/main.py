#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""main.py FOLDER [PATTERN]: run the tests whose name matches PATTERN (a regular expression) on
the hosts that tests/prog/run has set up. Files go to FOLDER."""

import os
import sys

import network
import tap

MODULES = ("table", "left", "laws", "restore", "trace", "counts", "mutated", "select",
           "schedulers", "workers", "generations", "removing", "override", "next_hop", "vlan",
           "vlan_backend", "errors", "fragments", "icmp_errors", "pass", "devices", "methods",
           "solicit", "path_mtu", "undone", "sources", "trust", "explain", "nat", "nat_flows",
           "watch", "checks",
           "big", "files", "second_chance", "passed_on", "moved", "sockets", "forget", "plan",
           "unmark", "listeners", "own_address")
for module in MODULES:
    __import__(f"test_{module}")
# Every second module: neighbours test the same subject, so they take about as long.
HALF = int(os.environ.get("HALF", "0"))
if HALF:
    own = {f"test_{module}" for module in MODULES[HALF - 1 :: 2]}
    tap.TESTS[:] = [row for row in tap.TESTS if row[1].__module__ in own]


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
