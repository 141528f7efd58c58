#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""timed.py ROUNDS TOOL FILE OTHER: on a host, apply the two files in turn. Prints as JSON, of
each `apply` after the first two: ms that went by, ms of CPU time, and most memory, KiB."""

import json
import os
import subprocess
import sys
import time


def apply(tool, file):
    begin = time.monotonic()
    # Not by subprocess.run(): only wait4() tells what this one process used.
    with subprocess.Popen([tool, "apply", file], stdout=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"timed.py: apply {file}: exit status {process.returncode}")
    return {"ms": 1000 * (time.monotonic() - begin),
            "cpu_ms": 1000 * (used.ru_utime + used.ru_stime), "kib": used.ru_maxrss}


def main():
    rounds, tool, files = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    print(json.dumps([apply(tool, files[n % 2]) for n in range(2 * rounds + 2)][2:]))


main()
