#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Second chance: the pool changes, and at the same moment another load balancer
# takes the traffic over, which remembers nothing. Held connections that talk
# all the time, and new ones. The controls are the same files without states.

bats_require_minimum_version 1.5.0
load lib
load modes
load flows

HELD=${HELD:-150} PAUSE=0.2 RATE=${RATE:-50}
export TALK_LIMIT=60
SECOND=lbdsr0b
MODE=generic
X=172.19.0.3 Y=172.19.0.4 Z=172.19.0.5 W=172.19.0.6

setup_file() {
	local dir=$BATS_FILE_TMPDIR mode
	for mode in native generic; do
		if [[ $mode == native ]]; then network --native fleet; else network fleet; fi
		export "RUN_$mode=$TOPO_RUN"
		leads_to 172.17.0.2
	done
	file "$dir/before" "$X" "$Y" "$Z"
	file "$dir/staged" "$X, state: draining" "$Y" "$Z" "$W, state: filling"
	file "$dir/changed" "$Y" "$Z" "$W"
	file "$dir/heavy" "$X" "$Y" "$Z, weight: 4, weight-before: 1"
	file "$dir/heavy-done" "$X" "$Y" "$Z, weight: 4"
	OPTIONS="flows: second-chance, forward: ipip, "
	file "$dir/ipip-before" "$X" "$Y" "$Z"
	file "$dir/ipip-staged" "$X, state: draining" "$Y" "$Z" "$W, state: filling"
	OPTIONS="flows: second-chance, "
	file "$dir/forgets-before" "$X" "$Y" "$Z"
	file "$dir/forgets-staged" "$X, state: draining" "$Y" "$Z" "$W, state: filling"
	OPTIONS="flows: second-chance, second-chance: always, "
	file "$dir/always" "$X" "$Y" "$Z"
}

setup() {
	local first=$((20000 + 4000 * BATS_TEST_NUMBER)) name=RUN_native
	client_ports "$first" 4000
	TOPO_RUN=${!name} client_ports "$first" 4000
}

teardown() {
	local host
	flows_end
	for host in backend0x backend0y backend0z backend0w; do
		bkd "$host" down >/dev/null
	done
	on lbdsr0a LoadBalancer/lbr down >/dev/null
	on "$SECOND" LoadBalancer/lbr down >/dev/null
	leads_to 172.17.0.2
}

# file NAME ROW...: writes a file with one service
file() {
	local row
	{
		printf '%s\n' "lb-sources: [172.17.0.0/16]" "services:" \
			"- {vip: $VIP4, port: 80, ${OPTIONS-}backends: ["
		for row in "${@:2}"; do echo "    {address: $row},"; done
		echo "  ]}"
	} >"$1"
}

# leads_to GATEWAY: sets the client's route to the VIP
leads_to() {
	on "$CLIENT" ip route replace "$VIP4" via "$1"
}

# stage BEFORE AFTER: starts the connections, then gives the file AFTER to all
# hosts, to newcomers first
stage() {
	local before=$BATS_FILE_TMPDIR/$1 after=$BATS_FILE_TMPDIR/$2 host
	lbr up -m "$MODE" -c "$before" >/dev/null
	for host in backend0x backend0y backend0z; do
		bkd "$host" up -m "$MODE" -c "$before" >/dev/null
	done
	talk "$VIP4" "$HELD" "$PAUSE" "$RATE"
	tell advance >/dev/null
	! grep -q "$W" "$after" || bkd backend0w up -m "$MODE" -c "$after" >/dev/null
	for host in backend0y backend0z backend0x; do
		bkd "$host" apply "$after" >/dev/null 2>&1
	done
	lbr apply "$after" >/dev/null
}

# changes BEFORE AFTER: the same, and the second load balancer takes over at
# once. Prints the connections' report.
changes() {
	stage "$@"
	on "$SECOND" LoadBalancer/lbr up -m "$MODE" -c "$BATS_FILE_TMPDIR/$2" >/dev/null
	leads_to 172.17.0.5
	tell advance >/dev/null
	tell advance >/dev/null
	tell finish
}

# all_held: the report, which is in $output, says so; else who broke, and what
# the hosts have counted
all_held() {
	local host
	echo "# $output" >&3
	[[ $output != "$HELD held, "*" asked, 0 broken" ]] || return 0
	cat "$BATS_TEST_TMPDIR/broken"
	for host in lbdsr0a "$SECOND"; do
		echo "$host:"
		LB=$host lbr show reasons
		LB=$host lbr show backends
	done
	for host in backend0x backend0y backend0z; do
		echo "$host, $(on "$host" ss -Htn state connected | wc -l) sockets:"
		bkd "$host" show reasons
		bkd "$host" show restores
	done
	return 1
}

