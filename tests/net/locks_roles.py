# SPDX-License-Identifier: GPL-2.0-only
"""For locks_stop.py: the verbs of each tool, and something that `run` needs the
lock for: to lbr a backend dies, to bkd a VIP is lost."""

import glob
import itertools
import json
import re
import socket
import subprocess
import time
import urllib.request

now = time.monotonic

VIP, X, Y6 = "192.168.25.10", "172.19.0.3", "2001:db8:19::4"
PINS = "/sys/fs/bpf/l3dsr/"
NOT_UP = r" is not up here any more|^/.* is free, after "
NOT_FILE = r" is not what runs: until it is applied, "


class Failure(Exception):
    pass


def call(*argv):
    ended = subprocess.run(argv, check=False, stdin=subprocess.DEVNULL, text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if ended.returncode:
        raise Failure(f"{' '.join(argv)}: {ended.stdout}")


def until(condition, what, limit=60):
    end = now() + limit
    while not condition():
        if now() > end:
            raise Failure(f"waited in vain until {what}")
        time.sleep(0.01)
    return now()


class Role:
    def __init__(self, file, other):
        self.file, self.other = file, other
        [self.pins] = glob.glob(PINS + self.name + "-v*")

    def common(self):
        file, other = self.file, self.other
        yield f"apply {other}", {"locks": True, "changes": True}
        yield f"apply {file}", {"locks": True}
        yield f"up -m generic -c {file}", {"locks": True}
        yield "down", {"locks": True, "changes": True}
        yield "trace off", {"locks": True}
        yield f"apply -n {other}", {"locks": True}
        yield "trace", {}
        yield f"check {file}", {}
        for options in ("", " -j", " -a"):
            yield "show" + options, {}
        yield "show -w", {"ends_after": 0.3, "good": (0, -15)}
        for subject in self.subjects:
            yield "show " + subject, {}
        yield f"doctor -c {file}", {"good": (0, 3)}
        yield f"doctor -j -c {file}", {"good": (0, 3)}

    def settle(self, verb=None):
        """Make FILE run again, after this verb or any other."""
        if verb and verb.text == "down":
            call(self.tool, "up", "-m", "generic", "-c", self.file)
            self.begin()
        elif not verb or verb.changes:
            call(self.tool, "apply", self.file)


class Lbr(Role):
    name, tool = "lbr", "LoadBalancer/lbr"
    subjects = ("interfaces", "services", "backends", "flows", "next-hops",
                "path-mtus", "reasons")
    interval, timeout, fall = 0.2, 0.1, 2  # as in FILE
    promised = interval * fall + timeout

    def __init__(self, file, other, backend):
        super().__init__(file, other)
        self.backend = ("nsenter", f"--net=/proc/{backend}/ns/net", "ip", "address")
        self.is_dead = False

    def verbs(self):
        yield from self.common()
        yield f"weight {Y6} 3", {"locks": True, "changes": True}
        yield f"drain {Y6}", {"locks": True, "changes": True}
        yield f"undrain {Y6}", {"locks": True}
        yield "forget path-mtus", {"locks": True}
        yield f"plan {self.other}", {"good": (0, 4)}
        yield "watch", {"locks": True, "ends_after": 0.2, "good": (0, -15)}
        yield "save", {}
        yield f"explain 10.1.1.1:1000 {VIP}:80", {}
        yield f"explain -j -s 10.1.1.1:1000 {VIP}:80", {}

    def all_good(self):
        try:
            with urllib.request.urlopen("http://127.0.0.1:8404/status", timeout=10) as page:
                checks = json.load(page)["checks"]
        except OSError:  # pages take long to build: a slow one delays the next
            return False
        return checks and all(row["path"] == row["application"] == "good" for row in checks)

    def begin(self):
        until(self.all_good, "all checks are good")

    def happens(self):
        began = now()
        self.is_dead = True
        call(*self.backend, "del", VIP + "/32", "dev", "lo")
        return began

    def wanted(self, journal, mark, _happened, limit):
        return journal.wait(f"^{VIP}:80/tcp: backend {X} is down", mark, limit)

    # `run` prints the state before and after.
    out = rf"^~ backend {X} of {VIP}:80/tcp .*-> (down|last resort)"

    def is_done(self, journal, mark):
        return journal.find(self.out, mark)

    def done(self, journal, mark, limit, verb=None):
        return journal.wait(self.out + ("|" + NOT_UP if verb == "down" else ""), mark, limit)

    def restore(self):
        if self.is_dead:
            call(*self.backend, "add", VIP + "/32", "dev", "lo")
        self.is_dead = False

    def mend(self, verb=None):
        self.restore()
        self.settle(verb)
        self.begin()


class Bkd(Role):
    name, tool = "bkd", "Backend/bkd"
    subjects = ("interfaces", "restores", "reasons")
    promised = 0.2

    def __init__(self, file, other, _backend):
        super().__init__(file, other)
        with open(file, encoding="ascii") as text:
            vips = re.findall(r"vip: (10\.99\.\d+\.\d+)", text.read())
        # A VIP that was lost twice in a minute is left alone.
        self.vips = itertools.cycle(vips)
        self.vip = None

    def verbs(self):
        return self.common()

    def has_vip(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            try:
                sock.bind((self.vip, 0))
            except OSError:
                return False
        return True

    def begin(self):
        pass

    def happens(self):
        self.vip = next(self.vips)
        if not self.has_vip():  # `down` has removed it: `run` is told of nothing
            call("ip", "address", "add", self.vip + "/32", "dev", "lo")
        call("ip", "address", "del", self.vip + "/32", "dev", "lo")
        return now()

    def wanted(self, _journal, _mark, happened, _limit):
        return happened

    def is_done(self, _journal, _mark):
        return self.has_vip()

    def done(self, journal, mark, limit, verb=None):
        # After `down`, and while another file runs, `run` follows no VIP, and says so: of a
        # file only once, until it sees its own again.
        told = {"down": (NOT_UP, mark), f"apply {self.other}": (NOT_FILE, 0)}.get(verb)
        return until(lambda: self.has_vip() or (told and journal.find(*told)),
                     "the VIP is back", limit)

    def restore(self):
        pass

    def mend(self, verb=None):
        self.settle(verb)
        until(self.has_vip, "the VIP is back")


ROLES = {"lbr": Lbr, "bkd": Bkd}
