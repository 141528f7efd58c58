# SPDX-License-Identifier: GPL-2.0-only
"""Copies of the tree to put faults into, and the steps that run in them."""

import contextlib
import glob
import os
import shutil
import signal
import subprocess
import threading

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.realpath(os.path.join(HERE, "..", ".."))
# Two for each CPU: tests of loaded programs and scenarios mostly wait.
WORKERS = 2 * (os.cpu_count() or 1)
LIMIT = 600  # seconds that one step may take
# What is unpacked into build/ instead of being built.
UNPACKED = ("nginx", "prometheus", "keepalived")

running, running_lock, stopped = set(), threading.Lock(), threading.Event()


def stop(job):
    """End a step with everything that it started; the traps of its scripts take networks down."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(job.pid, signal.SIGTERM)
    try:
        job.wait(15)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(job.pid, signal.SIGKILL)
        job.wait()
    # A network is named after the process that set it up.
    take_down(f"prog{job.pid}")


def take_down(run):
    subprocess.run([f"{ROOT}/topology/topo", "down"], check=False,
                   env=dict(os.environ, TOPO_RUN=run), capture_output=True)


def take_down_of(folder):
    """Take down networks that a killed test left up: those whose hosts use a copy of the tree."""
    for state in glob.glob("/run/l3dsr-topo-*"):
        run = state.removeprefix("/run/l3dsr-topo-")
        used = subprocess.run(
            [f"{ROOT}/topology/topo", "exec", "lbdsr0a", "readlink", "/etc/l3dsr/services.yaml"],
            check=False, env=dict(os.environ, TOPO_RUN=run), capture_output=True, text=True).stdout
        if used.startswith(f"{folder}/"):
            take_down(run)


def passes(tree, *command, limit=LIMIT, early=True):
    """(whether the step succeeds, its output). `early`: stop at the first test that
    fails (TAP)."""
    with running_lock:
        if stopped.is_set():
            raise KeyboardInterrupt
        job = subprocess.Popen(command, cwd=tree, stdin=subprocess.DEVNULL, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               errors="replace", start_new_session=True)
        running.add(job)
    clock = threading.Timer(limit, stop, [job])
    clock.start()
    good, log = True, []
    try:
        for line in job.stdout:
            log.append(line)
            if line.startswith("not ok "):
                good = False
                if early:
                    stop(job)
                    break
        return job.wait() == 0 and good, "".join(log)
    finally:
        clock.cancel()
        job.stdout.close()
        with running_lock:
            running.discard(job)


def write(tree, file, text):
    with open(os.path.join(tree, file), "w", encoding="utf-8") as opened:
        opened.write(text)


def copy(tree):
    """The tree as git would take it."""
    os.mkdir(tree)
    files = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-coz", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True).stdout.decode().split("\0")
    for file in filter(None, files):
        target = os.path.join(tree, file)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            shutil.copy2(os.path.join(ROOT, file), target, follow_symlinks=False)
    os.mkdir(os.path.join(tree, "build"))
    for each in UNPACKED:
        if os.path.exists(f"{ROOT}/build/{each}"):
            os.symlink(f"{ROOT}/build/{each}", f"{tree}/build/{each}")
    for makefile in "common/build.mk", "tests/unit/Makefile":
        # A fault may leave a variable unused. A test has to notice it, not a
        # warning of the compiler. The tools need not be fast, but soon built: -O0.
        with open(os.path.join(tree, makefile), encoding="utf-8") as opened:
            write(tree, makefile, opened.read().replace("-Werror", "-w")
                  .replace("CFLAGS ?= -O2 -g", "CFLAGS ?= -O0"))


def kept(tree):
    """Where the build of the tree as it is lies."""
    return f"{tree}.built"


def keep(tree):
    """What is built now is what restore() puts back."""
    shutil.copytree(f"{tree}/build", kept(tree), symlinks=True)


def clone(tree, to):
    """Another tree that is built and kept as this one is."""
    for folder, other in (tree, to), (kept(tree), kept(to)):
        shutil.copytree(folder, other, symlinks=True)
        # What make knows of headers names files by their whole path.
        for file, (time, _) in stamps(other).items():
            path = os.path.join(other, file)
            if file.endswith(".d") and not os.path.islink(path):
                with open(path, encoding="utf-8") as opened:
                    text = opened.read()
                with open(path, "w", encoding="utf-8") as opened:
                    opened.write(text.replace(f"{tree}/", f"{to}/"))
                os.utime(path, ns=(time, time))


def stamps(folder):
    """{file below it: what tells whether it was written since}"""
    found = {}
    for parent, _, files in os.walk(folder):
        for file in files:
            path = os.path.join(parent, file)
            stat = os.lstat(path)
            found[os.path.relpath(path, folder)] = stat.st_mtime_ns, stat.st_size
    return found


def restore(tree):
    """Puts back what was built before the fault, with its times, so that make has
    nothing to do."""
    was, now = stamps(kept(tree)), stamps(f"{tree}/build")
    for file in now:
        if now[file] != was.get(file):
            os.unlink(f"{tree}/build/{file}")
    for file in was:
        if now.get(file) != was[file]:
            target = f"{tree}/build/{file}"
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy2(f"{kept(tree)}/{file}", target, follow_symlinks=False)


@contextlib.contextmanager
def replaced(tree, texts):
    """{file: text}; afterwards the tree is as it was, and so is what is built of it."""
    before = {}
    for file in texts:
        path = os.path.join(tree, file)
        stat = os.stat(path)
        with open(path, encoding="utf-8") as opened:
            before[file] = opened.read(), (stat.st_atime_ns, stat.st_mtime_ns)
    for file, text in texts.items():
        write(tree, file, text)
    try:
        yield
    finally:
        for file, (text, times) in before.items():
            write(tree, file, text)
            os.utime(os.path.join(tree, file), ns=times)
        restore(tree)


def interrupt(number, _):
    stopped.set()
    with running_lock:
        jobs = list(running)
    for job in jobs:
        stop(job)
    raise SystemExit(128 + number)


def stop_by_signals():
    for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
        signal.signal(number, interrupt)
