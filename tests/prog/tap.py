# SPDX-License-Identifier: GPL-2.0-only
"""Named tests, with one line for each on stdout."""

import os
import re
import traceback

TESTS = []

# For tests with random packets: an emulated machine sends fewer of them.
FEWER = int(os.environ.get("FEWER", "1"))


class Skip(Exception):
    """This host lacks what the test needs."""


def test(name):
    def register(function):
        TESTS.append((name, function))
        return function

    return register


def equal(got, wanted, what):
    assert got == wanted, f"{what}: {short(got)}, wanted {short(wanted)}"


def short(value):
    text = repr(value)
    return text if len(text) < 500 else f"{text[:500]}..."


def one(number, name, function, arguments):
    try:
        function(*arguments)
    except Skip as why:
        print(f"ok {number} - {name} # skip {why}", flush=True)
        return True
    except Exception as error:  # pylint: disable=broad-except
        print(f"not ok {number} - {name}")
        text = str(error) if isinstance(error, AssertionError) else traceback.format_exc()
        print("".join(f"# {line}\n" for line in text[:4000].splitlines()), end="", flush=True)
        return False
    print(f"ok {number} - {name}", flush=True)
    return True


def chosen(pattern):
    return [row for row in TESTS if re.search(pattern, row[0])]


def run(pattern, *arguments):
    """The number of tests that failed."""
    return sum(
        not one(number, name, function, arguments)
        for number, (name, function) in enumerate(chosen(pattern), 1)
    )
