# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Scenario: three servers with five worker threads each, and a queue before them
# Then: lb      make -C LoadBalancer CONFIG=topology/workers/services.yaml
# Then: server1 make -C Backend CONFIG=topology/workers/services.yaml
# Then: server1 build/topology/workers/server
# Then: client  build/topology/workers/client 500 500 500
#
#  client        lb            server1       server2       server3
#  .2            .3            .11           .12           .13
#                              lo: VIP       lo: VIP       lo: VIP  192.168.25.10
#   eth0          eth0          eth0          eth0          eth0
#    |             |             |             |             |
#  --+-------------+-------------+-------------+-------------+--  172.18.0.0/16
#
# A request goes client > lb > server, the reply server > client, and the
# server's message that it is done server > lb.

segment lan

lan() { # NAME LAST
	host "$1"
	iface eth0 lan "172.18.0.$2/16" "2001:db8:18::$2/64"
}

server() { # NAME LAST
	lan "$1" "$2"
	xdp
	address lo 192.168.25.10/32 2001:db8:25::10/128
	sysctl net.ipv4.conf.all.arp_ignore 1
	sysctl net.ipv4.conf.all.arp_announce 2
}

lan client 2
route 192.168.25.10 172.18.0.3
route 2001:db8:25::10 2001:db8:18::3
lan lb 3
xdp
server server1 11
server server2 12
server server3 13
