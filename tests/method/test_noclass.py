# SPDX-License-Identifier: GPL-2.0-only
"""A fifth forwarding method, at both ends. tests/method/run puts this file into
a scratch tree's tests/prog/."""

from network import PASS, TX
from tap import equal, test
from test_methods import redirected, samples, setting
from test_restore import fresh
from test_undone import arrives, as_sent


@test("noclass: xdp_lbr clears the client's class, xdp_bkd restores everything else")
def noclass(world):
    for checksum, update in ("keep", False), ("update", True):
        text = setting(forward="noclass", checksum=checksum)
        world.apply(text)
        role = fresh(world, text)
        for name, packet in samples().items():
            [(action, left)] = world.lbr.run([bytes(packet)])
            wanted = redirected(packet, 0, update)
            equal((action, left.hex()), (TX, wanted.hex()), f"{name}, {checksum}")
            [(action, got)] = role.run([arrives(left)])
            wanted = as_sent(packet, mark_off=True)
            equal((action, got.hex()), (PASS, wanted.hex()), f"{name}, {checksum}: restored")
