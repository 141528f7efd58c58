#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The load balancer's own ICMP errors, as real kernels take them: a traceroute
# to the VIP sees it, an upload over a narrow way completes by them.

load lib

LB4=172.17.0.2 LB6=2001:db8:17::2
NEXT4=172.17.0.3 NEXT6=2001:db8:17::3
LARGE=1000000 # bytes; one window and more

# A network for each mode: native wants other ports than generic needs.
setup_file() {
	local mode
	for mode in generic native; do
		if [[ $mode == native ]]; then network --native; else network; fi
		attach "$mode"
		export "RUN_$mode=$TOPO_RUN"
	done
	head -c "$LARGE" /dev/urandom >"$BATS_FILE_TMPDIR/large"
}

teardown_file() {
	local run
	for run in "${RUN_generic-}" "${RUN_native-}"; do
		TOPO_RUN=$run network_down
	done
}

# over MODE: in the network whose programs are attached in that mode
over() {
	local name=RUN_$1
	export TOPO_RUN=${!name}
	[[ $(lbr show -j interfaces | jq -r '.interfaces[].mode') == "$1" ]]
	# What was learned by the test before would hide the fault.
	on "$CLIENT" ip route flush cache
	on "$CLIENT" ip -6 route flush cache
}

# settings [SED-EXPR...]: the scenario's file, changed
settings() {
	services "$BATS_TEST_TMPDIR/file" "$@"
	lbr apply "$BATS_TEST_TMPDIR/file"
}

# way MTU: of the load balancer's routes to the backends
way() {
	local mtu=() mtu6=()
	[[ $1 == any ]] || mtu=(mtu lock "$1")
	[[ $1 == any ]] || mtu6=(mtu lock "$(($1 < 1280 ? 1280 : $1))")
	on "$LB" ip route replace 172.19.0.0/16 via "$NEXT4" "${mtu[@]}"
	on "$LB" ip -6 route replace 2001:db8:19::/64 via "$NEXT6" "${mtu6[@]}"
}

# upload VIP SECONDS: how many bytes of the large file arrive at a backend
upload() {
	local backend name=up-$BATS_TEST_NUMBER-$RANDOM sum=0
	on "$CLIENT" curl -s -o /dev/null --max-time "$2" \
		-T "$BATS_FILE_TMPDIR/large" "$(url "$1" "upload/$name")" || :
	for backend in "${BACKENDS[@]}"; do
		! on "$backend" cmp -s "$BATS_FILE_TMPDIR/large" \
			"/run/nginx/files/$name" || ((sum += LARGE))
	done
	echo "$sum"
}

# false_sums: how many ICMP errors with a false checksum the client has had
false_sums() {
	# shellcheck disable=SC2016 # awk's own
	on "$CLIENT" awk '$1 == "Icmp:" && !names { names = $0; next }
		$1 == "Icmp:" { split(names, name); for (i in name)
			if (name[i] == "InCsumErrors") sum += $i }
		$1 == "Icmp6InCsumErrors" { sum += $2 }
		END { print sum + 0 }' /proc/net/snmp /proc/net/snmp6
}

# traced: a packet of TTL 1 is answered by the load balancer, of each protocol
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
	over generic
	traced
}

@test "traceroute to the VIP shows the load balancer: native" {
	over native
	traced
}

@test "negative control: answer-limit 0: traceroute sees nobody" {
	over generic
	settings '$ a answer-limit: 0'
	rises answer_limited offender "$VIP4" udp 1
	run offender "$VIP4" udp 1
	settings
	[[ $status != 0 && $output == *"nothing was said"* ]]
}

# completes VIP: by the load balancer's answers
completes() {
	local before
	before=$(reason too_big_answered)
	[[ $(upload "$1" 10) == "$LARGE" ]]
	(($(reason too_big_answered) > before))
}

@test "an upload over a route of MTU 1000 completes: IPv4 native" {
	over native
	way 1000
	completes "$VIP4"
}

@test "an upload over a route of MTU 1280 completes: IPv6 native" {
	over native
	way 1280
	completes "$VIP6"
}

@test "an upload to backends with mtu: 1300 completes: native" {
	local vip
	over native
	way any
	settings 's/weight: 1/mtu: 1300/'
	for vip in "$VIP4" "$VIP6"; do completes "$vip"; done
	settings
}

# narrow MTU: of the router's way to the backends; nobody tells the client
narrow() {
	local last mtu=()
	[[ $1 == any ]] || mtu=(mtu lock "$1")
	for last in 3 4; do
		on "$ROUTER" ip route replace "172.19.0.$last" dev eth1 "${mtu[@]}"
		on "$ROUTER" ip -6 route replace "2001:db8:19::$last" dev eth1 "${mtu[@]}"
	done
}

# announce SED-EXPR...: the backends go by the scenario's file, changed
announce() {
	local backend
	services "$BATS_TEST_TMPDIR/backends" "$@"
	for backend in "${BACKENDS[@]}"; do
		bkd "$backend" apply "$BATS_TEST_TMPDIR/backends"
	done
}

@test "an upload over a narrow leg behind the router completes by advmss" {
	local vip
	over generic
	narrow 1280
	announce '$ a advmss: 1200'
	for vip in "$VIP4" "$VIP6"; do [[ $(upload "$vip" 10) == "$LARGE" ]]; done
	announce
	on "$CLIENT" ip route flush cache
	# negative control
	for vip in "$VIP4" "$VIP6"; do [[ $(upload "$vip" 3) == 0 ]]; done
	narrow any
}

# routes: of the backends, with all that they say
routes() {
	local backend
	for backend in "${BACKENDS[@]}"; do
		on "$backend" sh -c 'ip route; ip -6 route'
	done
}

@test "advmss is on the routes while bkd is up, and off again" {
	local before
	over generic
	on backend0x ip route add 10.1.0.0/16 via 172.19.0.2 metric 5 mtu 1400 advmss 900
	on backend0x ip route add 10.2.0.0/16 via 172.19.0.2 advmss 1400
	before=$(routes)
	announce '$ a advmss: 1200'
	[[ $(on backend0x ip route show default) == *'advmss 1200'* ]]
	[[ $(on backend0x ip -6 route show default) == *'advmss 1200'* ]]
	[[ $(on backend0x ip route show 10.2.0.0/16) == *'advmss 1200'* ]]
	# what is less already stays
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

@test "negative control: answer-limit 0: it stalls" {
	local vip
	over native
	way 1280
	settings '$ a answer-limit: 0'
	for vip in "$VIP4" "$VIP6"; do
		[[ $(upload "$vip" 3) == 0 ]]
	done
	way any
	settings
}
