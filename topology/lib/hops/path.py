# SPDX-License-Identifier: GPL-2.0-only
"""Joins the captures of one packet into its path: what each hop changed, and where the
path ends if it ends too early."""

import packet
from capture import SENDS, STACK

# The shown fields that a hop may change.
FIELDS = ("smac", "dmac", "outer_src", "outer_dst", "outer_ttl", "outer_sum", "src", "dst",
          "ttl", "ip_sum", "sport", "dport", "sum")


class Hop:
    def __init__(self, sight, before, story):
        self.interface, self.way, self.time = sight.interface, sight.way, sight.time
        self.host = self.interface.host
        self.packet = sight.packet
        self.same = before is not None and before.frame == sight.frame
        self.frame = sight.frame
        self.before = before
        self.changed = {f for f in FIELDS if before and
                        getattr(before.packet, f) != getattr(self.packet, f)}
        self.outer_word = self.packet.outer_word()
        self.ip_word = self.packet.ip_word()
        self.l4_word = self.packet.l4_word(story.vip if story.to_vip(self.packet)
                                           else self.packet.dst)

    def where(self):
        kernel = f"the kernel of {self.host.name}"
        return f"{kernel} gets" if self.way == STACK else f"{self.interface} {self.way}"

    def what(self, story):
        """Explains what happened at this hop."""
        p = self.packet
        if self.before is None and p.src == story.client_address:
            return "the client asks the VIP"
        if self.before is None:
            return "the answer, from " + ("the VIP" if p.src == story.vip else p.src)
        by = self.interface.program.partition(",")[0] or "its kernel"
        if p.outer and not self.before.packet.outer:
            return f"{by} put it into a packet to {p.to}"
        if self.before.packet.outer and not p.outer:
            return f"{by} took it out of the outer packet"
        if "outer_dst" in self.changed:
            return f"{by} passed it on to {p.to}"
        if "dst" in self.changed:
            if p.dst == story.vip:
                return f"{by} restored the VIP"
            return f"{by} wrote {p.dst} over the VIP" + (
                " and lets the kernel send it" if self.way == STACK else "")
        if self.way == STACK:
            lacks = self.host.vips and story.to_vip(p) and p.to != story.vip
            return "nothing restored the VIP" if lacks else "passed up"
        if self.same:
            return "bit for bit the same"
        if "sum" in self.changed and self.before.packet.partial:
            return "the checksum is filled in"
        return "routed" if {"ttl", "outer_ttl"} & self.changed else ""


class Story:
    """One request and its answer."""

    def __init__(self, network, sights, client, vip, port, service_port, args):
        self.network, self.client, self.vip = network, client, vip
        self.port, self.service_port = port, service_port
        self.data, self.filled_in = args.data, not args.offload
        self.decoded = []
        for sight in sorted(sights, key=lambda s: s.time):
            try:
                sight.packet = packet.Packet(sight.frame, sight.partial)
            except ValueError:
                continue
            if self.meant(sight):
                self.decoded.append(sight)
        asked = [s for s in self.decoded if s.packet.dport == service_port]
        self.client_address = asked[0].packet.src if asked else None
        self.request = self.way(asked)
        self.reply = self.way([s for s in self.decoded if s.packet.sport == service_port])

    def meant(self, sight):
        """Bridges flood frames: a host ignores frames for another MAC address."""
        return sight.way == SENDS or sight.packet.dmac == sight.interface.mac

    def to_vip(self, p):
        return p.dport == self.service_port

    def way(self, sights):
        """The captures of the first packet, or of the first with data, up to its
        retransmission."""
        sights = [s for s in sights if s.packet.data or not self.data]
        hops = []
        for s in sights:
            if s.packet.ident() != sights[0].packet.ident():
                continue
            if hops and s.interface is sights[0].interface and s.frame == sights[0].frame:
                break
            hops.append(Hop(s, hops[-1] if hops else None, self))
        return hops

    def name(self, address):
        """The name of an address."""
        if address == self.vip:
            return "VIP"
        return self.network.owner(address) or ""

    def hosts(self):
        """The hosts on the path, in order; the LBs always, if they are at work."""
        names = [self.client.name] + [h.host.name for h in self.request + self.reply] + [
            h.name for h in self.network.balancers() if any(i.program for i in h.interfaces)]
        return list(dict.fromkeys(names))

    def answered(self):
        return bool(self.reply) and self.reply[-1].host is self.client and (
            self.reply[-1].packet.src == self.vip)

    def verdict(self):
        """Lines that say how it went and, after a failure, where it ended."""
        if not self.request and self.data:
            return [f"{self.client.name} came to send no data", "try: without --data"]
        if not self.request:
            return [f"{self.client.name} sent nothing",
                    f"try: topology/topo exec {self.client.name} ip route get {self.vip}"]
        if not self.reply:
            return self.no_reply(self.request[-1])
        if self.answered():
            return self.good()
        last = self.reply[-1]
        if last.packet.src != self.vip:
            return [f"{self.reply[0].host.name} answers from {last.packet.src}; "
                    f"{self.client.name} asked {self.vip} and takes no answer from another",
                    *self.look_at(self.reply[0].host)]
        return [f"the answer ends here: {self.end(last)}", *self.look_at(last.host)]

    def good(self):
        backend = self.reply[0].host.name
        lines = [f"{self.client.name} asked the VIP and {backend} answered from the VIP"]
        through = {h.host.name for h in self.reply} & {
            h.name for h in self.network.balancers()}
        if through:
            lines.append(f"the answer passed {', '.join(through)}: this is no direct return")
        else:
            lines.append("the answer passed no load balancer")
        return lines

    def no_reply(self, last):
        if last.way == STACK and last.host.vips:
            if last.packet.to == self.vip:
                return [f"{last.host.name} got the request for the VIP and did not answer",
                        f"try: topology/topo exec {last.host.name} ss -ltun"]
            return [f"the packet reached {last.host.name}, and nothing restored the VIP: there "
                    "is no answer", *self.dropped(last), *self.look_at(last.host)]
        return [f"{self.end(last)}; there is no answer", *self.look_at(last.host)]

    def dropped(self, last):
        if self.request[-1].l4_word == packet.KEPT:
            yield (f"the kernel of {last.host.name} sees {last.packet.dst} and the checksum of "
                   "the VIP, and drops it")

    def end(self, last):
        if last.way == SENDS:
            to = self.network.by_mac(last.packet.dmac)
            return f"what {last.host.name} sent did not arrive" + (
                f" at {to}" if to else f": no host here has {last.packet.dmac}")
        return f"nothing leaves {last.host.name}"

    def look_at(self, host):
        """What to try at the place where the path ended."""
        on = f"try: topology/topo exec {host.name}"
        if not host.xdp:
            to = self.client_address if self.reply else self.request[-1].packet.to
            yield f"{on} ip route get {to}"
            return
        folder, tool = ("Backend", "bkd") if host.vips else ("LoadBalancer", "lbr")
        programs = [i.program for i in host.interfaces if i.program]
        if not programs:
            yield f"{host.name} has no XDP program; {on} make -C {folder}"
            return
        yield f"{on} {folder}/{tool} show reasons"
        if tool == "lbr" and any(p.endswith("native") for p in programs):
            yield ("forwarded, but not seen here? What native XDP sends, a veth delivers only if "
                   "its other end has an XDP program: topology/topo up --native")
