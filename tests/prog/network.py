# SPDX-License-Identifier: GPL-2.0-only
"""The hosts on which the programs are loaded, and the programs, loaded."""

import json
import os
import re
import struct
import subprocess

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
TOPO = f"{ROOT}/topology/topo"
TESTRUN = "build/tests/prog/testrun"
AGE_FLOWS = "build/tests/prog/age_flows"
PINS = "/sys/fs/bpf/l3dsr"
with open(f"{ROOT}/common/core/abi.h", encoding="utf-8") as abi:
    LAYOUT = re.search(r'L3DSR_LAYOUT "(.*)"', abi.read()).group(1)

LB, ROUTER, CLIENT = "172.17.0.2", "172.17.0.3", "172.17.0.4"
LB6, ROUTER6, CLIENT6 = "2001:db8:17::2", "2001:db8:17::3", "2001:db8:17::4"
VIP, VIP6 = "192.168.25.10", "2001:db8:25::10"

# As topology/topo assigns them: 02:42 and the IPv4 address.
LB_MAC, ROUTER_MAC, CLIENT_MAC = (f"02:42:ac:11:00:0{n}" for n in (2, 3, 4))
# The trace's modes by which a plain packet goes both its ways through xdp_bkd: while there is
# a trace, it goes that of all others.
BOTH_WAYS = "new", "off"
BACKEND_MAC = {"backend0x": "02:42:ac:13:00:03", "backend0y": "02:42:ac:13:00:04"}
BACK_ROUTER_MAC = "02:42:ac:13:00:02"

ABORTED, DROP, PASS, TX, REDIRECT = range(5)


def on(host, *command, status=0, text=None):
    """Run a command on a host; its stdout. `status` None: any exit status will do."""
    done = subprocess.run(
        [TOPO, "exec", host, *command],
        cwd=ROOT, input=text or "", text=True, capture_output=True, check=False,
    )
    if status is not None and done.returncode != status:
        raise AssertionError(
            f"{' '.join(command)}: exit {done.returncode}, wanted {status}\n"
            f"{done.stdout}{done.stderr}"
        )
    return done.stdout


def one_cpu():
    """Run on one CPU, so that its per-CPU counters are all that a program counts."""
    cpus = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cpus[os.getpid() % len(cpus)]})


class Program:
    """A loaded program that can be given frames (see testrun.c)."""

    def __init__(self, host, link, *behind):
        self.process = subprocess.Popen(
            [TOPO, "exec", host, TESTRUN, link, *behind], preexec_fn=one_cpu,
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )

    def run(self, frames):
        """What becomes of each frame: a list of (action, bytes)."""
        batch = [struct.pack("=I", len(frames))]
        for frame in frames:
            batch.append(struct.pack("=I", len(frame)))
            batch.append(frame)
        self.process.stdin.write(b"".join(batch))
        self.process.stdin.flush()
        head = self.process.stdout.read(4)
        assert len(head) == 4, "the kernel refused to run the program"
        answers = self.process.stdout.read(struct.unpack("=I", head)[0])
        got, at = [], 0
        while at < len(answers):
            action, length = struct.unpack_from("=II", answers, at)
            at += 8
            got.append((action, answers[at : at + length]))
            at += length
        assert len(got) == len(frames)
        return got

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def endpoint(address, port):
    """As the verbs take it; for null, any port."""
    port = "any" if port is None else port
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


class Role:
    """One of the two tools on a host, with its program."""

    def __init__(self, host, name, tool):
        self.host, self.name, self.tool = host, name, tool
        self.pins = f"{PINS}/{name}-{LAYOUT}"
        self.program = None

    def __call__(self, *arguments, status=0, text=None):
        return on(self.host, self.tool, *arguments, status=status, text=text)

    def up(self, file, mode="generic"):
        """If it is up already, the program is replaced."""
        now = ["--now"] * (self.name == "lbr")  # nothing of earlier tests is left
        self("up", "-i", "eth0", "-m", mode, *now, "-c", file)
        self.close()
        self.program = Program(self.host, f"{self.pins}/link-eth0")

    def run(self, frames):
        return self.program.run(frames)

    def rows(self, section):
        """Rows of `show`, in a form to compare: with "service", and "client" with its port."""
        rows = json.loads(self("show", "-j", section))[section]
        for row in rows:
            if "vip" in row:
                row["service"] = endpoint(row["vip"], row["port"])
            if "client" in row:
                row["client"] = endpoint(row["client"], row["client-port"])
        return rows

    def reasons(self):
        rows = json.loads(self("show", "-j", "reasons"))["reasons"]
        return {row["reason"]: row["packets"] for row in rows}

    def restores(self):
        """Rows of bkd: packets by service and protocol."""
        rows = self.rows("restores")
        return {(row["service"], row["protocol"]): row["packets"] for row in rows}

    def close(self):
        if self.program:
            self.program.close()
            self.program = None


class World:
    """What a test is given: the hosts and the tools."""

    def __init__(self, folder):
        self.folder = folder
        self.lbr = Role("lbdsr0a", "lbr", "LoadBalancer/lbr")
        self.bkd = {host: Role(host, "bkd", "Backend/bkd") for host in BACKEND_MAC}
        self.files = 0

    def file(self, text):
        self.files += 1
        path = os.path.join(self.folder, f"{self.files}.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def apply(self, text, now=True):
        """Applies this file at the load balancer, or brings it up with it. Returns what `apply`
        prints. `now`: cut the flows of backends of earlier tests."""
        path = self.file(text)
        if self.lbr.program:
            return self.lbr("apply", *["--now"] * now, path)
        return self.lbr.up(path)

    def up(self, text, mode="generic"):
        self.lbr.up(self.file(text), mode)

    def flows(self):
        """How many flows are remembered."""
        return len(self.lbr.rows("flows"))

    def see(self, jiffies):
        """Shift the time at which each flow was last seen."""
        on("lbdsr0a", AGE_FLOWS, f"{self.lbr.pins}/flows", str(jiffies))

    def close(self):
        for role in (self.lbr, *self.bkd.values()):
            role.close()


def prepare():
    """Permanent neighbours, so that our packets are the only traffic."""
    for host in ("lbdsr0a", *BACKEND_MAC):
        on("wires", "sh", "-c",
           f"echo 1 >/proc/sys/net/ipv6/conf/{host}-eth0/disable_ipv6;"
           f"ip link set {host}-eth0 nomaster")
    for address in (ROUTER, ROUTER6):
        on("lbdsr0a", "ip", "neigh", "replace", address, "dev", "eth0",
           "lladdr", ROUTER_MAC, "nud", "permanent")


def backend(address, weight=1, drain=False):
    return f"{{address: '{address}', weight: {weight}, drain: {str(drain).lower()}}}"


def at_own(address):
    """A backend whose server listens on its own address."""
    return f"{{address: '{address}', restore: tc}}"


def service(backends, vip=VIP, port=80, protocol="tcp", **keys):
    """`backends`: addresses, or the results of backend()."""
    rows = (row if row.startswith("{") else backend(row) for row in backends)
    keys = "".join(f", {key.replace('_', '-')}: {value}" for key, value in keys.items())
    return (
        f"  - {{vip: '{vip}', port: {port}, protocol: {protocol}{keys},\n"
        "     backends: [" + ", ".join(rows) + "]}\n"
    )


def configuration(*services, **settings):
    """The text of a file; an underscore in a setting stands for a dash."""
    head = "".join(f"{key.replace('_', '-')}: {value}\n" for key, value in settings.items())
    return head + "services:\n" + "".join(services)
