# SPDX-License-Identifier: GPL-2.0-only
"""A packet's headers as lines of (text, style, changed), for the SVG."""

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

    yield "Ethernet", [mac("from", "smac"), mac("to", "dmac")]
    ttl = [("TTL " if p.version == 4 else "hop limit ", "muted", False), *field("ttl", str(p.ttl))]
    if p.version == 4:
        ttl += [("  ", "", False), *total("ip_sum", hop.ip_word)]
    yield f"IPv{p.version}", [address("from", "src"), address("to", "dst"), ttl]
    sport, dport = field("sport", str(p.sport)), field("dport", str(p.dport))
    yield p.protocol, [
        [*sport, (" > ", "muted", False), *dport],
        [(words.kind(p), "", False)],
        total("sum", hop.l4_word)]
