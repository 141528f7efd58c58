#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# A million spoofed SYNs and a million spoofed ACKs, each of a flow of its own,
# while 1,000 connections ask a web server again and again: what the client
# counts, what is remembered, and what a watcher is told.

bats_require_minimum_version 1.5.0
load lib
load flows

FLOWS=1000 MILLION=1000000

setup_file() {
	make --no-print-directory -s -C "$ROOT/tests/bench"
	network
	# lets the other end of the client's veth take live frames
	on wires ethtool -K "$CLIENT-eth0" gro on
}

teardown_file() {
	network_down
}

# closed: the client has no connection left, not even one that is closing
closed() {
	[[ ! $(on "$CLIENT" ss -Htn dst "$VIP4") ]]
}

teardown() {
	flows_end
	# else their last packets come during the next test, which then
	# remembers them
	wait_for 5 closed || :
	detach
}

flood() { # syn|ack|both [COUNT]
	(cd "$ROOT" && "${PYTHON[@]}" tests/net/flood.py "$1" "${2-$MILLION}" "$VIP4")
}

forwarded() {
	reason forwarded
}

remembered() {
	lbr show -j flows | jq '.flows | length'
}

# memory: the bytes that all maps of the load balancer take
memory() {
	# shellcheck disable=SC2016
	on "$LB" bash -c 'for map in /sys/fs/bpf/l3dsr/*/*; do
			bpftool -j map show pinned "$map" 2>/dev/null
		done' | jq -s 'map(.bytes_memlock? // 0) | add'
}

@test "a million spoofed SYNs: 1,000 connections go on, nothing is remembered" {
	local before
	attach
	begin
	advanced "$FLOWS"
	(($(remembered) == FLOWS))
	before=$(memory) sent=$(forwarded)
	((before > 0))
	flood syn
	(($(forwarded) > sent + MILLION * 9 / 10))
	advanced "$FLOWS"
	(($(remembered) == FLOWS))
	(($(memory) == before))
	unbroken
}

@test "a million spoofed ACKs: 1,000 connections go on, nothing is remembered" {
	local before
	services "$BATS_TEST_TMPDIR/few.yaml" '1i insert-limit: 20000' \
		'1i flow-table-size: 100000'
	attach generic "$BATS_TEST_TMPDIR/few.yaml"
	begin
	advanced "$FLOWS"
	before=$(memory) sent=$(forwarded)
	flood ack
	(($(forwarded) > sent + MILLION * 9 / 10))
	advanced "$FLOWS"
	(($(remembered) == FLOWS))
	(($(lbr show -j | jq '."flows-not-remembered"') == 0))
	(($(memory) == before))
	unbroken
}

@test "but where only the flow table knows the backend, one too small for the flood breaks some" {
	services "$BATS_TEST_TMPDIR/random.yaml" 's/maglev/random/' \
		'1i flow-table-size: 100'
	attach generic "$BATS_TEST_TMPDIR/random.yaml"
	begin
	tell advance # a table that is so small may break some even without a flood
	flood both 50000
	some_broken
}

# watch NAME FILTER...: `lbr watch` in the background, to NAME.out and NAME.err
watch() {
	# shellcheck disable=SC2016 # the inner shell's
	on "$LB" bash -c 'echo $$ >"$1.pid"; exec LoadBalancer/lbr watch -j "${@:2}" \
		>"$1.out" 2>"$1.err"' - "$BATS_TEST_TMPDIR/$1" "${@:2}" 3>&- &
	wait_for 5 watching "$N"
}

rising() { # COUNT
	(($(forwarded) > $1))
}

watching() { # N
	on "$LB" bash -c 'bpftool -j map dump pinned /sys/fs/bpf/l3dsr/lbr-*/watched' |
		jq -e --argjson n "$1" 'length == $n' >/dev/null
}

@test "a watcher of one client misses nothing in a flood; a watcher of all packets does" {
	local before flooding
	attach
	N=1 watch one 172.17.0.4:45000
	N=2 watch all
	before=$(forwarded)
	flood syn >/dev/null 3>&- &
	flooding=$!
	wait_for 20 rising "$before"
	before=$(reason unmatched)
	on "$CLIENT" /usr/bin/python3 - "$VIP4" <<-'END'
		import socket, sys, time
		udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		udp.bind(("", 45000))
		for _ in range(500):
		    udp.sendto(b"x", (sys.argv[1], 9))
		    time.sleep(0.001)
	END
	wait "$flooding"
	kill -INT "$(<"$BATS_TEST_TMPDIR/one.pid")" "$(<"$BATS_TEST_TMPDIR/all.pid")"
	wait_for 10 watching 0
	wait
	cat "$BATS_TEST_TMPDIR"/*.err
	(($(reason unmatched) > before + 100))
	[[ ! -s $BATS_TEST_TMPDIR/one.err ]]
	(($(wc -l <"$BATS_TEST_TMPDIR/one.out") == $(reason unmatched) - before))
	grep "decisions were not seen" "$BATS_TEST_TMPDIR/all.err"
}
