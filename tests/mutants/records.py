# SPDX-License-Identifier: GPL-2.0-only
"""Known faults: what faults/*.txt says, found in the tree as it is now."""

import glob
import os
import re
import subprocess
from typing import NamedTuple

import mutate

HERE = os.path.dirname(os.path.realpath(__file__))
SOURCES = ("common/", "LoadBalancer/", "Backend/", "topology/")


class Wrong(Exception):
    """A record that cannot be read, or a fault that cannot be put into the tree."""


class Change(NamedTuple):
    file: str
    function: str  # or "": anywhere in the file
    before: str
    after: str


class Fault(NamedTuple):
    name: str
    fault: str
    test: str
    changes: list


def read(path):
    """Paragraphs: `name:`, `fault:`, `test:`, then `in: FILE [FUNCTION]` with
    lines of - and +, as often as the fault has places."""
    with open(path, encoding="utf-8") as opened:
        text = re.sub(r"^#.*\n", "", opened.read(), flags=re.M)
    for paragraph in re.split(r"\n\n+", text.strip()):
        head, *places = re.split(r"^in: ", paragraph, flags=re.M)
        keys = dict(re.findall(r"^(name|fault|test): (.+)$", head, re.M))
        if len(keys) != 3 or not places:
            raise Wrong(f"{path}: not a record: {paragraph}")
        yield Fault(keys["name"], keys["fault"], keys["test"], [place(each) for each in places])


def place(text):
    where, *lines = text.rstrip("\n").split("\n")
    file, _, function = where.partition(" ")
    sides = {"-": [], "+": []}
    for line in lines:
        if line[:1] not in sides:
            raise Wrong(f"{where}: neither - nor +: {line}")
        sides[line[0]].append(line[1:])
    return Change(file, function, *("\n".join(sides[side]) for side in "-+"))


def everyone():
    return [fault for path in sorted(glob.glob(os.path.join(HERE, "faults/*.txt")))
            for fault in read(path)]


def spans(source, function):
    """Where bodies of functions with that name are, each with the lines above that
    belong to it."""
    if not function:
        return [(0, len(source))]
    return [(max(source.rfind("\n\n", 0, tokens[0].start), 0), tokens[-1].end)
            for name, tokens in mutate.functions(source) if name == function]


def occurrences(source, change):
    """Any run of blanks equals any other: the code may have been indented anew."""
    words = r"\s+".join(map(re.escape, change.before.split()))
    return [match.span() for start, end in spans(source, change.function)
            for match in re.compile(words).finditer(source, start, end)]


def load(root, file):
    try:
        with open(os.path.join(root, file), encoding="utf-8") as opened:
            return opened.read()
    except (FileNotFoundError, UnicodeDecodeError):
        return ""


def tracked(root):
    listed = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-co",
                             "--exclude-standard", *SOURCES], cwd=root, check=True,
                            capture_output=True, text=True).stdout.split()
    return [file for file in listed if file.endswith((".c", ".h"))]


def find(root, change, files):
    """(file, start, end): in the record's file; else wherever the function is; else
    anywhere, because the function may have another name now."""
    anywhere = change._replace(function="")
    for place, among in (change, [change.file]), (change, files), (anywhere, files):
        places = [(file, *span) for file in among
                  for span in occurrences(load(root, file), place)]
        if places:
            break
    if len(places) != 1:
        raise Wrong(f"{change.file} {change.function}: "
                    + (f"{len(places)} times: " if places else "not there: ")
                    + " ".join(change.before.split()))
    return places[0]


def put_in(root, fault, files):
    """{file: its text with the fault}"""
    texts = {}
    for change in fault.changes:
        file, start, end = find(root, change, files)
        source = load(root, file)
        if file in texts:  # the second change in the same file
            source = texts[file]
            start, end = occurrences(source, change._replace(function=""))[0]
        texts[file] = source[:start] + change.after.strip() + source[end:]
    return texts
