# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Scenario: the walkthrough: client, LB, router, two backends on another segment
# Then: lbdsr0a    make -C LoadBalancer
# Then: backend0x  make -C Backend
# Then: backend0y  make -C Backend
#
#  curlybox01                 lbdsr0a
#  .4 (::4)                   .2 (::2)
#   eth0                       eth0
#    |                          |
#  --+------------+-------------+--   front  172.17.0.0/16  2001:db8:17::/64
#                 |
#                eth0
#           .3 (::3) router0a
#           .2 (::2)
#                eth1
#                 |
#  --+------------+-------------+--   back   172.19.0.0/16  2001:db8:19::/64
#    |                          |
#   eth0                       eth0
#  .3 (::3)                   .4 (::4)
#  backend0x                  backend0y
#   lo: VIP                    lo: VIP     192.168.25.10  2001:db8:25::10
#
# A request goes curlybox01 > lbdsr0a > router0a > backend, the reply
# backend > router0a > curlybox01. The LB's own settings are the kernel's
# defaults: it forwards nothing until told to.

VIP4=192.168.25.10
VIP6=2001:db8:25::10

segment front
segment back

# in_front LAST, in_back LAST: eth0 on that segment, and the route to the other
# one
in_front() {
	iface eth0 front "172.17.0.$1/16" "2001:db8:17::$1/64"
	route 172.19.0.0/16 172.17.0.3
	route 2001:db8:19::/64 2001:db8:17::3
}

in_back() {
	iface eth0 back "172.19.0.$1/16" "2001:db8:19::$1/64"
	route default 172.19.0.2
	route default 2001:db8:19::2
}

vip_via() { # GATEWAY4 GATEWAY6
	route "$VIP4" "$1"
	route "$VIP6" "$2"
}

host curlybox01
in_front 4
vip_via 172.17.0.2 2001:db8:17::2

host lbdsr0a
xdp
in_front 2

host router0a
iface eth0 front 172.17.0.3/16 2001:db8:17::3/64
iface eth1 back 172.19.0.2/16 2001:db8:19::2/64
sysctl net.ipv4.conf.all.forwarding 1
sysctl net.ipv6.conf.all.forwarding 1

# No host may answer ARP or ND for the VIP on its lo: the LB answers for it.
backend() { # NAME LAST
	host "$1"
	xdp
	in_back "$2"
	address lo "$VIP4/32" "$VIP6/128"
	sysctl net.ipv4.conf.all.arp_ignore 1
	sysctl net.ipv4.conf.all.arp_announce 2
	runs topology/l3dsr/serve.sh
}

backend backend0x 3
backend backend0y 4