# unbroken BEFORE AFTER: no connection breaks; broken BEFORE AFTER, the control:
# some do
unbroken() {
	run -0 changes "$@"
	all_held
	(($(reason second_chance backend0y) + $(reason second_chance backend0z) > 0))
}

broken() {
	run -0 changes "$@"
	echo "# $output" >&3
	[[ $output =~ ([0-9]+)\ broken ]]
	((BASH_REMATCH[1] > 0))
}

@test "a backend is added, another drained, and another load balancer takes over: 0 broken" {
	unbroken before staged
}

@test "the same where no load balancer remembers a flow: 0 broken" {
	unbroken forgets-before forgets-staged
	[[ $(LB=lbdsr0a lbr show -j flows | jq '.flows | length') == 0 ]]
}

@test "... by ipip: 0 broken" {
	unbroken ipip-before ipip-staged
}

@test "... in native mode: 0 broken" {
	local name=RUN_native
	MODE=native
	TOPO_RUN=${!name}
	unbroken forgets-before forgets-staged
	over native
}

# junk COUNT: sends ACKs to the VIP that belong to no flow
junk() {
	on "$CLIENT" "${PYTHON[@]}" - "$VIP4" "$1" <<-'EOF'
		import socket, sys
		sys.path.insert(0, "tests/net")
		from segment import segment

		vip, count = sys.argv[1], int(sys.argv[2])
		raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
		raw.connect((vip, 0))
		ends = socket.inet_aton(raw.getsockname()[0]) + socket.inet_aton(vip)
		for port in range(2000, 2000 + count):
		    raw.send(segment(ends, (port, 80), 1, 1, 0x10))
	EOF
}

# resets: how many resets the backends' kernels have sent
resets() {
	local host all=0
	for host in backend0x backend0y backend0z backend0w; do
		# shellcheck disable=SC2016
		((all += $(on "$host" awk '/^Tcp:/ && $15 ~ /[0-9]/ { print $15 }' /proc/net/snmp)))
	done
	echo "$all"
}

@test "junk ACKs over second-chance-limit: each is dropped or answered, and no more packets than that; 0 broken" {
	local name host before sent=20000 dropped=0 answered
	for name in before staged; do
		sed '1i second-chance-limit: 300' "$BATS_FILE_TMPDIR/forgets-$name" \
			>"$BATS_FILE_TMPDIR/limit-$name"
	done
	stage limit-before limit-staged
	before=$(resets)
	junk "$sent"
	tell advance >/dev/null
	answered=$(($(resets) - before))
	for host in backend0x backend0y backend0z backend0w; do
		((dropped += $(reason second_chance_rate "$host"))) || :
	done
	run -0 tell finish
	echo "# $output; $dropped dropped, $answered answered" >&3
	[[ $output == "$HELD held, "*" asked, 0 broken" ]]
	# the connections send again what was dropped of theirs
	((dropped > 0 && answered > 0 && answered < sent))
}

@test "control: the same without states" {
	broken before changed
}

@test "a weight changes, and another load balancer takes over: 0 broken" {
	unbroken before heavy
}

@test "control: the same without weight-before" {
	broken before heavy-done
}

# takes_over FILE: the first load balancer sends new flows to deputies, as after a
# verdict. Meanwhile the second load balancer, which knows of no verdict, takes over.
takes_over() {
	local file=$BATS_FILE_TMPDIR/$1 host
	lbr up -m generic -c "$file" >/dev/null
	for host in backend0x backend0y backend0z; do
		bkd "$host" up -m generic -c "$file" >/dev/null
	done
	lbr drain "$X" >/dev/null
	talk "$VIP4" "$HELD" "$PAUSE" "$RATE"
	tell advance >/dev/null
	on "$SECOND" LoadBalancer/lbr up -m generic -c "$file" >/dev/null
	leads_to 172.17.0.5
	tell advance >/dev/null
	tell advance >/dev/null
	tell finish
}

@test "a load balancer takes over while a backend is out, second-chance: always: 0 broken" {
	run -0 takes_over always
	all_held
	(($(reason second_chance backend0x) > 0))
}

@test "control: the same with second-chance: transition" {
	run -0 takes_over forgets-before
	echo "# $output" >&3
	[[ $output =~ ([0-9]+)\ broken ]]
	((BASH_REMATCH[1] > 0))
}
