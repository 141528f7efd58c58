# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Scenario: l3dsr with ECMP on the router, three load balancers, six backends
# Then: lbdsr0a    make -C LoadBalancer
# Then: lbdsr0b    make -C LoadBalancer
# Then: backend0x  make -C Backend
# Then: backend0y  make -C Backend
# Then: backend0z  make -C Backend
# Then: backend0w  make -C Backend
# Then: backend0u  make -C Backend
# Then: backend0v  make -C Backend
#
#  curlybox01 .4 --+                          +-- .3 backend0x
#                  |                          +-- .4 backend0y
#  lbdsr0a    .2 --+-- .3 router0a .2 --------+-- .5 backend0z
#  lbdsr0b    .5 --+                          +-- .6 backend0w
#  lbdsr0c    .6 --+                          +-- .7 backend0u
#                  |                          +-- .8 backend0v
#                front                       back
#
# The client's route to the VIP leads to the router, which sends each flow to
# lbdsr0a or lbdsr0b, by the hash of its addresses and ports. lbdsr0c has no part
# in that before somebody says so. What a routing daemon would do when a load
# balancer dies or joins, `ip route replace` does on the router.

# shellcheck source=/dev/null
. "$HERE/l3dsr/network.sh"

host curlybox01
in_front 4
vip_via 172.17.0.3 2001:db8:17::3
# The client must not bypass the router, although the load balancers are its
# neighbours.
sysctl net.ipv6.conf.eth0.accept_redirects 0

on router0a
route "$VIP4" 172.17.0.2 172.17.0.5
route "$VIP6" 2001:db8:17::2 2001:db8:17::5
sysctl net.ipv4.fib_multipath_hash_policy 1
sysctl net.ipv6.fib_multipath_hash_policy 1
for interface in all eth0 eth1; do
	sysctl "net.ipv4.conf.$interface.send_redirects" 0
done

host lbdsr0b
xdp
in_front 5

host lbdsr0c
xdp
in_front 6

backend backend0z 5
backend backend0w 6
backend backend0u 7
backend backend0v 8
