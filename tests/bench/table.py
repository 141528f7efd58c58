# SPDX-License-Identifier: GPL-2.0-only
"""The results, as a table for people."""

import platform
import re

FORM = "{:44} {:>7} {:>7} {:>7} {:>7} {:>7} {:>6}  {}"


def cell(value, form="{}"):
    return "-" if value is None else form.format(value)


def cpu():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        models = re.findall(r"^model name\s*: (.*)", file.read(), re.M)
    return models[0] if models else platform.machine()


class Table:
    """Rows are printed as they come; with `file` None, nothing is printed."""

    def __init__(self, file):
        self.file = file
        self.line(FORM.format("ns a packet", "min", "median", "net", "/floor", "limit", "goal",
                              ""))

    def line(self, text):
        if self.file:
            print(text.rstrip(), file=self.file, flush=True)

    def row(self, row):
        value = row.get("instructions", row["over_floor"])
        missed = [bound for bound in ("limit", "goal") if row[bound] and value > row[bound]]
        self.line(FORM.format(
            row["name"], *(cell(row[key], "{:.1f}") for key in ("ns_min", "ns_median", "net_ns")),
            value, cell(row["limit"]), cell(row["goal"]), f"{missed[0]} missed" if missed else ""))

    def end(self, document):
        self.line("")
        if document["driver"]:
            self.line("floor {floor_min} ns: a bare XDP_TX of {bare_min}, and the driver's "
                      "{driver_adds}".format(**document["driver"]))
        self.line("net: median less the floor's; /floor: median over the floor's, both of "
                  f"{document['rounds']} rounds, each of {document['turns']} packets")
        self.line("Linux {kernel}, {cpu}, load {load:.1f}".format(**document))
        for bound in "limit", "goal":
            self.line(f"{bound} missed: {', '.join(document[f'{bound}_missed']) or 'none'}")
        if document["failed"]:
            self.line(f"not measured: {', '.join(document['failed'])}")
