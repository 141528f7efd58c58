# SPDX-License-Identifier: GPL-2.0-only
"""The picture as SVG: the hosts as lanes, an arrow for each wire that the
packet crosses, and beside it the headers that are on that wire. No scripts,
no fonts, nothing to load; dark mode follows the reader's screen."""

import xml.etree.ElementTree as ET

import words
from boxes import COLUMN, LINE, STYLES, boxes
from capture import RECEIVES, SENDS, STACK

LANE, ROW, MARGIN = 110, 106, 16
MANY, NARROW = 8, 76  # more lanes than that are narrow

STYLE = """
text { font: 12px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; fill: #1f2328 }
.card { fill: #ffffff; stroke: #d1d9e0 }
.ground { fill: #ffffff }
.box { fill: #f6f8fa; stroke: #d1d9e0 }
.title, .host, .label, .say, .note { font-family: system-ui, 'DejaVu Sans', Helvetica, Arial, sans-serif }
.title { font-size: 15px; font-weight: bold }
.host { font-size: 13px; font-weight: bold }
.small { font-size: 10px }
.say { font-size: 13px }
.note { font-size: 11px }
.muted, .label { fill: #59636e }
.label { font-size: 10px }
.bold { font-weight: bold }
.vip { fill: #0550ae; font-weight: bold }
.backend { fill: #953800; font-weight: bold }
.good { fill: #116329 }
.kept { fill: #6639ba; font-weight: bold }
.bad { fill: #cf222e; font-weight: bold }
.changed { fill: #fff8c5; stroke: #bf8700 }
.lane { stroke: #afb8c1; stroke-dasharray: 3 4 }
.arrow { stroke: #1f2328; stroke-width: 1.6; fill: none }
.tip { fill: #1f2328 }
.lost { stroke: #cf222e; stroke-width: 2.5 }
.number { fill: #1f2328 }
.digits { fill: #ffffff; font-size: 10px; font-weight: bold }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.card { fill: #0d1117; stroke: #3d444d }
.ground { fill: #0d1117 }
.box { fill: #151b23; stroke: #3d444d }
.muted, .label { fill: #9198a1 }
.vip { fill: #79c0ff }
.backend { fill: #ffa657 }
.good { fill: #56d364 }
.kept { fill: #d2a8ff }
.bad { fill: #ff7b72 }
.changed { fill: #3b2e00; stroke: #bb8009 }
.lane { stroke: #656c76 }
.arrow { stroke: #e6edf3 }
.tip, .number { fill: #e6edf3 }
.digits { fill: #0d1117 }
.lost { stroke: #ff7b72 }
}
"""


class Drawing:
    def __init__(self):
        self.root = ET.Element("svg", xmlns="http://www.w3.org/2000/svg")
        ET.SubElement(self.root, "style").text = STYLE
        self.card = self.add("rect", x=0.5, y=0.5, rx=8, **{"class": "card"})

    def add(self, tag, parent=None, **attributes):
        parent = self.root if parent is None else parent
        return ET.SubElement(parent, tag, {k.replace("_", "-"): str(v)
                                           for k, v in attributes.items()})

    def text(self, x, y, text, style="", anchor="start"):
        self.add("text", x=x, y=y, text_anchor=anchor, **{"class": style}).text = text

    def number(self, x, y, number):
        self.add("circle", cx=x, cy=y, r=8, **{"class": "number"})
        self.text(x, y + 3.5, str(number), "digits", "middle")


