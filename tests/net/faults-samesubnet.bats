#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Known ways to get this wrong: a client in the backends' own subnet. A backend
# cannot tell by its address that a packet of this client's came from the LB.

bats_require_minimum_version 1.5.0
load lib

setup_file() {
	network samesubnet
	attach
}

teardown_file() {
	network_down
}

teardown() {
	sniff_end
	[[ ! ${changed-} ]] || attach
}

# shellcheck disable=SC2034 # for lib
CLIENT=client0z

# balances VIP: requests pass the LB, replies do not
balances() {
	local before
	before=$(reason forwarded)
	sniff replies "$LB" eth0 'tcp src port 80'
	answers "$1" 40 --fail-early | shared 40 4 36
	(($(reason forwarded) - before > 40 * 4))
	run ! seen replies .
	# If backends restore nothing, it fails.
	changed=1
	bkd backend0x down >/dev/null
	bkd backend0y down >/dev/null
	run -28 get "$1" --max-time 0.5
}

@test "client inside the backend subnet, IPv4" {
	balances "$VIP4"
}

@test "client inside the backend subnet, IPv6" {
	balances "$VIP6"
}
