# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Scenario: two load balancers that share a VIP by VRRP, three servers, a user
# Then: lb1   make -C LoadBalancer
# Then: lb2   make -C LoadBalancer
# Then: web1  make -C Backend
# Then: web2  make -C Backend
# Then: web3  make -C Backend
# Then: lb1   topology/vrrp/pair.sh start
# Then: lb2   topology/vrrp/pair.sh start
# Then: user  curl http://10.0.0.200/
#
#  user        lb1         lb2         web1        web2        web3
#  .100        .1          .2          .11         .12         .13
#               VIP .200 on one of       lo: VIP     lo: VIP     no VIP
#               the two
#   eth0        eth0        eth0        eth0        eth0        eth0
#    |           |           |           |           |           |
#  --+-----------+-----------+-----------+-----------+-----------+--
#                    ingress  10.0.0.0/24  2001:db8:10::/64
#
# keepalived puts the VIP on lb1 or lb2, which sends a request to a server's MAC
# address and changes nothing else in it (forward: l2). The servers answer the
# user directly. web3 has no VIP: its server listens on its own address (restore:
# tc).

segment ingress

ingress() { # NAME LAST
	host "$1"
	iface eth0 ingress "10.0.0.$2/24" "2001:db8:10::$2/64"
}

web() { # NAME LAST
	ingress "$1" "$2"
	xdp
	runs topology/l3dsr/serve.sh topology/vrrp/nginx.conf
}

# No server may answer ARP for the VIP on its lo: a load balancer does.
vip() {
	address lo 10.0.0.200/32 2001:db8:10::200/128
	sysctl net.ipv4.conf.all.arp_ignore 1
	sysctl net.ipv4.conf.all.arp_announce 2
}

ingress user 100
ingress lb1 1
xdp
ingress lb2 2
xdp
web web1 11
vip
web web2 12
vip
web web3 13
