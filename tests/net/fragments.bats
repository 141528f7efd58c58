#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Datagrams that come in fragments reach the server whole, and its answers,
# fragments too, the client.

load lib
load modes

# A network for each mode, because native needs other ports than generic.
setup_file() {
	local mode
	for mode in generic native; do
		if [[ $mode == native ]]; then network --native; else network; fi
		attach "$mode"
		export "RUN_$mode=$TOPO_RUN"
		# While a neighbour is unresolved, the kernel keeps only about a
		# hundred frames.
		get "$VIP4" >/dev/null
		get "$VIP6" >/dev/null
	done
}

# whole VIP ORDER [SOURCE]: how many of 40 datagrams are answered
whole() {
	on "$CLIENT" "${PYTHON[@]}" tests/net/fragments.py "$1" 40 "${@:2}"
}

# arrive VIP ORDER: 40 of 40 datagrams are answered, and no fragment is refused
arrive() {
	local before
	before=$(reason fragment)
	[[ $(whole "$1" "$2") == 40 ]]
	[[ $(reason fragment) == "$before" ]]
}

@test "40 of 40 datagrams, as the kernel cuts them: IPv4 generic" {
	over generic
	arrive "$VIP4" kernel
}

@test "40 of 40 datagrams, as the kernel cuts them: IPv6 generic" {
	over generic
	arrive "$VIP6" kernel
}

@test "40 of 40 datagrams, as the kernel cuts them: IPv4 native" {
	over native
	arrive "$VIP4" kernel
}

@test "40 of 40 datagrams, as the kernel cuts them: IPv6 native" {
	over native
	arrive "$VIP6" kernel
}

@test "40 of 40 datagrams, behind the first fragment in any order: IPv4" {
	over generic
	arrive "$VIP4" first
}

@test "40 of 40 datagrams, behind the first fragment in any order: IPv6" {
	over generic
	arrive "$VIP6" first
}

# From an address that no other test uses: earlier first fragments are
# remembered for a while, and the kernel's idents, which are random, could be
# the same.
@test "negative control: a fragment before the first is dropped and counted" {
	local vip source before
	over generic
	for source in 172.17.0.44 2001:db8:17::44; do
		vip=$VIP4
		[[ $source != *:* ]] || vip=$VIP6
		on "$CLIENT" ip address replace "$source" dev eth0
		before=$(reason fragment)
		[[ $(whole "$vip" early "$source") == 0 ]]
		(($(reason fragment) == before + 40))
	done
}

@test "the backend's own fragmented datagrams are left alone" {
	local before after
	over generic
	# sent to the backend's own address, so xdp_bkd must not restore
	# anything
	before=$(reason restored backend0x)
	[[ $(on "$CLIENT" ping -c 3 -W 2 -s 4000 -q 172.19.0.3 |
		grep -c ' 3 received') == 1 ]]
	after=$(reason restored backend0x)
	((before == after))
}
