# SPDX-License-Identifier: GPL-2.0-only
"""lbr plan: its steps, taken one after the other, lead to the wanted file, and `apply`
refuses none of them."""

import json
import os

from network import configuration, on, service
from placing import TEN
from tap import equal, test

STEPS_LEFT, REFUSED = 4, 1


def forgets(backends, port=8701, **keys):
    return service(backends, port=port, flows="second-chance", **keys)


def planned(world, path, status=STEPS_LEFT):
    """The steps from what runs to the file."""
    return json.loads(world.lbr("plan", "-j", path, status=status))["steps"]


@test("plan: five of ten backends and the table are others: three at a time, none refused")
def pool(world):
    others = [f"172.19.2.{n}" for n in range(5)]
    world.apply(configuration(forgets(TEN)))
    wanted = world.file(configuration(forgets(TEN[5:] + others, table_size=251)))
    world.lbr("apply", wanted, status=REFUSED)
    steps, taken = planned(world, wanted), 0
    equal([step["wait"] for step in steps], ["none", "moved-flows"] * (len(steps) // 2), "waits")
    equal(steps[0]["newcomers"], others[:3], "newcomers come before the rest")
    equal({step["first"] for step in steps if step["wait"] == "none"}, {"backends"}, "first")
    equal({step["first"] for step in steps if step["wait"] != "none"}, {"load-balancers"}, "first")
    staged = os.path.join(world.folder, "staged.yaml")
    while planned(world, wanted, STEPS_LEFT if taken < len(steps) else 0):
        said = world.lbr("plan", "-o", staged, wanted, status=STEPS_LEFT)
        assert f"The file of step 1 is {staged}." in said, said
        world.lbr("check", staged)
        with open(staged, encoding="utf-8") as file:
            equal(file.read(), steps[taken]["file"], f"step {taken + 1}")
        world.lbr("apply", staged)
        taken += 1
    equal(taken, len(steps), "steps")
    equal(world.lbr("plan", wanted), f"{wanted}: it is what runs\n", "at the end")


FULL = """d=$(mktemp -d)
mount -t tmpfs -o size=8k none "$d"
echo old >"$d/next"
head -c 4096 /dev/zero >"$d/zeros"
LoadBalancer/lbr plan -o "$d/next" "$1" 2>&1
ls "$d"
cat "$d/next"
umount "$d"
rmdir "$d"
"""


@test("plan: what was set by hand is no part of it; a file that is none, nothing to write to")
def refused(world):
    file = world.file(configuration(forgets(TEN)))
    world.apply(configuration(forgets(TEN)))
    world.lbr("drain", TEN[0])
    equal(planned(world, file, 0), [], "the file runs, with a backend drained by hand")
    world.lbr("undrain", TEN[0])
    world.lbr("plan", world.file("services: 1\n"), status=REFUSED)
    more = world.file(configuration(forgets(TEN[1:])))
    world.lbr("plan", "-o", "/nowhere/staged", more, status=REFUSED)
    # On a full disk, a file that is there stays as it is.
    said = on("lbdsr0a", "bash", "-c", FULL, "-", more)
    assert "/next: No space left on device\n" in said, said
    assert said.endswith("\nnext\nzeros\nold\n"), said
