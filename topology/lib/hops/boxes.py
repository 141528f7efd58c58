# SPDX-License-Identifier: GPL-2.0-only
"""A packet's headers, each as its column (Ethernet, outer IP, IP, L4), its title, and lines
of (text, style, changed), for the SVG."""

import packet
import words

COLUMN, LINE = 7.3, 17  # of a character

STYLES = {packet.TRUE: "good", packet.NONE: "muted", packet.KEPT: "kept",
          packet.PARTIAL: "kept", packet.UNFILLED: "bad", packet.WRONG: "bad"}


def boxes(story, hop):
    p = hop.packet

    def field(name, text, style=""):
        if name in hop.changed:
            return [("*", "bold", False), (text, f"{style} bold", True)]
        return [(text, style, False)]

    def end(label, name, style, whose):
        """An address in a column of its own, with the mark before it."""
        label = label.ljust(5 if name in hop.changed else 6)
        return [(label, "muted", False), *field(name, getattr(p, name), style),
                (f" {whose}", style or "muted", False)]

    def address(label, name):
        value = getattr(p, name)
        whose = story.name(value)
        return end(label, name, "vip" if value == story.vip else "backend" if whose else "", whose)

    def mac(label, name):
        return end(label, name, "", story.network.by_mac(getattr(p, name)) or "nobody here")

    def total(name, word):
        return [("checksum ", "muted", False), *field(name, f"{getattr(p, name):04x}"),
                (f" {word}", STYLES[word], False)]

    def header(version, prefix, name, word):
        ttl = [("TTL " if version == 4 else "hop limit ", "muted", False),
               *field(prefix + "ttl", str(getattr(p, prefix + "ttl")))]
        if version == 4:
            ttl += [("  ", "", False), *total(name, word)]
        return [address("from", prefix + "src"), address("to", prefix + "dst"), ttl]

    yield 0, "Ethernet", [mac("from", "smac"), mac("to", "dmac")]
    if p.outer:
        yield 1, f"IPv{p.outer.version}, outer", header(p.outer.version, "outer_", "outer_sum",
                                                        hop.outer_word)
    yield 2, f"IPv{p.version}", header(p.version, "", "ip_sum", hop.ip_word)
    sport, dport = field("sport", str(p.sport)), field("dport", str(p.dport))
    yield 3, p.protocol, [
        [*sport, (" > ", "muted", False), *dport],
        [(words.kind(p), "", False)],
        total("sum", hop.l4_word)]
