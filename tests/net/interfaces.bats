#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# One load balancer on two interfaces, with clients on both, and backends
# behind one or both: a packet may come in by either and leave by either.

# shellcheck disable=SC2034,SC2154 # for lib; `run`

bats_require_minimum_version 1.5.0
load lib

setup_file() {
	local mode
	for mode in generic native; do
		if [[ $mode == native ]]; then
			network --native twolegged
		else
			network twolegged
		fi
		export "RUN_$mode=$TOPO_RUN"
	done
}

teardown_file() {
	networks_down generic native
}

# up_on MODE IFACE...: both programs, xdp_lbr on these alone
up_on() {
	local name=RUN_$1 mode=$1 options=() iface
	export TOPO_RUN=${!name}
	for iface in "${@:2}"; do options+=(-i "$iface"); done
	attach "$mode"
	lbr down >/dev/null
	lbr up "${options[@]}" -m "$mode" >/dev/null
	[[ $(lbr show -j interfaces | jq -r '.interfaces[] | .interface + .mode' | sort) == \
		"$(printf "%s$mode\n" "${@:2}")" ]]
}

# both_ask VIP FILTER: at once, 40 requests from each client, all answered
both_ask() {
	local asking
	CLIENT=client0z answers "$1" 40 --fail-early >"$BATS_TEST_TMPDIR/back" 3>&- &
	asking=$!
	answers "$1" 40 --fail-early | shared 40 4 36
	wait "$asking"
	shared 40 4 36 <"$BATS_TEST_TMPDIR/back"
}

# clients_on_both MODE VIP BACKEND-PREFIX ROUTER
clients_on_both() {
	local before
	up_on "$1" eth0 eth1
	both_ask "$2" # neighbours
	before=$(lbr show -j reasons)
	both_ask "$2"
	# curlybox01's change the interface, client0z's do not
	(($(rose redirected) > 40 * 4 && $(rose forwarded) > 40 * 4))
	(($(rose neighbour_unresolved) == 0))

	# one backend behind the other interface: then both clients' do both
	on "$LB" ip route add "$3" via "$4"
	both_ask "$2"
	before=$(lbr show -j reasons)
	both_ask "$2"
	(($(rose redirected) > 40 * 2 && $(rose forwarded) > 40 * 2))
	on "$LB" ip route del "$3"
}

@test "clients on both interfaces at once, backends on one and on both: IPv4 generic" {
	clients_on_both generic "$VIP4" 172.19.0.3 172.17.0.3
}

@test "clients on both interfaces at once, backends on one and on both: IPv6 generic" {
	clients_on_both generic "$VIP6" 2001:db8:19::3 2001:db8:17::3
}

@test "clients on both interfaces at once, backends on one and on both: IPv4 native" {
	clients_on_both native "$VIP4" 172.19.0.3 172.17.0.3
}

@test "clients on both interfaces at once, backends on one and on both: IPv6 native" {
	clients_on_both native "$VIP6" 2001:db8:19::3 2001:db8:17::3
}

# What comes in by an interface that was not named is the kernel's, which has
# no VIP.
@test "a client behind an interface that was not named is not served" {
	up_on generic eth0
	get "$VIP4" >/dev/null
	get "$VIP6" >/dev/null
	CLIENT=client0z
	run ! get "$VIP4" --max-time 0.5
	run ! get "$VIP6" --max-time 0.5
	lbr up -i eth0 -i eth1 -m generic
	get "$VIP4" >/dev/null
	get "$VIP6" >/dev/null
}

# XDP sees what comes in by an interface, not what the host itself sends.

@test "a client on a backend is answered by that backend" {
	up_on generic eth0 eth1
	[[ $(CLIENT=backend0x answers "$VIP4" 10 --fail-early) == "backend0x 10" ]]
	[[ $(CLIENT=backend0y answers "$VIP6" 10 --fail-early) == "backend0y 10" ]]
}

@test "a client on the load balancer is served by way of a router, not otherwise" {
	up_on generic eth0 eth1
	answers "$VIP4" 20 --fail-early # neighbours: no kernel asks for its own
	CLIENT=$LB
	run -7 get "$VIP4"
	on "$ROUTER" ip route add "$VIP4" via 172.17.0.2
	on "$LB" ip route add "$VIP4" via 172.17.0.3
	rises redirected balanced "$VIP4" 40 4 36
	on "$LB" ip route del "$VIP4"
	on "$ROUTER" ip route del "$VIP4"
}
