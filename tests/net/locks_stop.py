#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""locks_stop.py ROLE ROUNDS FILE OTHER BACKEND: stops each verb of lbr or bkd
by SIGSTOP, ROUNDS times, at moments spread over its life, and looks whether
`run` goes on.

Runs on the host of ROLE (lbr or bkd), which is up with FILE, and starts `run`
there. OTHER is FILE with other weights. BACKEND is the pid of any process on
the backend that dies (see locks_roles.py).

Half of the moments of a verb that takes the lock are aimed at the time when it
has it. A verb that was stopped with the lock: something happens that `run` needs
the lock for, `run` names the verb, and goes on when the verb does. The others
of a round stay stopped together while it happens.

Every limit is what the product promises, plus what a busy machine may add; what
it took is printed."""

import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections import namedtuple

from locks_roles import ROLES, Failure, now, until

PROMISED = 1.0  # seconds: to name the holder; to go on once the lock is free
MARGIN = float(os.environ.get("LOCKS_MARGIN", 5))  # for two cores at a load of 4
PATIENCE = 30  # for steps without a promised time

class Journal:
    """What `run` prints, each line with its time."""

    def __init__(self, argv):
        self.lines = []
        self.more = threading.Condition()
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            with self.more:
                self.lines.append((now(), line.rstrip()))
                self.more.notify_all()

    def mark(self):
        return len(self.lines)

    def find(self, pattern, mark):
        for at, line in self.lines[mark:]:
            if re.search(pattern, line):
                return at
        return None

    def wait(self, pattern, mark, limit):
        """The time of the first line after `mark`."""
        with self.more:
            if not self.more.wait_for(lambda: self.find(pattern, mark), limit):
                raise Failure(f"not within {limit:.1f} s: {pattern}")
            return self.find(pattern, mark)


class Lock:
    def __init__(self, directory):
        self.directory = directory

    def holders(self):
        try:
            there = os.stat(self.directory)
        except FileNotFoundError:  # after `down`
            return []
        name = f"{os.major(there.st_dev):02x}:{os.minor(there.st_dev):02x}:{there.st_ino}"
        with open("/proc/locks", "rb") as locks:
            rows = [line.split() for line in locks]
        return [int(row[4]) for row in rows if row[1] == b"FLOCK" and row[5] == name.encode()]


def state(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
        return stat.read().rpartition(")")[2].split()[0]


Stopped = namedtuple("Stopped", "verb process held moment mark")


class Verb:
    """A verb: how it is called, how it ends, and what was seen."""

    def __init__(self, text, tool, locks=False, changes=False, ends_after=None, good=(0,)):
        self.text, self.locks, self.changes, self.good = text, locks, changes, good
        self.argv = [tool] + text.split()
        self.ends_after = ends_after  # seconds after which it is ended; None: it ends by itself
        self.life = self.hold = 0.0
        self.moments = self.held = 0

    def start(self, stderr=subprocess.DEVNULL):
        process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=stderr)
        process.begun = now()
        if self.ends_after:
            timer = threading.Timer(self.ends_after, process.send_signal, [signal.SIGTERM])
            timer.daemon = True
            timer.start()
        return process

    def end(self, process):
        try:
            status = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.text} does not end") from None
        if status not in self.good:
            raise Failure(f"{self.text} ended with {status}")


class Stopper:
    def __init__(self, role, rounds, journal, lock):
        self.role, self.rounds, self.journal, self.lock = role, rounds, journal, lock
        self.worst = {}
        self.stopped = []
        self.run_held = 0

    def took(self, what, seconds, promised):
        worst = self.worst.setdefault(what, [seconds, promised])
        worst[0] = max(worst[0], seconds)
        if seconds > promised + MARGIN:
            raise Failure(f"{what}: {seconds:.2f} s, {promised} s are promised")

    def measure(self, verb):
        """Measure how long it runs, and how long it holds the lock."""
        process = verb.start()
        first = last = None
        while process.poll() is None and now() < process.begun + PATIENCE:
            if not verb.locks:
                time.sleep(0.001)
            elif process.pid in self.lock.holders():
                last = now()
                first = first or last
        verb.life = now() - process.begun
        verb.hold = last - first if first else 0
        verb.end(process)
        self.role.settle(verb)

    def stop(self, verb, part, aimed):
        """Stop it after `part` of its run time, or of the time that it holds the lock.
        None if it had ended."""
        mark = self.journal.mark()
        process = verb.start()
        if aimed:
            while process.pid not in self.lock.holders():
                if process.poll() is not None:
                    verb.end(process)
                    return None
            moment = part * verb.hold
        else:
            moment = process.begun + part * verb.life - now()
        if moment > 0:
            time.sleep(moment)
        process.send_signal(signal.SIGSTOP)
        while process.poll() is None and state(process.pid) != "T":
            pass
        if process.poll() is not None:
            verb.end(process)
            return None
        return Stopped(verb, process, process.pid in self.lock.holders(),
                       now() - process.begun, mark)

    def go_on(self, stopped):
        stopped.process.send_signal(signal.SIGCONT)

    def with_lock(self, stopped):
        """`run` needs the lock that the stopped verb holds."""
        role, journal, mark = self.role, self.journal, stopped.mark
        happened = role.happens()
        # In the case of `down`, `run` may have wanted the lock before.
        wanted = max(happened, role.wanted(journal, mark, happened, PATIENCE))
        holder = f"(pid {stopped.process.pid}, stopped)"
        told = journal.wait(r"^waiting for '" + role.name + r" [a-z]+' " + re.escape(holder) +
                            ", which holds ", mark, PATIENCE)
        self.took("named", told - wanted, PROMISED)
        journal.wait(f"^  try: kill -CONT {stopped.process.pid}$", mark, PATIENCE)
        if role.is_done(journal, mark):  # and by nobody else
            raise Failure("it was done under a lock of somebody else")
        went_on = now()
        self.go_on(stopped)
        done = role.done(journal, mark, PATIENCE, stopped.verb.text)
        self.took("done after SIGCONT", done - went_on, PROMISED)
        stopped.verb.end(stopped.process)
        role.mend(stopped.verb)

    def without_lock(self, many):
        """No process holds the lock, however many verbs were stopped."""
        role, journal, mark = self.role, self.journal, self.journal.mark()
        happened = role.happens()
        done = role.done(journal, mark, PATIENCE, many[0].verb.text)
        self.took("done while others are stopped", done - happened, role.promised)
        for each in many:
            self.go_on(each)
        for each in many:
            each.verb.end(each.process)
        role.mend(many[0].verb if len(many) == 1 else None)

    def round(self, number, verb):
        """Stops one verb at one moment. Returns it if it was stopped without the lock."""
        part = (number + random.random()) / self.rounds
        for tries in range(20):
            # Some verbs hold the lock for so short a time that this misses it.
            aimed = verb.locks and (number + verb.aim) % 2 == 0 and tries < 8
            stopped = self.stop(verb, part, aimed)
            if stopped:
                break
            # The time was measured while the machine was busier.
            if aimed:
                verb.hold *= 0.6
            else:
                verb.life *= 0.7
            self.role.settle(verb)
        else:
            raise Failure(f"{verb.text} always ends too early: {verb.life * 1000:.1f} ms")
        self.stopped.append(stopped)
        if stopped.held and not verb.locks and not verb.text.startswith("doctor"):
            raise Failure(f"{verb.text} has the lock")  # doctor tries to take the lock
        verb.moments += 1
        verb.held += stopped.held
        if stopped.held or verb.text == "down":
            (self.with_lock if stopped.held else lambda one: self.without_lock([one]))(stopped)
            return None
        return stopped

    def run_itself(self, number):
        """The verb was stopped on its way to the lock. Others wait for it only if it
        holds the lock, and say so."""
        role, mark, run = self.role, self.journal.mark(), self.journal.process
        happened = role.happens()
        end = happened + 2 * role.promised * (number + random.random()) / self.rounds
        if number % 2 == 0:
            end += PATIENCE
        while now() < end and not role.is_done(self.journal, mark):
            if number % 2 == 0 and run.pid in self.lock.holders():
                break
        run.send_signal(signal.SIGSTOP)
        until(lambda: state(run.pid) == "T", "run is stopped")
        began, held = now(), run.pid in self.lock.holders()
        verb = Verb("apply " + role.file, role.tool)
        process = verb.start(subprocess.PIPE)
        self.stopped.append(Stopped(verb, process, False, 0, mark))
        if held:
            said = process.stderr.readline().decode()
            self.took("run is named", now() - began, PROMISED)
            if not said.startswith(f"{role.name}: waiting for '{role.name} run' "
                                   f"(pid {run.pid}, stopped), which holds "):
                raise Failure(f"apply says: {said}")
        else:
            verb.end(process)
        went_on = now()
        run.send_signal(signal.SIGCONT)
        done = role.done(self.journal, mark, PATIENCE)
        self.took("done after SIGCONT of run", done - went_on, role.promised)
        verb.end(process)
        role.mend()
        self.run_held += held

    def all(self, verbs):
        for number in range(self.rounds):
            for i, verb in enumerate(verbs if number % 5 == 0 else ()):
                verb.aim = i
                self.measure(verb)
            many = [each for each in (self.round(number, verb) for verb in verbs) if each]
            if many:
                self.without_lock(many)
            self.stopped = []
            self.run_itself(number)
            print(f"round {number + 1} of {self.rounds}: with the lock so far, "
                  f"{sum(verb.held for verb in verbs)}", flush=True)
        self.report(verbs)

    def report(self, verbs):
        for verb in verbs if self.rounds > 1 else ():
            text = re.sub(r"/\S*/", "", verb.text)
            print(f"{text:40} lives {verb.life * 1000:6.1f} ms, has the lock "
                  f"{verb.hold * 1000:6.1f} ms; stopped {verb.moments}, with the lock {verb.held}")
        print(f"run: stopped {self.rounds}, with the lock {self.run_held}")
        for what, (seconds, promised) in sorted(self.worst.items()):
            print(f"{what}: at most {seconds:.3f} s ({promised} s are promised)")
        held = sum(verb.held for verb in verbs)
        print(f"{len(verbs)} verbs, {sum(verb.moments for verb in verbs)} moments, "
              f"stopped with the lock held: {held}")
        never = [verb.text for verb in verbs if verb.hold > 0.002 and not verb.held]
        if not held or (self.rounds >= 10 and never):
            raise Failure(f"never stopped with the lock held: {', '.join(never)}")


def main():
    name, rounds, file, other, backend = sys.argv[1:]
    role = ROLES[name](file, other, int(backend))
    verbs = [Verb(text, role.tool, **how) for text, how in role.verbs()]
    if rounds == "1":
        verbs = verbs[:1] + random.sample([verb for verb in verbs[1:] if verb.locks], 2) + \
            random.sample([verb for verb in verbs if not verb.locks], 6)
    if os.cpu_count() > 1:  # short moments must not be missed
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    journal = Journal([role.tool, "run", "-c", file])
    stopper = Stopper(role, int(rounds), journal, Lock(role.pins))
    failed = None
    try:
        journal.wait("^running;", 0, PATIENCE)
        role.begin()
        stopper.all(verbs)
    except Failure as failure:
        failed = failure
    finally:
        left = [each for each in stopper.stopped if each.process.poll() is None]
        for each in left:
            each.process.kill()
        role.restore()
        journal.process.send_signal(signal.SIGCONT)
        journal.process.terminate()
        journal.process.wait(PATIENCE)
    if failed:
        start = journal.lines[0][0]
        for at, line in journal.lines[-40:]:
            print(f"{at - start:8.3f} {line}")
        for each in left:
            print(f"stopped: {each.verb.text} after {each.moment * 1000:.1f} ms, "
                  f"{'with' if each.held else 'without'} the lock")
        sys.exit(f"locks_stop.py: {failed}")


if __name__ == "__main__":
    main()