class Picture(Drawing):
    def __init__(self, story, scenario):
        super().__init__()
        self.story, self.names = story, story.hosts()
        self.pitch = LANE if len(self.names) <= MANY else NARROW
        self.left = MARGIN + len(self.names) * self.pitch + 8  # where headers begin
        self.y = MARGIN
        self.columns = self.measure()
        self.right = self.left + sum(self.columns)
        lanes = ET.SubElement(self.root, "g")
        title = f"{scenario}: {words.heading(story)}"
        self.add("title").text = title
        self.text(MARGIN, self.y + 14, title, "title")
        self.y += 34
        self.heads()
        top = self.y
        self.section("The request", story.request, 1)
        self.section("The answer", story.reply, 1 + len(story.request))
        for name in self.names:
            self.add("line", lanes, x1=self.lane(name), x2=self.lane(name), y1=top,
                     y2=self.y, **{"class": "lane"})
        self.foot()
        self.frame()

    def lane(self, name):
        return MARGIN + self.names.index(name) * self.pitch + self.pitch / 2

    def measure(self):
        """The width of each of the columns, where the hops' headers stand."""
        widths = [0] * 4
        for hop in self.story.request + self.story.reply:
            for n, _, lines in boxes(self.story, hop):
                widths[n] = max([widths[n]] + [sum(len(t) for t, _, _ in line)
                                               for line in lines])
        return [w and round(20 + COLUMN * w) for w in widths]

    def heads(self):
        hosts = [self.story.network.hosts[name] for name in self.names]
        height = 30 + 13 * max(len(self.labels(h)) for h in hosts)
        for host in hosts:
            x = self.lane(host.name)
            self.add("rect", x=x - self.pitch / 2 + 3, y=self.y, width=self.pitch - 6,
                     height=height, rx=6, **{"class": "box"})
            self.text(x, self.y + 17, host.name, "host", "middle")
            for n, (label, style) in enumerate(self.labels(host)):
                self.text(x, self.y + 34 + 13 * n, label, f"small {style}", "middle")
        self.y += height

    def labels(self, host):
        """What is below a host's name: its addresses, unless it is a switch with many, and
        its XDP program."""
        labels = []
        for i in host.interfaces if len(host.interfaces) <= 2 else ():
            labels += [(a, "backend" if host.vips else "") for a in i.addresses
                       if (":" in a) == (":" in self.story.vip) and not a.startswith("fe80")]
        if host.vips:
            labels.append((self.story.vip, "vip"))
        programs = [i.program for i in host.interfaces if i.program]
        said, style = (programs[0], "bold") if programs else ("no XDP program", "bad")
        if host.xdp:
            labels += [(part, style) for part in
                       ([said] if self.pitch == LANE else said.rsplit(" ", 1))]
        return labels

    def section(self, name, hops, number):
        if not hops:
            return
        self.y += 26
        self.text(self.left, self.y, name, "title")
        self.y += 4
        rest = list(enumerate(hops, number))
        while rest:
            number, hop = rest.pop(0)
            arrival = None
            if hop.way == SENDS and rest and rest[0][1].way == RECEIVES:
                arrival = rest.pop(0)
            self.row(number, hop, arrival)
            if arrival and not arrival[1].same:
                self.row(*arrival, None)

    def row(self, number, hop, arrival):
        y = self.y + 62
        what = hop.what(self.story)
        self.text(self.left, self.y + 20, hop.where() + (f": {what}" if what else ""),
                  "say bold")
        for column, title, lines in boxes(self.story, hop):
            self.headers(title, lines, self.left + sum(self.columns[:column]), self.y + 28,
                         self.columns[column] - 8)
        if hop.way == STACK:
            self.upward(number, hop, y)
        elif hop.way == RECEIVES:
            self.number(self.lane(hop.host.name), y, number)
        elif arrival:
            self.arrow(number, hop, y, self.lane(arrival[1].host.name), arrival[0])
        else:
            to = self.story.network.by_mac(hop.packet.dmac)
            known = to and to.host.name in self.names and to.host is not hop.host
            self.arrow(number, hop, y, self.lane(to.host.name) if known
                       else self.lane(hop.host.name) + self.pitch / 2, None)
        self.y += ROW

    def headers(self, title, lines, x, y, width):
        self.add("rect", x=x, y=y, width=width, height=20 + LINE * 3, rx=4,
                 **{"class": "box"})
        self.text(x + 6, y + 13, title, "label")
        for n, line in enumerate(lines):
            column, base = 0, y + 29 + n * LINE
            for text, style, changed in line:
                at = x + 6 + COLUMN * (column + len(text) - len(text.lstrip()))
                if changed:
                    self.add("rect", x=round(at - 1, 1), y=base - 12, rx=3, height=LINE - 1,
                             width=round(COLUMN * len(text) + 2, 1), **{"class": "changed"})
                if text.strip():
                    self.text(round(at, 1), base, text.strip(), style)
                column += len(text)

    def arrow(self, number, hop, y, end, arrival):
        """From one lane to another, in a curve over the lanes between."""
        start = self.lane(hop.host.name)
        way = 1 if end > start else -1
        path = f"M{start} {y}"
        for name in sorted(self.names, key=lambda n: way * self.lane(n)):
            x = self.lane(name)
            if min(start, end) < x < max(start, end):
                path += f" H{x - 12 * way} A12 12 0 0 {1 if way > 0 else 0} {x + 12 * way} {y}"
                if hop in self.story.reply and (
                        self.story.network.hosts[name] in self.story.network.balancers()):
                    self.bypassed(x, y, name)
        self.add("path", d=f"{path} H{end - 9 * way}", **{"class": "arrow"})
        if arrival:
            tip = end - 8 * way
            self.add("path", d=f"M{tip} {y} l{-9 * way} -4.5 v9 z", **{"class": "tip"})
            self.number(end, y, arrival)
        else:
            self.add("path", d=f"M{end - 6} {y - 6} l12 12 m0 -12 l-12 12", **{"class": "lost"})
        self.number(start, y, number)
        p, vip = hop.packet, self.story.vip
        label, address = (("from", p.src) if hop in self.story.reply else ("to", p.to))
        self.text((start + way * self.pitch / 2), y - 20, label, "label", "middle")
        self.text((start + way * self.pitch / 2), y - 8, address,
                  "small " + ("vip" if address == vip else "backend"), "middle")

    def bypassed(self, x, y, name):
        self.add("rect", x=x - 32, y=y + 6, width=64, height=27, **{"class": "ground"})
        self.text(x, y + 16, "not through", "label", "middle")
        self.text(x, y + 28, name, "label", "middle")

    def upward(self, number, hop, y):
        """Through the XDP program to the host's own kernel."""
        x = self.lane(hop.host.name)
        self.add("path", d=f"M{x} {y - 26} a26 20 0 0 1 0 40", **{"class": "arrow"})
        self.add("path", d=f"M{x + 8} {y + 14} l9 -4.5 v9 z", **{"class": "tip"})
        program = hop.interface.program.partition(",")[0]
        self.text(x - 8, y - 6, program or "no XDP", "small bold" if program else "small bad",
                  "end")
        self.number(x, y + 14, number)

    def foot(self):
        self.y += 24
        first, *rest = self.story.verdict()
        for n, line in enumerate([first, *rest]):
            bold = "" if n else "bold" if self.story.answered() else "bad"
            self.text(MARGIN, self.y, line, f"say {bold}")
            self.y += 18
        self.y += 6
        for word, lines in words.legend(self.story, int((self.right - MARGIN - 60) / 6)):
            if word:
                self.text(MARGIN, self.y, word, f"note {STYLES.get(word, 'bold')}")
            for line in lines:
                self.text(MARGIN + 60, self.y, line, "note muted")
                self.y += 16

    def frame(self):
        width, height = round(self.right + MARGIN - 8), round(self.y + 2)
        self.root.set("viewBox", f"0 0 {width} {height}")
        self.root.set("width", str(width))
        self.root.set("height", str(height))
        self.card.set("width", str(width - 1))
        self.card.set("height", str(height - 1))


def draw(story, file, scenario):
    tree = ET.ElementTree(Picture(story, scenario).root)
    ET.indent(tree)
    tree.write(file, encoding="utf-8", xml_declaration=True)
    with open(file, "ab") as end:
        end.write(b"\n")
