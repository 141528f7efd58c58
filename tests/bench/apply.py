#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""apply.py FOLDER ROUNDS: what a change of the configuration, a health verdict and `lbr run`
at rest cost, on the hosts that tests/bench/run has set up. Files go to FOLDER."""

import json
import os
import platform
import re
import statistics
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "prog"))

# pylint: disable=wrong-import-position
import network
from network import BACKEND_MAC, ROOT, TOPO, configuration, on
from table import cpu

LB, BKD = "lbdsr0a", sorted(BACKEND_MAC)[0]
OWN = "172.19.0.3"
TIMED = f"{HERE}/timed.py"
SETTINGS = {"lb_sources": "['172.17.0.0/16']"}
# Limits and goals: ms; MiB of the tool, of the maps.
APPLY = {1: ((30, None, None), (10, None, None)), 512: ((90, None, None), (50, None, None)),
         4096: ((300, 200, 900), (120, 100, 600))}
POOL, VERDICT = (200, 100), (20, 10)
REST, REST_SECONDS = (8192, 0), 11


def address(number):
    return f"10.{number // 60000}.{number // 240 % 250}.{number % 240 + 1}"


def rows(services, backends, changed, shared=None, check=""):
    """`changed`: of the first backend. `shared`: all services have one pool, and these keys;
    the host of the tool bkd is in it."""
    text = []
    for n in range(services):
        first = 0 if shared else n * backends
        pool = [f"{{address: {OWN if shared and i == 1 else address(first + i)}"
                + (changed if not i and (not n or shared) else "") + "}"
                for i in range(backends)]
        keys = (shared or "") + (check if not n else "")
        text.append(f"  - {{vip: 192.168.{100 + n // 250}.{n % 250 + 1}, port: 80, "
                    f"protocol: tcp{keys}, backends: [{', '.join(pool)}]}}\n")
    return configuration(*text, **SETTINGS)


def maps_mib(role):
    """The kernel's memory of all maps of the program, inner ones too."""
    script = f"""cd {role.pins}
        for map in *; do
            case $map in clock|refused|link-*) continue ;; esac
            bpftool -j map show pinned $map; echo
        done
        for map in tables file lists; do
            [ ! -e $map ] || bpftool -j map dump pinned $map
            echo
        done"""
    total, ids = 0, set()
    for line in on(role.host, "bash", "-c", script).splitlines():
        document = json.loads(line or "[]")
        if isinstance(document, dict):
            total += document["bytes_memlock"]
            continue
        for row in document:
            if isinstance(row.get("value"), list):
                ids.add(int.from_bytes(bytes(int(byte, 16) for byte in row["value"]), "little"))
    for number in ids:
        total += json.loads(on(role.host, "bpftool", "-j", "map", "show", "id",
                               str(number)))["bytes_memlock"]
    return total / 2**20


def apply(role, name, files, rounds):
    """A row: the role is up with the first file, and gets the second and the first in turn."""
    up = ["up", "-i", "eth0", "-m", "generic", "-c", files[0]]
    role(*up, *["--now"] * (role.name == "lbr"))
    took = json.loads(on(role.host, TIMED, str(rounds), f"{ROOT}/{role.tool}",
                         files[1], files[0]))
    row = {"name": name, "ms": statistics.median(each["ms"] for each in took),
           "ms_min": min(each["ms"] for each in took),
           "cpu_ms": statistics.median(each["cpu_ms"] for each in took),
           "tool_mib": max(each["kib"] for each in took) / 1024, "maps_mib": maps_mib(role)}
    return row


def one_weight(world, rounds):
    for services, bounds in APPLY.items():
        files = [world.file(rows(services, 2 if services > 512 else 8, f", weight: {n}"))
                 for n in (1, 2)]
        row = apply(world.lbr, f"apply: one weight, services: {services}", files, rounds)
        yield {**row, "limit": bounds[0], "goal": bounds[1]}
        world.lbr("down")


def one_pool(world, rounds):
    for flows in "remember", "second-chance":
        files = [world.file(rows(512, 8, change, f", forward: ipip, flows: {flows}"))
                 for change in ("", ", state: filling")]
        for role in world.lbr, world.bkd[BKD]:
            row = apply(role, f"one pool, a backend fills: {role.name}, {flows}", files, rounds)
            yield {**row, "limit": (POOL[0],), "goal": (POOL[1],)}
            role("down")


