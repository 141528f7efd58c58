#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""faults_transfers.py VIP COUNT FILE: COUNT curls at once, half of them download
/files/blob, which is FILE, half upload it as /upload/0, /upload/1, ...

They go slowly, and do not end, until told to. Words on stdin, each answered
with a line on stdout:

    advance    wait until each has moved a bit more, as its socket sees it
    finish     at full speed to the end; says how many were broken
"""

import hashlib
import re
import subprocess
import sys
import threading
import time

BIT = 4096
TURN = 0.25  # seconds; so a file of 6 MB takes five minutes, however fast the machine is
KEEP = 0.75  # bytes of the file that are left before `finish`

vip, count, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
with open(path, "rb") as file:
    blob = file.read()
digest = hashlib.sha256(blob).digest()
go = threading.Event()
broken = []


def paced(step):
    """Move data bit by bit until `go`, or until most of it is through; then without pauses."""
    moved = 0
    while not go.is_set() and moved < len(blob) * KEEP:
        moved += step(moved)
        go.wait(TURN)
    go.wait()


def curl(*arguments):
    return subprocess.Popen(
        ["curl", "-sS", "--fail", "--max-time", "900", *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def check(name, process, good=True):
    said = process.stderr.read().decode().strip()
    if process.wait() or not good:
        broken.append(f"{name}: {said or 'another content'}")


def download(name):
    process = curl(f"http://{vip}/files/blob")
    seen = hashlib.sha256()

    def step(_):
        data = process.stdout.read(BIT)
        seen.update(data)
        return len(data)

    paced(step)
    seen.update(process.stdout.read())
    check(name, process, seen.digest() == digest)


def upload(name, number):
    process = curl("-T", "-", f"http://{vip}/upload/{number}")
    sent = 0

    def step(at):
        nonlocal sent
        sent = process.stdin.write(blob[at:at + BIT]) + at
        process.stdin.flush()
        return BIT

    try:
        paced(step)
        process.stdin.write(blob[sent:])
        process.stdin.close()
    except OSError:
        pass
    check(name, process)


def moved():
    """{local port: bytes so far, both ways}"""
    said = subprocess.run(
        ["ss", "-HtniO", "state", "established", "dst", vip, "and", "dport", "=", "80"],
        capture_output=True, text=True, check=True).stdout
    ports = {}
    for line in said.splitlines():
        port = re.search(r":(\d+)\s", line).group(1)
        ports[port] = sum(int(n) for n in re.findall(r"bytes_(?:acked|received):(\d+)", line))
    return ports


def advance():
    deadline = time.monotonic() + 100
    before = moved()
    while time.monotonic() < deadline:
        now = moved()
        # A new connection has moved nothing before.
        done = [port for port in now if now[port] > before.get(port, 0) + 2 * BIT]
        if len(now) == count and len(done) == count:
            return "all advanced"
        if broken:
            break
        time.sleep(TURN)
    return f"{len(now)} there, {len(done)} advanced, {len(broken)} broken {broken[:3]}"


def finish():
    go.set()
    for thread in threads:
        thread.join()
    return f"{len(broken)} broken {' '.join(broken[:3])}".strip()


threads = [threading.Thread(target=download, args=(f"download {i}",)) for i in range(count // 2)]
threads += [threading.Thread(target=upload, args=(f"upload {i}", i)) for i in range(count - count // 2)]
for thread in threads:
    thread.start()
for word in sys.stdin:
    print({"advance": advance, "finish": finish}[word.strip()](), flush=True)
go.set()
