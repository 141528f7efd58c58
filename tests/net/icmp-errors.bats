#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The load balancer's own ICMP errors, as real kernels take them: a traceroute
# to the VIP sees it, an upload over a narrow way completes by them.

load lib
load uploads

LB4=172.17.0.2 LB6=2001:db8:17::2

# way MTU: sets and locks the MTU of the load balancer's routes to the backends
way() {
	local mtu=() mtu6=()
	[[ $1 == any ]] || mtu=(mtu lock "$1")
	[[ $1 == any ]] || mtu6=(mtu lock "$(($1 < 1280 ? 1280 : $1))")
	on "$LB" ip route replace 172.19.0.0/16 via "$NEXT4" "${mtu[@]}"
	on "$LB" ip -6 route replace 2001:db8:19::/64 via "$NEXT6" "${mtu6[@]}"
	lbr apply # makes lbr read which routes are locked
}

# false_sums: how many ICMP errors with a wrong checksum the client has got
false_sums() {
	# shellcheck disable=SC2016 # awk's own
	on "$CLIENT" awk '$1 == "Icmp:" && !names { names = $0; next }
		$1 == "Icmp:" { split(names, name); for (i in name)
			if (name[i] == "InCsumErrors") sum += $i }
		$1 == "Icmp6InCsumErrors" { sum += $2 }
		END { print sum + 0 }' /proc/net/snmp /proc/net/snmp6
}

# traced: the load balancer answers a packet of TTL 1, for each protocol
traced() {
	local protocol before
	before=$(false_sums)
	for protocol in tcp udp; do
		[[ $(offender "$VIP4" "$protocol" 1) == "$LB4 11 0" ]]
		[[ $(offender "$VIP6" "$protocol" 1) == "$LB6 3 0" ]]
	done
	(($(false_sums) == before))
}

offender() {
	on "$CLIENT" /usr/bin/python3 tests/net/offender.py "$@"
}

@test "traceroute to the VIP shows the load balancer: generic" {
	afresh generic
	traced
}

@test "traceroute to the VIP shows the load balancer: native" {
	afresh native
	traced
}

@test "negative control: icmp-error-limit 0: traceroute sees nobody" {
	afresh generic
	settings '$ a icmp-error-limit: 0'
	rises icmp_error_limited offender "$VIP4" udp 1
	run offender "$VIP4" udp 1
	settings
	[[ $status != 0 && $output == *"nothing was said"* ]]
}

@test "an upload over a route of MTU 1000 completes: IPv4 native" {
	afresh native
	way 1000
	completes "$VIP4"
}

@test "an upload over a route of MTU 1280 completes: IPv6 native" {
	afresh native
	way 1280
	completes "$VIP6"
}

@test "an upload to backends with mtu: 1300 completes: native" {
	local vip
	afresh native
	way any
	settings 's/weight: 1/mtu: 1300/'
	for vip in "$VIP4" "$VIP6"; do completes "$vip"; done
	settings
}

@test "an upload over a narrow leg behind the router completes by advmss" {
	local vip
	afresh generic
	narrow 1280
	announce '$ a advmss: 1200'
	for vip in "$VIP4" "$VIP6"; do [[ $(upload "$vip" 10) == "$LARGE" ]]; done
	announce
	on "$CLIENT" ip route flush cache
	# negative control
	for vip in "$VIP4" "$VIP6"; do [[ $(upload "$vip" 2) == 0 ]]; done
	narrow any
}

# routes: prints the backends' routes with all attributes
routes() {
	local backend
	for backend in "${BACKENDS[@]}"; do
		on "$backend" sh -c 'ip route; ip -6 route'
	done
}

@test "advmss is on the routes while bkd is up, and is gone afterwards" {
	local before
	afresh generic
	on backend0x ip route add 10.1.0.0/16 via 172.19.0.2 metric 5 mtu 1400 advmss 900
	on backend0x ip route add 10.2.0.0/16 via 172.19.0.2 advmss 1400
	before=$(routes)
	announce '$ a advmss: 1200'
	[[ $(on backend0x ip route show default) == *'advmss 1200'* ]]
	[[ $(on backend0x ip -6 route show default) == *'advmss 1200'* ]]
	[[ $(on backend0x ip route show 10.2.0.0/16) == *'advmss 1200'* ]]
	# a smaller advmss stays as it is
	[[ $(on backend0x ip route show 10.1.0.0/16) == *'mtu 1400 advmss 900'* ]]
	announce '$ a advmss: 1100'
	[[ $(on backend0x ip route show default) == *'advmss 1100'* ]]
	announce
	diff <(echo "$before") <(routes)
	announce '$ a advmss: 1200'
	bkd backend0x down
	bkd backend0y down
	diff <(echo "$before") <(routes)
	attach generic
}

@test "negative control: icmp-error-limit 0: it stalls" {
	local vip
	afresh native
	way 1280
	settings '$ a icmp-error-limit: 0'
	for vip in "$VIP4" "$VIP6"; do
		[[ $(upload "$vip" 3) == 0 ]]
	done
	way any
	settings
}
