#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""
documented PAGE KEYS...: is the JSON on stdin as the manual says?

KEYS are subsections of "JSON" in PAGE (build/man/lbr.8), whose keys the
document has: all of them, no other, and each of the documented type. What an
array or object contains is compared with the subsection of the key's name.
Prints the subsections of which it has seen an object, and to stderr each
difference.
"""
import json
import re
import sys

IS = {
    "string": lambda value: isinstance(value, str) and value not in ("", "-"),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "array": lambda value: isinstance(value, list),
    "array of strings": lambda value: isinstance(value, list) and
                        all(IS["string"](each) for each in value),
    "object": lambda value: isinstance(value, dict),
}


def manual(page):
    """Subsection -> key -> type."""
    with open(page, encoding="utf-8") as lines:
        text = re.split(r"^\.Sh ", lines.read(), flags=re.M)
    section, = (part for part in text if part.startswith("JSON\n"))
    return {part.split("\n")[0]: dict(re.findall(r"^\.It Cm (\S+) Pq (.+)", part, re.M))
            for part in section.split("\n.Ss ")[1:]}


class Comparison:
    def __init__(self, keys):
        self.keys, self.seen, self.faults = keys, set(), set()

    def look(self, names, value):
        wanted = {key: kind for name in names for key, kind in self.keys[name].items()}
        self.seen.update(names)
        where = "+".join(names)
        for key in wanted.keys() ^ value.keys():
            self.faults.add(f"{where}: {key}: " + (
                "is not printed" if key in wanted else "is not documented"))
        for key in wanted.keys() & value.keys():
            self.leaf(where, key, wanted[key], value[key])

    def leaf(self, where, key, kind, value):
        if not any(IS[one](value) for one in kind.split(" or ")):
            self.faults.add(f"{where}: {key}: {json.dumps(value)} is no {kind}")
        elif kind == "array":
            for row in value:
                self.look([key], row)
        elif isinstance(value, dict):
            self.look([key], value)


def main(page, *names):
    keys = manual(page)
    # Sections of `show` are documented by their rows alone.
    keys.update({f"[{name}]": {name: "array"} for name in list(keys)})
    comparison = Comparison(keys)
    for line in re.split(r"\n(?=\{)", sys.stdin.read().strip()):
        document = json.loads(line)
        assert document["schema"] == 1
        comparison.look(["schema", *names], document)
    print("\n".join(sorted(name for name in comparison.seen if name[0] != "[")))
    for fault in sorted(comparison.faults):
        print(fault, file=sys.stderr)
    return bool(comparison.faults)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
