#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""pairs.py: the rows of `make test-fleet`, so that each value of each factor meets
each value of every other one. Always the same rows; those of a mode together, for
they share a network. The first word is the row's number."""

import itertools
import random

FACTORS = {
    "change": ("added", "drained", "returns", "heavier", "lighter", "table-size", "scheduler",
               "backend-dies", "application-down", "path-down", "lb-dies"),
    "method": ("rewrite", "dscp", "ipip"),
    "late": ("0", "2", "6"),  # seconds until the second load balancer has it
    "flows": ("remember", "second-chance"),
    "family": ("IPv4", "IPv6"),
    "mode": ("generic", "native"),
}
SEED = 1


def pairs(row):
    return set(itertools.combinations(enumerate(row), 2))


def rows(draw):
    """Greedy: of all rows, one that has the most pairs that are still missing."""
    every = list(itertools.product(*FACTORS.values()))
    missing = set().union(*map(pairs, every))
    while missing:
        draw.shuffle(every)
        best = max(every, key=lambda row: len(pairs(row) & missing))
        missing -= pairs(best)
        yield best


def main():
    chosen = sorted(rows(random.Random(SEED)), key=lambda row: [
        values.index(value) for values, value in reversed(list(zip(FACTORS.values(), row)))])
    for number, row in enumerate(chosen, 1):
        print(number, *row)


if __name__ == "__main__":
    main()
