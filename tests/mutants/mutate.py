# SPDX-License-Identifier: GPL-2.0-only
"""The small faults that can be put into a source file of the data path: one
token, one condition or one statement each. No parser: the layout is
clang-format's, so an operator between blanks has two operands, and one that
touches its operand (a pointer's *, a minus sign) has one."""

import hashlib
import os
import re
from typing import NamedTuple

TOKEN = re.compile(r"""
    (?P<comment> /\*.*?\*/ | //[^\n]* )
  | (?P<string>  "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*' )
  | (?P<macro>   ^[ \t]*\#(?:[^\n\\]|\\.)* )
  | (?P<number>  (?:0x[0-9a-fA-F]+|\d+)[uUlL]* )
  | (?P<name>    \w+ )
  | (?P<sign>    \+\+|--|->|<<=|>>=|<<|>>|[-+*/%&|^!=<>]=|&&|\|\||. )
""", re.X | re.S | re.M)

OTHER_SIGN = {
    "<": ("<=", ">="), "<=": ("<", ">"), ">": (">=", "<="), ">=": (">", "<"),
    "==": ("!=",), "!=": ("==",), "&&": ("||",), "||": ("&&",),
    "+": ("-",), "-": ("+",), "*": ("+",), "/": ("*",), "%": ("/",),
    "<<": (">>",), ">>": ("<<",), "&": ("|",), "|": ("&",), "^": ("|",),
    "+=": ("-=", "="), "*=": ("=",), "|=": ("=", "&="), "^=": ("=",),
}
FIELDS = (  # pairs that may be mistaken for each other
    "source destination", "saddr daddr", "sport dport", "source_port port", "source dest",
    "h_source h_dest", "dmac smac", "ipv4_src ipv4_dst", "ipv6_src ipv6_dst",
    "ipv4_dst ipv6_dst", "window count", "packets bytes", "from to",
    "hop_limit payload_len", "ttl protocol", "syn rst", "ack rst", "type code",
    "table_first table_size", "udp_idle grace_until", "reason action",
)
WORDS = (  # tokens of the same kind
    "true false", "PACKET_SYN PACKET_RST", "IPPROTO_TCP IPPROTO_UDP",
    "IPPROTO_ICMP IPPROTO_ICMPV6", "ETH_P_IP ETH_P_IPV6", "ETH_P_8021Q ETH_P_8021AD",
    "BACKEND_ACTIVE BACKEND_DRAINING BACKEND_DOWN BACKEND_ABSENT",
    "SELECTED_BY_TABLE SELECTED_BY_MEMORY SELECTED_BY_PREVIOUS SELECTED_ANEW",
    "TRACE_OFF TRACE_NEW TRACE_ALL", "CONTROL_GENERATION CONTROL_TRACE CONTROL_SERVICE_ID",
    "ROUTE_AF_INET ROUTE_AF_INET6", "ICMP_REQUEST ICMP_REPLY", "ICMPV6_REQUEST ICMPV6_REPLY",
    "XDP_PASS XDP_DROP XDP_ABORTED", "PASS DROP", "TX DROP", "REDIRECT PASS",
    "IN_LBR IN_BKD", "SCHEDULER_MAGLEV SCHEDULER_RANDOM SCHEDULER_ROUND_ROBIN",
)
KEPT = {"return", "if", "for", "while", "switch", "case", "default", "do", "goto", "else",
        "_Static_assert"}


class Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


class Mutant(NamedTuple):
    """Named by what it says and never by where it stands: `function`, with a number
    where the same change can be made more than once."""

    file: str
    function: str
    before: str
    after: str
    start: int
    end: int
    text: str

    def name(self):
        return f"{self.file} {self.function}\n- {self.before}\n+ {self.after}"

    def put_into(self, source):
        return source[: self.start] + self.text + source[self.end :]


def tokens_of(source, at=0, end=None):
    return [Token(match.lastgroup, match.group(), *match.span())
            for match in TOKEN.finditer(source, at, len(source) if end is None else end)
            if match.lastgroup != "comment" and not match.group().isspace()]


def match_of(tokens, i):
    """The index of the bracket that closes the one at i."""
    pairs, depth = {"(": ")", "{": "}", "[": "]"}, 0
    opens, closes = tokens[i].text, pairs[tokens[i].text]
    for j in range(i, len(tokens)):
        depth += (tokens[j].text == opens) - (tokens[j].text == closes)
        if not depth:
            return j
    raise ValueError(f"{opens} is never closed")


def functions(source):
    """(name, tokens) of each function body, of each one-line macro with a value, and of
    each row of a macro that is a table."""
    tokens = tokens_of(source)
    i = 0
    while i < len(tokens):
        if tokens[i].kind == "macro":
            yield from macro(source, tokens[i])
        elif tokens[i].text == "{":
            end = match_of(tokens, i)
            if tokens[i - 1].text == ")":
                depth, j = 1, i - 1
                while depth:
                    j -= 1
                    depth += (tokens[j].text == ")") - (tokens[j].text == "(")
                yield tokens[j - 1].text, tokens[i : end + 1]
            i = end
        i += 1


