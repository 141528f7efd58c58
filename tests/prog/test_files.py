# SPDX-License-Identifier: GPL-2.0-only
"""A file that is refused changes nothing: the pinned maps are compared."""

import random

import frames as f
from network import configuration, on, service
from placing import PORTS, TEN, Service
from tap import equal, test

GOOD = service(["172.19.0.3", "172.19.0.4"])
REFUSED = {
    "unknown key": configuration(GOOD, colour="red"),
    "bad address": configuration(service(["172.19.0.333"])),
    "duplicate service": configuration(GOOD, GOOD),
    "port 70000": configuration(service(TEN, port=70000)),
    "services that a backend cannot tell apart": configuration(
        service(TEN), service(TEN, vip="192.168.25.11")),
    "any beside a port, same backends": configuration(
        service(TEN), service(TEN, vip="192.168.25.11", port="any")),
    "noise": "".join(map(chr, random.Random(5).choices(range(32, 127), k=20000))),
    "empty": "",
    "two documents": configuration(GOOD) + "---\n" + configuration(GOOD),
}
COUNTERS = ("reasons", "service_reasons", "backend_counts", "inserted", "watched",
            "watch_lost")
LARGE = ("services", "backends", "first_chunk", "changes")  # seconds, to dump them


def dump(world, whole=False):
    """Every pinned map except the counters; outer maps hold the ids of inner ones. With
    `whole`, also the large maps and the contents of inner ones."""
    script = f"""
        set -e
        cd {world.lbr.pins}
        for map in *; do
            case $map in clock|link-*|refused|{"|".join(COUNTERS + LARGE)}) continue ;; esac
            echo "$map"
            bpftool map dump pinned $map
        done
        [[ "{whole or ''}" ]] || exit 0
        for map in {" ".join(LARGE)}; do
            bpftool -j map dump pinned $map | sha256sum
        done
        bpftool -j map dump pinned tables |
            jq -r '.[].value | arrays | reverse | map(.[2:]) | add' |
            while read -r id; do
                bpftool map dump id $((16#$id))
            done"""
    text = on("lbdsr0a", "bash", "-c", script)
    assert "generations" in text and "flows" in text
    return text


def fresh(world, text):
    """Brought up again with this file, so that there is little to dump."""
    if world.lbr.program:
        world.lbr.close()
        world.lbr("down")
    world.apply(text)


@test("files: refused by check, apply and up; what runs is unchanged")
def refused(world):
    tcp = Service(world, 3001)
    fresh(world, configuration(tcp.text(TEN), flow_table_size=100))
    tcp.hold(PORTS[:50])
    before, all_before = dump(world), dump(world, whole=True)
    more = all_before[len(before):].split()
    assert all_before.startswith(before) and len(more) >= 2 * len(LARGE), more[:9]
    for name, text in REFUSED.items():
        path = world.file(text)
        for arguments, status in (["check", path], 3), (["apply", path], 1), \
                (["up", "-i", "eth0", "-m", "generic", "-c", path], 1):
            world.lbr(*arguments, status=status)
            assert dump(world) == before, f"{name}: {arguments[0]} changed what runs"
    world.lbr("apply", "/nowhere.yaml", status=1)
    assert dump(world, whole=True) == all_before, "a large map changed"


@test("files: apply --dry-run changes nothing that packets meet")
def dry_run(world):
    tcp = Service(world, 3002)
    fresh(world, configuration(tcp.text(TEN)))
    before = tcp.send(PORTS[:2000], f.SYN)
    path = world.file(configuration(tcp.text(TEN[5:])))
    world.lbr("apply", "--dry-run", path)
    equal(tcp.send(PORTS[:2000], f.SYN), before, "placed")
