# SPDX-License-Identifier: GPL-2.0-only
"""The picture as text."""

import words


def picture(story, color):
    def mark(hop, field, text):
        if field not in hop.changed:
            return text
        return f"\033[1m*{text}\033[0m" if color else f"*{text}"

    def address(hop, field):
        value = getattr(hop.packet, field)
        name = story.name(value)
        return mark(hop, field, value) + (f" [{name}]" if name else "")

    def mac(hop, field):
        value = getattr(hop.packet, field)
        return f"{mark(hop, field, value)} {story.network.by_mac(value) or 'nobody here'}"

    def header(hop, version, prefix, total, word):
        ttl = mark(hop, prefix + "ttl", str(getattr(hop.packet, prefix + "ttl")))
        line = f"{address(hop, prefix + 'src')}  >  {address(hop, prefix + 'dst')}   " \
               f"{'TTL' if version == 4 else 'hop limit'} {ttl}"
        if version == 4:
            line += f"   checksum {mark(hop, total, f'{getattr(hop.packet, total):04x}')} {word}"
        return f"IPv{version}", line

    def layers(hop):
        p = hop.packet
        yield "Ethernet", f"{mac(hop, 'smac')}  >  {mac(hop, 'dmac')}"
        if p.outer:
            yield header(hop, p.outer.version, "outer_", "outer_sum", hop.outer_word)
        yield header(hop, p.version, "", "ip_sum", hop.ip_word)
        yield p.protocol, f"{p.sport} > {p.dport}  {words.kind(p)}   " \
                          f"checksum {mark(hop, 'sum', f'{p.sum:04x}')} {hop.l4_word}"

    def way(hops, number, start):
        for number, hop in enumerate(hops, number + 1):
            yield f"{number:3}  {hop.where():<29} {(hop.time - start) / 1000:6.0f} us   " \
                  f"{hop.what(story)}".rstrip()
            if not hop.same:
                for layer, line in layers(hop):
                    yield f"       {layer:<9} {line}"

    lines = [words.heading(story), ""]
    start = story.request[0].time if story.request else 0
    for name, hops, number in (("The request", story.request, 0),
                               ("The answer", story.reply, len(story.request))):
        if hops:
            lines += [name, *way(hops, number, start), ""]
    return "\n".join([*lines, *foot(story)]) + "\n"


def foot(story):
    first, *rest = story.verdict()
    yield from (first, *(f"  {line}" for line in rest), "")
    for word, meaning in words.legend(story, 90):
        yield from (f"{w:<9} {line}" for w, line in zip([word] + [""] * 9, meaning))
