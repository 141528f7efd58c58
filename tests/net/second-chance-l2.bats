#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Second chance by l2, where no router leads to the backends: one of two drains,
# and the load balancer forgets all flows. Held connections that talk all the
# time stay. The control is the same file without states.

bats_require_minimum_version 1.5.0
load lib
load flows

HELD=40 PAUSE=0.2 X=172.19.0.3 Y=172.19.0.4
export TALK_LIMIT=60

setup_file() {
	network --native twolegged
	file before "$X" "$Y"
	file staged "$X, state: draining" "$Y"
	file changed "$Y"
}

teardown_file() {
	network_down
}

setup() {
	client_ports $((20000 + 4000 * BATS_TEST_NUMBER)) 4000
}

teardown() {
	local host
	flows_end
	for host in backend0x backend0y; do bkd "$host" down >/dev/null; done
	lbr down >/dev/null
}

# file NAME ROW...: writes a file with one service
file() {
	local row
	{
		printf '%s\n' "services:" "- {vip: $VIP4, port: 80, forward: l2, backends: ["
		for row in "${@:2}"; do echo "    {address: $row},"; done
		echo "  ]}"
	} >"$BATS_FILE_TMPDIR/$1"
}

# changes MODE FILE: connections, then the file, then a load balancer that knows
# of none of them. Prints the connections' report.
changes() {
	local host
	lbr up -m "$1" -c "$BATS_FILE_TMPDIR/before" >/dev/null
	for host in backend0x backend0y; do
		bkd "$host" up -m "$1" -c "$BATS_FILE_TMPDIR/before" >/dev/null
	done
	talk "$VIP4" "$HELD" "$PAUSE"
	tell advance >/dev/null
	for host in backend0y backend0x; do
		bkd "$host" apply "$BATS_FILE_TMPDIR/$2" >/dev/null 2>&1
	done
	lbr down >/dev/null
	lbr up -m "$1" -c "$BATS_FILE_TMPDIR/$2" >/dev/null
	tell advance >/dev/null
	tell advance >/dev/null
	tell finish
}

unbroken() { # MODE
	run -0 changes "$1" staged
	echo "# $output" >&3
	[[ $output == "$HELD held, "*" asked, 0 broken" ]]
	(($(reason second_chance backend0y) > 0))
	(($(reason second_chance_neighbour backend0y) == 0))
}

@test "l2: a backend drains, and the load balancer forgets its flows: generic: 0 broken" {
	unbroken generic
}

@test "l2: the same in native mode: 0 broken; down leaves no managed neighbour" {
	unbroken native
	bkd backend0y down
	[[ $(on backend0y ip neigh show "$X") != *managed* ]]
}

@test "l2: control: the same without states" {
	run -0 changes generic changed
	echo "# $output" >&3
	[[ $output =~ ([0-9]+)\ broken ]]
	((BASH_REMATCH[1] > 0))
}
