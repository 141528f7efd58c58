# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# fleet.bash - several load balancers, of which one may die, and connections
# that notice (flows.bash): scenario fleet

# shellcheck disable=SC2034 # for the tests
BACKENDS=(backend0x backend0y backend0z backend0w backend0u backend0v)
# the last number of each load balancer's address, IPv4 or IPv6
declare -gA LBS=([lbdsr0a]=2 [lbdsr0b]=5 [lbdsr0c]=6)

# fleet_attach [MODE]: starts the backends, with all six servers; no load
# balancer yet
fleet_attach() {
	local backend
	for backend in "${BACKENDS[@]}"; do
		bkd "$backend" up -m "${1:-generic}" >/dev/null
	done
}

# fleet_file FILE [SED-EXPR...]: the scenario's file, changed by sed. With
# handshake-grace 0, because otherwise a load balancer would select by the old
# table for a while after a change, and these tests are about the time after
# that.
fleet_file() {
	local expressions=(-e '/^services:/i handshake-grace: 0s') e
	for e in "${@:2}"; do expressions+=(-e "$e"); done
	sed "${expressions[@]}" -e '' "$ROOT/topology/fleet/services.yaml" >"$1"
}

# lb NAME VERB...: runs lbr on that load balancer
lb() {
	on "$1" LoadBalancer/lbr "${@:2}"
}

# lbs_begin FILE LB...: starts them with that file and an empty flow table
lbs_begin() {
	local name
	for name in "${@:2}"; do
		lb "$name" down >/dev/null 2>&1 || :
		lb "$name" up -m "${FLEET_MODE:-generic}" -c "$1" >/dev/null
	done
}

# applies FILE LB...
applies() {
	local name
	for name in "${@:2}"; do
		lb "$name" apply "$1" >/dev/null
	done
}

# backends_apply FILE: applies it on all backends; the last of them is the
# newcomer, and comes first
backends_apply() {
	local i
	for ((i = ${#BACKENDS[@]} - 1; i >= 0; i--)); do
		bkd "${BACKENDS[i]}" apply "$1" >/dev/null 2>&1
	done
}

# passed_on: how many packets the backends have passed on to each other
passed_on() {
	local backend all=0
	for backend in "${BACKENDS[@]}"; do
		all=$((all + $(reason second_chance "$backend")))
	done
	echo "$all"
}

# spread LB...: the router sends to these load balancers, and to no others
spread() {
	local name hops4='' hops6=''
	for name; do
		hops4+=" nexthop via 172.17.0.${LBS[$name]}"
		hops6+=" nexthop via 2001:db8:17::${LBS[$name]}"
	done
	on "$ROUTER" ip -batch - <<-EOF
		route replace $VIP4$hops4
		route replace $VIP6$hops6
	EOF
}

# dies LB SURVIVOR...: cuts its wire, and the router takes the others
dies() {
	on wires ip link set "$1-eth0" down
	spread "${@:2}"
}

# returns LB: mends its wire
returns() {
	on wires ip link set "$1-eth0" up
	wait_for 5 forwards "$1"
}

forwards() {
	on wires bridge link show dev "$1-eth0" | grep -q 'state forwarding'
}
