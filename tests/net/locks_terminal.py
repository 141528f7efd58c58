#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""locks_terminal.py FILE MANY BACKEND: an operator at four terminals of the load
balancer. Three verbs print to a pager and are stopped by ^Z, the fourth prints
to a terminal that is stopped by ^S. Meanwhile another terminal changes what
runs, and a backend dies. Then all go on, and end well.

FILE runs; MANY has so many services that no pipe holds what is printed of them.
BACKEND is the pid of any process on the backend."""

import os
import pty
import re
import select
import signal
import sys
import time

from locks_roles import Y6, Failure, Lbr, now, until
from locks_stop import MARGIN, Journal, Lock, state

PATIENCE = 30
PROMPT = "[now] "


class Terminal:
    def __init__(self, name):
        self.name = name
        self.said, self.seen = "", 0
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.environ.update(PS1=PROMPT, TERM="dumb", LESS="-d", HISTFILE="/dev/null")
            os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
        self.expect(re.escape(PROMPT))

    def read(self, seconds):
        while select.select([self.fd], [], [], seconds)[0]:
            self.said += os.read(self.fd, 65536).decode(errors="replace")
            seconds = 0

    def type(self, text):
        """Type `text`; expect() then looks only at what is printed afterwards."""
        self.read(0)
        self.seen = len(self.said)
        os.write(self.fd, text.encode())

    def expect(self, pattern, again=""):
        """Wait until `pattern` is printed; type `again` every 2 s, because input may
        get lost."""
        began, tries = now(), 0
        while not re.search(pattern, self.said[self.seen:]):
            if now() > began + 2 * (tries + 1):
                os.write(self.fd, again.encode())
                tries += 1
            if now() > began + PATIENCE:
                raise Failure(f"terminal {self.name} does not say {pattern}, but: "
                              f"{self.said[self.seen:][-2000:]}")
            self.read(0.05)

    def run(self, command):
        self.type(command + "\r")
        self.expect(r"\n" + re.escape(PROMPT) + "$")

    def job(self):
        """The pid of the first process in the foreground."""
        return os.tcgetpgrp(self.fd)

    def end(self):
        for pid in {self.job(), self.pid}:
            os.killpg(pid, signal.SIGKILL)
        os.close(self.fd)
        os.waitpid(self.pid, 0)


def is_stuck(terminal):
    """Its verb sleeps in write(2)."""
    write = {"x86_64": "1"}.get(os.uname().machine, "64")
    try:
        with open(f"/proc/{terminal.verb}/syscall", encoding="ascii") as call:
            return state(terminal.verb) == "S" and call.read().split()[0] == write
    except FileNotFoundError:
        raise Failure(f"{terminal.name} has ended: it could print all") from None


def begin(terminals, many):
    tool = Lbr.tool
    commands = {
        "apply": f"{tool} apply {many} | less\r",
        "show": f"{tool} show -a | less\r",
        "doctor": f"{tool} doctor -c {many} | less\r",
        # ^S comes before anything is printed, because a terminal buffers a lot
        "paused": f"sh -c 'sleep 1; exec {tool} show -a'\r",
    }
    for name, command in commands.items():
        terminal = terminals[name]
        terminal.type(command)
        if name in ("doctor", "paused"):
            until(lambda: terminal.job() != terminal.pid, f"{name} runs", PATIENCE)
        if name == "doctor":  # in its midst
            time.sleep(0.1)
        elif name == "paused":
            os.write(terminal.fd, b"\x13")
        else:
            terminal.expect("service|SERVICE|VIP")
        terminal.verb = terminal.job()
        if name != "doctor":
            until(lambda: is_stuck(terminal), f"{name} cannot print", PATIENCE)
        if name == "paused":
            continue
        terminal.type("\x1a")
        terminal.expect("Stopped", "\x1a")
        if state(terminal.verb) != "T":
            raise Failure(f"{name} is not stopped by ^Z")


def go_on(terminals):
    for name, terminal in terminals.items():
        if name == "paused":
            terminal.type("\x11")
        else:
            terminal.type("fg\r")
            terminal.expect("less")
            terminal.type("G")
            terminal.expect(r"\(END\)|END")
            terminal.type("q")
        terminal.expect(re.escape(PROMPT) + "$")
        terminal.type("echo ${PIPESTATUS[*]}.\r")
        terminal.expect(r"\n[03]( 0)?\.")


def meanwhile(terminal, role, journal, file):
    tool = role.tool
    for verb in ("show services >/dev/null", f"weight {Y6} 3", "save >/dev/null",
                 "trace off", f"apply {file}"):
        began = now()
        terminal.run(f"{tool} {verb} && echo it was do''ne")
        terminal.expect("it was done")
        print(f"meanwhile, {verb.split()[0]}: {now() - began:.2f} s")
    mark, happened = journal.mark(), role.happens()
    took = role.done(journal, mark, PATIENCE) - happened
    print(f"the backend that died was out after {took:.2f} s ({role.promised} s are promised)")
    if took > role.promised + MARGIN:
        raise Failure("that is too late")


def main():
    file, many, backend = sys.argv[1:]
    role = Lbr(file, many, int(backend))
    journal = Journal([role.tool, "run", "-c", file])
    terminals = {}
    try:
        journal.wait("^running;", 0, PATIENCE)
        role.begin()
        for name in ("apply", "show", "doctor", "paused"):
            terminals[name] = Terminal(name)
        begin(terminals, many)
        holders = Lock(role.pins).holders()
        for terminal in terminals.values():
            if terminal.verb in holders:
                raise Failure(f"{terminal.name} has the lock while it prints")
        terminals["other"] = Terminal("other")
        meanwhile(terminals["other"], role, journal, file)
        terminals.pop("other").end()
        go_on(terminals)
    except Failure as failure:
        for at, line in journal.lines[-20:]:
            print(f"{at - journal.lines[0][0]:8.3f} {line}")
        sys.exit(f"locks_terminal.py: {failure}")
    finally:
        for terminal in terminals.values():
            terminal.end()
        role.restore()
        journal.process.terminate()
        journal.process.wait(PATIENCE)


if __name__ == "__main__":
    main()
