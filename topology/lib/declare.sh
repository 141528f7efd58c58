# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The words of a scenario's network.sh. They only take notes; nothing is made
# before the whole description has been read. What follows `host` speaks of
# that host. A host declared again starts from nothing, so a scenario can
# source another's description and change a host of it.

declare -ga SEGMENTS=() HOSTS=()
declare -ga NEEDS=()
declare -gA IFACES=() ADDRESSES=() ROUTES=() SYSCTLS=() RUNS=() SETTLED=() XDP=()
declaring=

# segment NAME: a bridge
segment() {
	SEGMENTS+=("$1")
}

host() {
	[[ $1 =~ ^[a-z][a-z0-9]{0,9}$ && $1 != "$WIRES" ]] ||
		complain 1 "declare host $1" "1 to 10 of a-z 0-9, not $WIRES" \
			"a shorter name: its ports are called NAME-IFACE"
	[[ " ${HOSTS[*]} " == *" $1 "* ]] || HOSTS+=("$1")
	declaring=$1
	IFACES[$1]='' ADDRESSES[$1]='' ROUTES[$1]=''
	SYSCTLS[$1]='' RUNS[$1]='' SETTLED[$1]='' XDP[$1]=''
}

# on HOST: more about a host that is declared already
on() {
	declaring=$1
}

# iface NAME SEGMENT ADDRESS/LEN...: an interface on a segment
iface() {
	IFACES[$declaring]+="$1 $2 $(mac_of "$3")"$'\n'
	address "$1" "${@:3}"
}

# address IFACE ADDRESS/LEN...
address() {
	local a
	for a in "${@:2}"; do
		ADDRESSES[$declaring]+="$1 $a"$'\n'
	done
}

# route DESTINATION GATEWAY...: with several gateways, each flow uses one
route() {
	local hops="via $2"
	(($# == 2)) || hops=$(printf 'nexthop via %s ' "${@:2}")
	ROUTES[$declaring]+="route replace $1 $hops"$'\n'
}

# sysctl KEY VALUE
sysctl() {
	SYSCTLS[$declaring]+="${1//.//} $2"$'\n'
}

# runs CMD...: runs CMD on the host once the network is up; CMD must return as
# soon as what it started can be used, and must not keep our stdin, stdout and
# stderr open
runs() {
	RUNS[$declaring]+="${*@Q}"$'\n'
}

# settled CMD...: when all of that runs, `up` waits until CMD succeeds on the host
settled() {
	SETTLED[$declaring]+="${*@Q}"$'\n'
}

# needs PROGRAM PACKAGE: what the scenario needs beyond what all need
needs() {
	# shellcheck disable=SC2034 # for up.sh
	NEEDS+=("$1:$2")
}

# xdp: XDP programs will be attached here (see `topo up --native`)
xdp() {
	# shellcheck disable=SC2034 # for up.sh
	XDP[$declaring]=1
}

# mac_of IPV4/LEN: a MAC address that is always the same and easy to recognize:
# 02:42 and the four bytes of the address
mac_of() {
	local IFS=./
	# shellcheck disable=SC2086
	set -- $1
	printf '02:42:%02x:%02x:%02x:%02x' "$1" "$2" "$3" "$4"
}

load_scenario() {
	SCENARIO_DIR=$HERE/$1
	# shellcheck source=/dev/null
	. "$SCENARIO_DIR/network.sh"
}
