# SPDX-License-Identifier: GPL-2.0-only
"""The words that both pictures use."""

import textwrap

import packet

FLAGS = {"S": "SYN", "A": "ACK", "P": "PSH", "F": "FIN", "R": "RST", "U": "URG"}

MEANING = {
    packet.TRUE: "recomputed over all it covers, it agrees with what stands in the packet",
    packet.KEPT: "as the client computed it, for the VIP; not true for the backend's address "
                 "that stands in the packet, and true again once the VIP is restored. On "
                 "purpose: on virtual links the field may not hold a checksum yet, so that "
                 "nobody on the way can correct it",
    packet.PARTIAL: "the sum of the pseudo-header only; whoever puts the packet on a real wire "
                    "has to complete it (tx checksum offload, CHECKSUM_PARTIAL)",
    packet.UNFILLED: "the sum of the pseudo-header only, and the note that it is to be "
                     "completed is lost: the receiver will drop this packet",
    packet.NONE: "UDP without a checksum",
    packet.WRONG: "recomputed, it is another: the receiver will drop this packet",
}


def kind(p):
    """What the packet is: its flags, its data."""
    said = ["-".join(FLAGS.get(f, f) for f in p.flags)] if p.flags else []
    if p.data:
        said.append(f"{len(p.data)} bytes")
    return ", ".join(said)


def heading(story):
    which = "first packet with data" if story.data else "first packet"
    service = f"[{story.vip}]" if ":" in story.vip else story.vip
    return (f"{story.client.name}, port {story.port}, asks {service}:{story.service_port}: "
            f"the {which} each way, hop by hop")


def legend(story, columns):
    """The marks and words that occur, each with the lines that explain it."""
    hops = story.request + story.reply
    used = {word for h in hops for word in (h.l4_word, h.ip_word, h.outer_word)}
    if any(h.changed for h in hops):
        yield "*", ["changed since the hop before"]
    for word, meaning in MEANING.items():
        if word in used:
            yield word, textwrap.wrap(meaning, columns)
    if story.filled_in:
        yield "", ["captured with tx checksum offload off on client and backends, so that whole "
                   "sums stand in the packets"]
