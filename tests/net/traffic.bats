#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Requests from the client reach a backend and are answered, over IPv4 and
# IPv6, with the programs attached generic and native.

load lib
load modes

# A network for each mode, because native needs other ports than generic.
setup_file() {
	local mode
	for mode in generic native; do
		if [[ $mode == native ]]; then network --native; else network; fi
		attach "$mode"
		export "RUN_$mode=$TOPO_RUN"
	done
	head -c 50M /dev/urandom >"$BATS_FILE_TMPDIR/50M"
	SHA256=$(sha256sum <"$BATS_FILE_TMPDIR/50M")
	export SHA256
}

# schedule SCHEDULER: sets it for all services
schedule() {
	services "$BATS_TEST_TMPDIR/file" "s/scheduler: .*/scheduler: $1/"
	lbr apply "$BATS_TEST_TMPDIR/file"
}

# flows VIP PROTOCOL: how many flows have begun so far
flows() {
	lbr show -j services | jq --arg of "$1" --arg protocol "$2" \
		'.services[] | select(.vip == $of and
			.protocol == $protocol) | ."flows-total"'
}

# balances VIP SCHEDULER: of 200 connections none fails, and each backend gets
# about half
balances() {
	local before
	schedule "$2"
	before=$(flows "$1" tcp)
	balanced "$1" 200 60 140
	(($(flows "$1" tcp) - before == 200))
}

# carries VIP: 50 MB up and 50 MB down
carries() {
	local server
	schedule maglev
	server=$(on "$CLIENT" curl -sSf --max-time 60 -o /dev/null -D - \
		-T "$BATS_FILE_TMPDIR/50M" "$(url "$1" "upload/$BATS_TEST_NUMBER")" |
		tr -d '\r' | sed -n 's/^Server-Name: //p')
	[[ $(on "$server" cat "/run/nginx/files/$BATS_TEST_NUMBER" |
		sha256sum) == "$SHA256" ]]
	on "$server" rm "/run/nginx/files/$BATS_TEST_NUMBER"

	for server in "${BACKENDS[@]}"; do
		on "$server" ln -sf "$BATS_FILE_TMPDIR/50M" /run/nginx/files/50M
	done
	[[ $(on "$CLIENT" curl -sSf --max-time 60 "$(url "$1" files/50M)" |
		sha256sum) == "$SHA256" ]]
}

# echoed VIP: 40 datagrams get 40 answers
echoed() {
	local before
	schedule maglev
	before=$(flows "$1" udp)
	echoes "$1" 40 | shared 40 1 39
	(($(flows "$1" udp) - before == 40))
}

@test "200 curls, none fails, half to each backend: maglev, IPv4 generic" {
	over generic
	balances "$VIP4" maglev
}

@test "200 curls, none fails, half to each backend: maglev, IPv6 generic" {
	over generic
	balances "$VIP6" maglev
}

@test "200 curls, none fails, half to each backend: maglev, IPv4 native" {
	over native
	balances "$VIP4" maglev
}

@test "200 curls, none fails, half to each backend: maglev, IPv6 native" {
	over native
	balances "$VIP6" maglev
}

@test "200 curls, none fails, half to each backend: random, IPv4 generic" {
	over generic
	balances "$VIP4" random
}

@test "200 curls, none fails, half to each backend: random, IPv6 generic" {
	over generic
	balances "$VIP6" random
}

@test "200 curls, none fails, half to each backend: random, IPv4 native" {
	over native
	balances "$VIP4" random
}

@test "200 curls, none fails, half to each backend: random, IPv6 native" {
	over native
	balances "$VIP6" random
}

@test "50 MB up and down arrive as they were: IPv4 generic" {
	over generic
	carries "$VIP4"
}

@test "50 MB up and down arrive as they were: IPv6 generic" {
	over generic
	carries "$VIP6"
}

@test "50 MB up and down arrive as they were: IPv4 native" {
	over native
	carries "$VIP4"
}

@test "50 MB up and down arrive as they were: IPv6 native" {
	over native
	carries "$VIP6"
}

@test "UDP echo: 40 of 40 answered by the VIP: IPv4 generic" {
	over generic
	echoed "$VIP4"
}

@test "UDP echo: 40 of 40 answered by the VIP: IPv6 generic" {
	over generic
	echoed "$VIP6"
}

@test "UDP echo: 40 of 40 answered by the VIP: IPv4 native" {
	over native
	echoed "$VIP4"
}

@test "UDP echo: 40 of 40 answered by the VIP: IPv6 native" {
	over native
	echoed "$VIP6"
}

# The hosts of the younger network hold copies of the elder's mounts.
@test "of two networks, the elder can be taken down first" {
	local elder=$TOPO_RUN-1 younger=$TOPO_RUN-2
	TOPO_RUN=$elder "$TOPO" up
	TOPO_RUN=$younger "$TOPO" up
	run env TOPO_RUN="$elder" "$TOPO" down
	TOPO_RUN=$younger "$TOPO" down
	echo "$output"
	((status == 0))
	[[ ! $output ]]
	over generic
	balanced "$VIP4" 40 4 36
}
