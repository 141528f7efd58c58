# SPDX-License-Identifier: GPL-2.0-only
"""
How long requests take that share 15 worker threads of three servers, by scheduler.

The servers' threads really sleep (topology/workers/server.c), the requests come whether or
not earlier ones are answered (topology/workers/load.c), and are the same ones for each
scheduler. A server has five threads, which take from one socket; with any other scheduler
than workers, that socket's buffer is the queue. See README.md.

BENCH_PLOT: a file for the picture (SVG). BENCH_FORMAT=json: one JSON document.
"""
import concurrent.futures
import json
import math
import os
import signal
import subprocess
import sys

SCHEDULERS = ("workers", "round-robin", "random", "maglev")
TIMES = ("exponential", "bimodal")
LOADS = (70, 80, 90)
PERCENTILES = (50, 99, 99.9)
MEAN = 0.1  # seconds that a request takes: long beside what a busy machine adds
SERVERS, THREADS = ("server1", "server2", "server3"), 5
# Whoever sleeps is woken in time, whatever else this machine does.
AT_ONCE = ("chrt", "-f", "20")
FIRST = 500  # requests until the queues are as they will be
COLOURS = {"workers": "#1a8f4a", "round-robin": "#3465a4", "random": "#c8321f", "maglev": "#b07800"}

FILE = """\
udp-idle: 1s
services:
  - vip: 192.168.25.10
    port: 8080
    protocol: udp
    scheduler: {}
    {}
    backends: [{{address: 172.18.0.11}}, {{address: 172.18.0.12}}, {{address: 172.18.0.13}}]
"""
OF_WORKERS = """threads: 5
    release: 8081
    release-key: five threads
    queue: 65536"""


class Network:
    """Hosts of their own, for one kind of requests and one load: beside the others."""

    def __init__(self, name, folder):
        self.environment = {**os.environ, "TOPO_RUN": os.environ["TOPO_RUN"] + name}
        self.files = {each: f"{folder}/{each}.yaml" for each in SCHEDULERS}

    def run(self, *command):
        done = subprocess.run(["topology/topo", *command], text=True, env=self.environment,
                              capture_output=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}\n"
                               f"{done.stdout}{done.stderr}")
        return done.stdout

    def on(self, host, *command):
        return self.run("exec", host, *command)

    def begin(self):
        first = ("-i", "eth0", "-m", "generic", "-c", self.files["workers"])
        self.run("up", "workers")
        self.on("lb", "LoadBalancer/lbr", "up", *first)
        for server in SERVERS:
            self.on(server, "Backend/bkd", "up", *first)
            self.on(server, *AT_ONCE, "topology/workers/serve.sh", "start", server)

    def measure(self, scheduler, times, load, count):
        """Milliseconds that each of `count` requests took, sorted."""
        rate = load / 100 * len(SERVERS) * THREADS / MEAN
        self.on("lb", "LoadBalancer/lbr", "apply", "--now", self.files[scheduler])
        said = self.on("client", *AT_ONCE, "build/topology/workers/load", f"{rate:.3f}",
                       str(FIRST + count), times, f"{MEAN * 1000:g}", str(load))
        return sorted(int(line) / 1000 for line in said.split()[FIRST:])

    def rows(self, times, load, count):
        """One for each scheduler."""
        self.begin()
        for scheduler in SCHEDULERS:
            took = self.measure(scheduler, times, load, count)
            yield {"times": times, "load": load, "scheduler": scheduler, "requests": len(took),
                   **{f"p{each:g}": round(percentile(took, each), 1) for each in PERCENTILES}}

    def all_rows(self, *what):
        try:
            return list(self.rows(*what))
        finally:
            self.run("down")


def percentile(values, percent):
    """`values` are sorted: the smallest one that `percent` of all do not exceed."""
    return values[math.ceil(len(values) * percent / 100) - 1]


def rows_of(folder, count):
    for scheduler in SCHEDULERS:
        with open(f"{folder}/{scheduler}.yaml", "w", encoding="ascii") as out:
            out.write(FILE.format(scheduler, OF_WORKERS if scheduler == "workers"
                                  else "flows: remember"))
    kinds = [(times, load) for times in TIMES for load in LOADS]
    with concurrent.futures.ThreadPoolExecutor(len(kinds)) as pool:
        under_way = [pool.submit(Network(f"{times[0]}{load}", folder).all_rows, times, load, count)
                     for times, load in kinds]
        return [row for each in under_way for row in each.result()]


def line(points, colour):
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>{dots}'


def panel(rows, times, percent, left, top):
    """One diagram, of 200 x 150."""
    key = f"p{percent:g}"
    mine = [row for row in rows if row["times"] == times]
    most = max(row[key] for row in mine) * 1.1
    step = next(each for each in (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10 ** 9)
                if most / each <= 5)
    out = [f'<text x="{left}" y="{top - 8}" font-weight="bold">{times}, {key}, ms</text>']
    for value in range(0, int(most) + 1, step):
        y = top + 150 - 150 * value / most
        out.append(f'<line x1="{left}" y1="{y:.1f}" x2="{left + 200}" y2="{y:.1f}" stroke="#ccc"/>'
                   f'<text x="{left - 5}" y="{y + 4:.1f}" text-anchor="end">{value}</text>')
    for number, load in enumerate(LOADS):
        out.append(f'<text x="{left + 30 + 70 * number}" y="{top + 166}" text-anchor="middle">'
                   f"{load} %</text>")
    for scheduler in SCHEDULERS:
        out.append(line([(left + 30 + 70 * LOADS.index(row["load"]),
                          top + 150 - 150 * row[key] / most)
                         for row in mine if row["scheduler"] == scheduler], COLOURS[scheduler]))
    return out


def plot(rows, path):
    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="800" height="490" '
           'font-family="sans-serif" font-size="12">',
           '<rect width="800" height="490" fill="white"/>']
    for down, times in enumerate(TIMES):
        for across, percent in enumerate(PERCENTILES):
            out += panel(rows, times, percent, 50 + 255 * across, 40 + 215 * down)
    for number, scheduler in enumerate(SCHEDULERS):
        x = 50 + 130 * number
        out.append(line([(x, 465), (x + 24, 465)], COLOURS[scheduler])
                   + f'<text x="{x + 34}" y="469">{scheduler}</text>')
    with open(path, "w", encoding="ascii") as file:
        file.write("\n".join(out) + "\n</svg>\n")


def main(folder, count):
    # So that each network is taken down.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    rows = rows_of(folder, count)
    if os.environ.get("BENCH_PLOT"):
        plot(rows, os.environ["BENCH_PLOT"])
    if os.environ.get("BENCH_FORMAT") == "json":
        print(json.dumps(rows, indent=1))
        return
    print(f"{'service times':14} {'load':>5} {'scheduler':12} {'requests':>8} "
          f"{'p50':>8} {'p99':>8} {'p99.9':>8}   ms")
    for row in rows:
        print(f"{row['times']:14} {row['load']:>4}% {row['scheduler']:12} "
              f"{row['requests']:>8} {row['p50']:8.1f} {row['p99']:8.1f} {row['p99.9']:8.1f}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[3]))
