# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Scenario: a fat tree (k = 4): 20 switches with BGP, 16 hosts, two load balancers
# Then: h1   make -C LoadBalancer
# Then: h2   make -C LoadBalancer
# Then: h13  make -C Backend
# Then: h14  make -C Backend
# Then: h15  make -C Backend
# Then: h16  make -C Backend
# Then: h1   topology/fattree/announce on
# Then: h2   topology/fattree/announce on
# Then: h3   wget -O - http://20.0.0.1/streaming.html
#
#          c1             c2              c3             c4         cores
#
#      pod 0          pod 1           pod 2          pod 3
#    a1     a2      a3     a4       a5     a6      a7     a8        aggregation
#     |  ><  |       |  ><  |        |  ><  |       |  ><  |
#    t1     t2      t3     t4       t5     t6      t7     t8        top of rack
#   h1 h2  h3 h4   h5 h6  h7 h8    h9 h10 h11 h12 h13 h14 h15 h16
#    LBs            clients: h3 to h12                servers
#
# The first switch of each pod's aggregation has a link to c1 and c2, the second
# one to c3 and c4. Each link is a network of its own; all addresses of a pod
# begin with 10.POD:
#
#   10.POD.RACK.0/30, .4/30     to a rack's hosts; the switch has .1 and .5, RACK
#                               is 0 or 1
#   10.POD.2.0/31 to .6/31      of the pod's first aggregation switch: down to
#   10.POD.3.0/31 to .6/31      both racks, up to two cores; 3: of the second
#
# What switches tell each other is 10.POD.RACK.0/24 of each rack, and 20.0.0.1/32,
# the VIP, which load balancers announce to the switch above them: BGP in the way
# of RFC 7938, by bird2. Between two hosts of different pods there are four ways;
# a switch chooses for each flow, by the hash of addresses and ports.
#
# Nobody asks for the MAC address of the VIP: to a server's switch it is no
# neighbour.

VIP=20.0.0.1

needs bird bird2
needs wget wget

# switch NAME ROUTER-ID AS BELOW AGGREGATE ABOVE...: for these, see route.sh
switch() {
	host "$1"
	sysctl net.ipv4.conf.all.forwarding 1
	sysctl net.ipv4.fib_multipath_hash_policy 1
	# Two switches that hash alike do not divide what each other has divided
	# already. Before 6.11 all on one machine hash alike.
	[[ ! -e /proc/sys/net/ipv4/fib_multipath_hash_seed ]] ||
		sysctl net.ipv4.fib_multipath_hash_seed "${#HOSTS[@]}"
	runs topology/fattree/route.sh "${@:2}"
}

# wire BRIDGE UPPER IFACE ADDRESS/LEN LOWER IFACE ADDRESS/LEN: two declared hosts
wire() {
	segment "$1"
	on "$2"
	iface "$3" "$1" "$4"
	on "$5"
	iface "$6" "$1" "$7"
}

# rack POD RACK: 0 or 1 of the pod; its switch and its two hosts
rack() {
	local net=10.$1.$2 t=$((2 * $1 + $2 + 1)) i
	switch "t$t" "$net.1" "$((65100 + t))" "$net.0/24" "$net.0/24" \
		"10.$1.2.$((2 * $2))" "10.$1.3.$((2 * $2))"
	settled topology/fattree/route.sh settled 14
	for i in 0 1; do
		host "h$((2 * t - 1 + i))"
		wire "t$t-$i" "t$t" "eth$i" "$net.$((4 * i + 1))/30" \
			"h$((2 * t - 1 + i))" eth0 "$net.$((4 * i + 2))/30"
		route default "$net.$((4 * i + 1))"
	done
}

# aggregation POD SIDE: 0 or 1 of the pod, with wires to both racks and two cores
aggregation() {
	local net=10.$1.$((2 + $2)) a=$((2 * $1 + $2 + 1)) core=$((2 * $2 + 1)) i
	switch "a$a" "$net.1" "$((65010 + $1))" "$net.0/30" - "$net.5" "$net.7"
	settled topology/fattree/route.sh settled 14
	for i in 0 1; do
		wire "a$a-$i" "a$a" "eth$i" "$net.$((2 * i))/31" \
			"t$((2 * $1 + i + 1))" "eth$((2 + $2))" "$net.$((2 * i + 1))/31"
	done
	for i in 0 1; do
		wire "c$((core + i))-$1" "c$((core + i))" "eth$1" \
			"$net.$((5 + 2 * i))/31" "a$a" "eth$((2 + i))" "$net.$((4 + 2 * i))/31"
	done
}

for c in 1 2 3 4; do
	switch "c$c" "10.255.0.$c" 65000 10.0.0.0/8 -
	settled topology/fattree/route.sh settled 8
done
for pod in 0 1 2 3; do
	rack "$pod" 0
	rack "$pod" 1
	aggregation "$pod" 0
	aggregation "$pod" 1
done

# h3 becomes one in the demo
for h in h1 h2 h3; do
	on "$h"
	xdp
done

for h in h13 h14 h15 h16; do
	on "$h"
	xdp
	address lo "$VIP/32"
	runs topology/fattree/serve.sh
done
