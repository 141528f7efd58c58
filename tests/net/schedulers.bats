#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Whom a scheduler sends real connections to. tests/net/traffic.bats has maglev
# and random.

load lib

setup_file() {
	network
	attach
	local n
	for n in {1..30}; do
		on "$CLIENT" ip address add "172.17.1.$n/16" dev eth0
		on "$CLIENT" ip address add "2001:db8:17::1:$n/64" dev eth0 nodad
	done
}

teardown_file() {
	network_down
}

# schedule SCHEDULER [SED-EXPR]: sets it for all services, with an empty flow
# table, because a SYN from a port that is used again would follow the
# remembered flow
schedule() {
	services "$BATS_TEST_TMPDIR/file" "s/scheduler: .*/scheduler: $1/" "${@:2}"
	lbr down >/dev/null
	lbr up -c "$BATS_TEST_TMPDIR/file" >/dev/null
}

# Each CPU takes turns separately, so a backend's share may be off by one flow
# for each CPU.
in_turn() { # VIP COUNT SHARE: backend0x gets SHARE connections, give or take one for each CPU
	local x
	x=$(answers "$1" "$2" --fail-early | tee /dev/stderr | sed -n 's/^backend0x //p')
	((x >= $3 - $(nproc) && x <= $3 + $(nproc)))
}

@test "round-robin: 400 connections in turn, equal weights" {
	schedule round-robin
	in_turn "$VIP4" 400 200
	in_turn "$VIP6" 400 200
}

@test "round-robin: 400 connections, weights 3:1" {
	schedule round-robin '/[.:]3, /s/weight: 1/weight: 3/'
	in_turn "$VIP4" 400 300
	in_turn "$VIP6" 400 300
	# negative control: not every scheduler does this
	schedule round-robin
	run in_turn "$VIP4" 400 300
	((status != 0))
}

# answered_by VIP SOURCE COUNT: the backends that answer connections from that
# address
answered_by() {
	answers "$1" "$3" --interface "$2" --fail-early | sed 's/ .*//' | sort
}

@test "source-hash: a client's connections all go to one backend" {
	local vip of n address all=''
	schedule source-hash
	for vip in "$VIP4" "$VIP6"; do
		all=''
		for n in {1..30}; do
			address=172.17.1.$n
			[[ $vip == "$VIP4" ]] || address=2001:db8:17::1:$n
			of=$(answered_by "$vip" "$address" 8)
			[[ $of == backend0? ]] || {
				echo "$address is answered by: $of" >&2
				return 1
			}
			all+=$of$'\n'
		done
		# clients are spread
		(($(sort -u <<<"$all" | grep -c .) == 2))
	done
	# under maglev the same connections go to both
	schedule maglev
	[[ $(answered_by "$VIP4" 172.17.1.1 30) == backend0x$'\n'backend0y ]]
}

@test "source-hash: services with the same backends send a client to the same one" {
	local tcp udp n
	schedule source-hash
	for n in {1..12}; do
		tcp=$(answered_by "$VIP4" "172.17.1.$n" 4)
		udp=$(echoes "$VIP4" 20 "172.17.1.$n")
		echo "172.17.1.$n: TCP $tcp, UDP $udp"
		[[ $udp == "$tcp 20" ]]
	done
}
