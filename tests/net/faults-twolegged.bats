#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Known ways to get this wrong: an LB with two interfaces. The FIB's answer is
# the other one, and a packet sent out of the first goes nowhere.

# shellcheck disable=SC2034 # `before` is for rose

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
		attach "$mode"
		export "RUN_$mode=$TOPO_RUN"
	done
}

teardown_file() {
	networks_down generic native
}

# redirects MODE VIP ROUTE...: requests leave by the other interface; with
# ROUTE, requests to those backends leave by the first one, through the router
redirects() {
	local name=RUN_$1 before
	export TOPO_RUN=${!name}
	[[ $(lbr show -j interfaces | jq -r '.interfaces[].mode') == "$1" ]]
	get "$2" >/dev/null # neighbours
	before=$(lbr show -j reasons)
	answers "$2" 40 --fail-early | shared 40 4 36
	(($(rose redirected) > 40 * 4 && $(rose forwarded) == 0))
	on "$LB" ip route add "${@:3}"
	aged
	before=$(lbr show -j reasons)
	answers "$2" 40 --fail-early | shared 40 4 36
	(($(rose redirected) == 0 && $(rose forwarded) > 40 * 4))
	on "$LB" ip route del "${@:3}"
	aged
}

# More specific than the route of the segment itself.
four=(172.19.0.0/24 via 172.17.0.3)
six=(2001:db8:19::/96 via 2001:db8:17::3)

@test "LB with two interfaces, generic, IPv4" {
	redirects generic "$VIP4" "${four[@]}"
}

@test "LB with two interfaces, generic, IPv6" {
	redirects generic "$VIP6" "${six[@]}"
}

@test "LB with two interfaces, native, IPv4" {
	redirects native "$VIP4" "${four[@]}"
}

@test "LB with two interfaces, native, IPv6" {
	redirects native "$VIP6" "${six[@]}"
}

# Generic mode sees GSO super-packets of up to 64 kB. A redirect to another interface
# drops, uncounted, what exceeds its MTU; so the kernel forwards these, and segments
# them.

# uploads MODE VIP: 20 MB, which generic mode sees as packets of up to 64 kB
uploads() {
	local name=RUN_$1
	export TOPO_RUN=${!name}
	[[ -e $BATS_FILE_TMPDIR/20M ]] ||
		head -c 20M /dev/urandom >"$BATS_FILE_TMPDIR/20M"
	on "$CLIENT" curl -sS --max-time 20 -o /dev/null -w '%{http_code}\n' \
		-T "$BATS_FILE_TMPDIR/20M" "$(url "$2" upload/20M)" | grep -qx 20.
	for name in "${BACKENDS[@]}"; do
		! on "$name" cmp "$BATS_FILE_TMPDIR/20M" /run/nginx/files/20M 2>/dev/null ||
			{ on "$name" rm /run/nginx/files/20M && return; }
	done
	return 1
}

@test "upload over two interfaces, generic, IPv4" {
	rises super_packet uploads generic "$VIP4"
	uploads generic "$VIP4"
}

@test "upload over two interfaces, generic, IPv6" {
	uploads generic "$VIP6"
}

@test "upload over two interfaces, native, IPv4" {
	uploads native "$VIP4"
}
