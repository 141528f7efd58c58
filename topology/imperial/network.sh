# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Scenario: one bridge: two clients, two servers that run nc, the load balancer
# Then: lb  make -C LoadBalancer
# Then: h2  make -C Backend
# Then: h3  make -C Backend
# Then: h2  nc -lk 8080
# Then: h3  nc -lk 8080
# Then: h1  nc 10.0.0.10 8080
#
#  h1            h2            h3            h4            lb
#  client        server        server        client        .9 (::9)
#  .1 (::1)      .2 (::2)      .3 (::3)      .4 (::4)      VIP .10 (::10)
#   eth0          eth0          eth0          eth0          eth0
#    |             |             |             |             |
#  --+-------------+-------------+-------------+-------------+--
#                         lan  10.0.0.0/16  2001:db8:10::/64
#
# The VIP is on the servers' lo, too. So the load balancer needs another address
# for itself: a server takes no packet from an address that is its own, and does
# not answer ARP from there.

segment lan

lan() { # NAME LAST
	host "$1"
	iface eth0 lan "10.0.0.$2/16" "2001:db8:10::$2/64"
}

server() { # NAME LAST
	lan "$1" "$2"
	xdp
	address lo 10.0.0.10/32 2001:db8:10::10/128
	sysctl net.ipv4.conf.all.arp_ignore 1
	sysctl net.ipv4.conf.all.arp_announce 2
	runs topology/l3dsr/serve.sh
}

lan h1 1
server h2 2
server h3 3
lan h4 4
lan lb 9
xdp