def macro(source, token):
    value = re.match(r"#define (\w+)[ \t]+[^\\]*$", token.text)
    if value:
        yield value[1], tokens_of(source, token.start + value.end(1), token.end)
    for row in re.finditer(r"^\s*(REASON|RESULT)\((\w+), [^\"\n]*", token.text, re.M):
        yield f"{row[1]}({row[2]})", tokens_of(
            source, token.start + row.end(2), token.start + row.end())


def next_in(groups, word):
    for group in map(str.split, groups):
        if word in group:
            yield group[(group.index(word) + 1) % len(group)]


def of_token(source, tokens, i, reasons):
    """What one token may become."""
    kind, text, start, end = tokens[i]
    before = tokens[i - 1].text if i else ""
    if kind == "sign":
        if source[start - 1].isspace() and source[end].isspace():
            yield from OTHER_SIGN.get(text, ())
        elif text == "!":
            yield ""
        elif text == "++":
            yield "--"
    elif kind == "number":
        digits = text.rstrip("uUlL")
        value = int(digits, 0)
        for other in value + 1, value - 1:
            if other >= 0:
                yield (hex(other) if "x" in digits else str(other)) + text[len(digits) :]
    elif before in (".", "->"):
        yield from next_in(FIELDS, text)
    elif kind == "name":
        yield from next_in(WORDS, text)
        if re.fullmatch(r"bpf_[nh]to[nh][sl]", text):
            yield ""
        bare = text if text.startswith("REASON_") else f"REASON_{text}"
        if bare in reasons and before in ("return", "==", "?", ":", "=", ","):
            other = reasons[(reasons.index(bare) + 1) % len(reasons)]
            yield other if bare == text else other[len("REASON_") :]


def of_choice(source, tokens, i):
    """if (C) becomes if (!(C)), unless another mutation of its operators does the same;
    C ? A : B with short A and B becomes C ? B : A."""
    if tokens[i].text == "if" and tokens[i + 1].text == "(":
        first, last = tokens[i + 1].end, tokens[match_of(tokens, i + 1)].start
        if re.search(r"&&|\|\|", source[first:last]) or not re.search(
                r"^!| [<>=!]=? | [<>!=]= ", source[first:last]):
            yield first, last, f"!({source[first:last]})"
    if tokens[i].text == "?" and i + 4 < len(tokens) and tokens[i + 2].text == ":":
        one, other = tokens[i + 1], tokens[i + 3]
        if tokens[i + 4].text in (";", ",", ")"):
            between = source[one.end : other.start]
            yield one.start, other.end, other.text + between + one.text


def of_statement(source, tokens, i):
    """Leave out a statement that does something."""
    before, first = tokens[i - 1].text if i else "", tokens[i]
    if before not in (";", "{", "}", ")", ":", "else") or first.text in KEPT:
        return
    if before == ")" and source[tokens[i - 1].end] != "\n":  # a cast
        return
    if before == ":" and "default" != tokens[i - 2].text and "case" != tokens[i - 3].text:
        return  # the end of a conditional expression
    if first.kind == "name" and (tokens[i + 1].kind == "name" or tokens[i + 1].text == "*"):
        return  # a declaration
    if first.kind != "name" and first.text not in "*(":
        return
    if tokens[i + 1].text == ";" and first.text != "break":
        return
    for token in tokens[i:]:
        if token.text == ";":
            yield first.start, token.start, ""
            return
        if token.text in KEPT or token.text in "{}:" or token.kind == "macro":
            return


def changes(source, tokens, reasons):
    results = {tokens[i + 1].text for i, token in enumerate(tokens) if token.text == "return"}
    for i, token in enumerate(tokens):
        if results == {"0"} and tokens[i - 1].text == "return":
            continue  # it needs a result, so it stays
        for text in of_token(source, tokens, i, reasons):
            yield token.start, token.end, text
        yield from of_choice(source, tokens, i)
        yield from of_statement(source, tokens, i)


def mutants_of(root, file):
    with open(os.path.join(root, file), encoding="utf-8") as opened:
        source = opened.read()
    rows = re.findall(r"\bREASON_[a-z]\w+|(?<=RESULT\()\w+, \w+", source)
    reasons = sorted({f"REASON_{row.split()[-1]}" if "," in row else row for row in rows}
                     - {"REASON_NONE"})
    seen = {}
    for function, tokens in functions(source):
        for start, end, text in changes(source, tokens, reasons):
            head = source.rfind("\n", 0, start) + 1
            tail = source.find("\n", end)
            before = " ".join(source[head:tail].split()).rstrip(" \\")
            after = " ".join((source[head:start] + text + source[end:tail]).split()).rstrip(" \\")
            key = function, before, after
            seen[key] = seen.get(key, 0) + 1
            where = function if seen[key] == 1 else f"{function}#{seen[key]}"
            yield Mutant(file, where, before, after, start, end, text)


def in_order(mutants, seed):
    """In random order. A mutant's place in it depends on its name alone, so an edit
    elsewhere moves none."""
    return sorted(mutants, key=lambda mutant: hashlib.sha256(
        f"{seed}\n{mutant.name()}".encode()).digest())