def held(text):
    """The longest time between two waits, in ms: what strace says of epoll_wait()."""
    longest, before = 0, {}
    for line in text.splitlines():
        found = re.match(r"(\d+) +([\d.]+) epoll_p?wait.*<([\d.]+)>$", line)
        if not found:
            continue
        process, began, took = found[1], float(found[2]), float(found[3])
        longest = max(longest, began - before.get(process, began))
        before[process] = began + took
    return 1000 * longest


def running(script):
    """What a shell prints; in it, $run begins `lbr run`, and `end` ends it."""
    return on(LB, "bash", "-c", f"""tool={ROOT}/LoadBalancer/lbr
        end() {{ kill $(pgrep -P $! lbr || echo $!); wait; }}
        {script}""")


def verdict(world):
    """Nobody answers for the first service's backends: `run` takes them out."""
    check = ", check: {type: tcp, interval: 1s, timeout: 500ms, fall: 3}"
    world.lbr("up", "--now", "-i", "eth0", "-m", "generic", "-c",
              world.file(rows(512, 8, "", check=check)))
    trace = os.path.join(world.folder, "strace")
    running(f"""strace -f --seccomp-bpf -ttt -T -e epoll_wait,epoll_pwait -o {trace} \\
            $tool run >{trace}.out 2>&1 &
        for ((i = 0; i < 200; i++)); do
            grep -q 'is down' {trace}.out && break
            sleep 0.1
        done
        begun=$(wc -l <{trace})
        sleep 1; end; sed -n "$((begun > 40 ? begun - 40 : 1)),\\$p" {trace} >{trace}.last""")
    with open(f"{trace}.last", encoding="utf-8") as file:
        ms = held(file.read())
    world.lbr("down")
    return {"name": "verdict: holds the loop of `lbr run`, services: 512", "ms": ms,
            "limit": (VERDICT[0],), "goal": (VERDICT[1],)}


def rest(world):
    """Requests for routes while nothing happens."""
    world.lbr("up", "--now", "-i", "eth0", "-m", "generic", "-c",
              world.file(rows(4096, 2, "")))
    trace = os.path.join(world.folder, "rest")
    running(f"""$tool run >/dev/null 2>&1 &
        sleep 8; timeout {REST_SECONDS} strace -f -e sendto -o {trace} -p $!; end""")
    with open(trace, encoding="utf-8") as file:
        asked = len(re.findall("nlmsg_type=RTM_GETROUTE", file.read()))
    world.lbr("down")
    return {"name": "at rest: look-ups of routes in 5 s, backends: 8192",
            "count": asked * 5 // REST_SECONDS, "limit": (REST[0],), "goal": (REST[1],)}


def missed(row, bound):
    values = ("count",) if "count" in row else ("ms", "tool_mib", "maps_mib")
    return any(most is not None and row[value] > most
               for value, most in zip(values, row[bound]))


def line(row):
    cells = [f"{row[cell]:9.0f}" if cell in row else " " * 9
             for cell in ("ms", "ms_min", "cpu_ms", "tool_mib", "maps_mib", "count")]
    said = "limit missed" if missed(row, "limit") else "goal missed" if missed(row, "goal") else ""
    print(f"{row['name']:52}{''.join(cells)}  {said}".rstrip(), flush=True)


def main():
    folder, rounds = sys.argv[1], int(sys.argv[2])
    network.prepare()
    world = network.World(folder)
    as_json = os.environ.get("BENCH_FORMAT") == "json"
    document = {"kernel": platform.release(), "cpu": cpu(), "rounds": rounds, "rows": []}
    if not as_json:
        print(" " * 52 + "".join(f"{head:>9}" for head in
                                 ("ms", "least", "CPU ms", "tool MiB", "maps MiB", "number")))

    def add(row):
        document["rows"].append(row)
        if not as_json:
            line(row)

    for row in one_weight(world, rounds):
        add(row)
    for row in one_pool(world, rounds):
        add(row)
    add(verdict(world))
    add(rest(world))
    document["load"] = os.getloadavg()[0]
    if as_json:
        print(json.dumps(document, indent=1))
    else:
        print(f"\nLinux {document['kernel']}, {document['cpu']}, load {document['load']:.1f}; "
              f"{rounds} rounds; ms: median\n"
              f"begun {time.strftime('%F')}; limits and goals are of ms, tool, maps; of number")


main()
