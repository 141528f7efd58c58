# SPDX-License-Identifier: GPL-2.0-only
"""The hosts of the running scenario: what its description says about them, and the
interfaces that they have now."""

import ctypes
import dataclasses
import ipaddress
import json
import os
import subprocess

CLONE_NEWNET = 0x40000000
MODES = {1: "native", 2: "generic", 3: "offloaded"}
libc = ctypes.CDLL(None, use_errno=True)


class Failure(Exception):
    """An error as topo prints it: what it cannot do, the cause, what to try."""


@dataclasses.dataclass
class Interface:
    host: "Host"
    name: str
    mac: str
    addresses: list
    program: str  # the XDP program attached here and its mode, or ""

    def __str__(self):
        return f"{self.host.name} {self.name}"


@dataclasses.dataclass
class Host:
    name: str
    netns: str
    xdp: bool  # the scenario means to attach XDP here
    vips: list  # the addresses that the scenario gives to lo
    interfaces: list = dataclasses.field(default_factory=list)


class Network:
    def __init__(self, state, description):
        self.state = state
        self.hosts = {}
        for line in description.splitlines():
            name, xdp, *vips = line.split()
            self.hosts[name] = Host(name, self.netns(name), xdp == "1", vips)
        # A device without a port on a bridge belongs to the host alone: a VLAN, a veth.
        ports = {link["ifname"] for link in links(self.netns("wires"))}
        for host in self.hosts.values():
            host.interfaces = [i for i in interfaces_of(host)
                               if f"{host.name}-{i.name}" in ports]
        self.interfaces = [i for h in self.hosts.values() for i in h.interfaces]

    def netns(self, name):
        return f"{self.state}/ns/{name}/net"

    def vip(self, version):
        """The first address on the lo of a host with XDP."""
        for host in self.hosts.values():
            for vip in host.vips if host.xdp else ():
                if ipaddress.ip_address(vip).version == version:
                    return vip
        raise Failure("find the VIP", f"no host has one on lo, of IPv{version}",
                      "topology/topo show")

    def by_mac(self, mac):
        return next((i for i in self.interfaces if i.mac == mac), None)

    def owner(self, address):
        """The host with XDP that has this address of its own: a backend or an LB."""
        for i in self.interfaces:
            if i.host.xdp and address in i.addresses:
                return i.host.name
        return None

    def balancers(self):
        return [h for h in self.hosts.values() if h.xdp and not h.vips]

    def within(self, host):
        """Move this process into that host's network namespace."""
        enter(host.netns)


def enter(netns):
    with open(netns) as file:
        if libc.setns(file.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), netns)


def run_in(netns, *command):
    done = subprocess.run(["nsenter", f"--net={netns}", "--", *command], capture_output=True,
                          text=True, start_new_session=True)
    if done.returncode:
        raise Failure(f"run {' '.join(command)}", done.stderr.strip(), "make deps")
    return done.stdout


def links(netns):
    return json.loads(run_in(netns, "ip", "-j", "-d", "address"))


def interfaces_of(host):
    for link in links(host.netns):
        if link.get("link_type") != "ether":
            continue
        xdp = link.get("xdp", {})
        program = xdp.get("prog", {})
        yield Interface(host, link["ifname"], link["address"],
                        [a["local"] for a in link["addr_info"]],
                        program and f"{program.get('name') or program['id']}, "
                                    f"{MODES.get(xdp.get('mode'), 'XDP')}" or "")
