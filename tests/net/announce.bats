#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Two load balancers announce a VIP to a router with BGP: worse where it is not
# fit, and not at all after `lbr leave`. The configurations are those of
# docs/high-availability.md. `make test-long`: FLOWS=1000.

# shellcheck disable=SC2154 # flows.bash: broken

bats_require_minimum_version 1.5.0
load lib
load flows
load fleet
load announce

FLOWS=${FLOWS:-150}

setup_file() {
	local name
	network fleet
	announced_services 'table: 107, track-files: /run/lbr, leave-after: 500ms' \
		>"$BATS_FILE_TMPDIR/services"
	sed '/^announce/d; s/minimum-up: 6, //' "$BATS_FILE_TMPDIR/services" \
		>"$BATS_FILE_TMPDIR/silent"
	on "$ROUTER" ip route del "$VIP4"
	example 'bird.conf on a Linux router' | bird_on "$ROUTER"
	example 'bird.conf on a load balancer' | bird_on lbdsr0a
	example 'bird.conf on a load balancer' | as 5 | bird_on lbdsr0b
	for name in "${BACKENDS[@]}"; do
		bkd "$name" up -m generic -c "$BATS_FILE_TMPDIR/services" >/dev/null
	done
	both_serve
}

teardown_file() {
	local name
	for name in "$ROUTER" lbdsr0a lbdsr0b; do
		daemon_end "$name" bird
		daemon_end "$name" lbr
	done
	network_down
}

# both_serve: both announce the VIP, and the router sends to both
both_serve() {
	local name file=$BATS_FILE_TMPDIR/services
	for name in lbdsr0a lbdsr0b; do
		lb "$name" up -m generic -c "$file" >/dev/null
		daemon_end "$name" lbr
		lbr_run "$name" "$file"
	done
	wait_for 20 hops_are '2 5'
}

teardown() {
	flows_end
}

@test "announce: fit, and not fit: a router prefers the one that is, and keeps the last one" {
	spoiled lbdsr0a
	within 3000 hops_are 5
	metric_is lbdsr0a 1000
	announced_is lbdsr0a unfit
	[[ $(on lbdsr0a cat "/run/lbr/$VIP4") == 10 ]]
	# Where none is fit, all serve again.
	spoiled lbdsr0b
	within 3000 hops_are '2 5'
	get "$VIP4" >/dev/null
	spoiled lbdsr0a undrain
	spoiled lbdsr0b undrain
	wait_for 5 announced_is lbdsr0a fit
	wait_for 5 announced_is lbdsr0b fit
	wait_for 5 hops_are '2 5'
}

@test "announce: lbr run is killed, and begins again: no route changes" {
	local heard=$BATS_TEST_TMPDIR/heard listener
	on lbdsr0a ip monitor route >"$heard" 3>&- &
	listener=$!
	daemon_signal lbdsr0a lbr KILL
	metric_is lbdsr0a 100
	hops_are '2 5'
	lb lbdsr0a doctor -c "$BATS_FILE_TMPDIR/services" | grep -q 'lbr run does not run'
	lbr_run lbdsr0a "$BATS_FILE_TMPDIR/services"
	# A restart of lbr.service is an `lbr up` over what runs.
	lb lbdsr0a up -m generic -c "$BATS_FILE_TMPDIR/services" >/dev/null
	spoiled lbdsr0a
	wait_for 5 metric_is lbdsr0a 1000
	spoiled lbdsr0a undrain
	wait_for 5 metric_is lbdsr0a 100
	kill "$listener"
	# The only changes are those of metrics: better before worse goes.
	[[ $(grep -c 'proto 107' "$heard") == 4 ]]
}

# passed_on_by NAME: doctor says so
passed_on_by() {
	lb lbdsr0a doctor -c "$BATS_FILE_TMPDIR/services" |
		grep -q "ok *announced *$VIP4: bird has passed it on by $1"
}

@test "announce: a route that somebody removes comes back; doctor tells who has it" {
	on lbdsr0a ip route del blackhole "$VIP4" table 107
	within 1000 metric_is lbdsr0a 100
	wait_for 5 hops_are '2 5'
	wait_for 5 passed_on_by to_router
	daemon_signal lbdsr0a lbr KILL
	on lbdsr0a ip route del blackhole "$VIP4" table 107
	run -3 lb lbdsr0a doctor -c "$BATS_FILE_TMPDIR/services"
	[[ $output == *"$VIP4: its route of metric 100 in table 107 was removed"* ]]
	on lbdsr0a sh -c "$(sed -n 's/^ *try: \(ip -4 route add blackhole.*\)/\1/p' <<<"$output")"
	wait_for 5 hops_are '2 5'
	lbr_run lbdsr0a "$BATS_FILE_TMPDIR/services"
}

# sent NAME: how many packets it has sent to backends
sent() {
	lb "$1" show -j services | jq '[.services[].packets] | add'
}

# leave NAME: it leaves while connections talk, and then goes down
leave() {
	talk "$VIP4" "$FLOWS" 0.2 50
	advanced "$FLOWS"
	lb "$1" leave
	advanced "$FLOWS"
}

@test "announce: lbr leave while connections talk: 0 broken, 0 refused" {
	local before
	leave lbdsr0a
	hops_are 5
	metric_is lbdsr0a ''
	announced_is lbdsr0a withdrawn
	before=$(sent lbdsr0a)
	advanced "$FLOWS"
	[[ $(sent lbdsr0a) == "$before" ]] # none comes there any more
	lb lbdsr0a down >/dev/null
	advanced "$FLOWS"
	unbroken
	[[ $(on lbdsr0a cat /run/lbr/all) == -254 ]]
	both_serve
}

# all_answer: each of 40 requests, which is a flow of its own
all_answer() {
	local i
	for ((i = 0; i < 40; i++)); do
		get "$VIP4" --max-time 1 >/dev/null || return
	done
}

@test "announce: lbr down withdraws first; control: what announces is not told" {
	talk "$VIP4" "$FLOWS" 0.2 50
	advanced "$FLOWS"
	lb lbdsr0b down >/dev/null
	advanced "$FLOWS"
	unbroken
	# bird announces it by itself, and lbr is silent.
	lb lbdsr0b up -m generic -c "$BATS_FILE_TMPDIR/silent" >/dev/null
	on lbdsr0b ip route add blackhole "$VIP4" table 107 proto static metric 100
	wait_for 5 hops_are '2 5'
	run -1 lb lbdsr0b leave
	lb lbdsr0b down >/dev/null
	run ! all_answer
	on lbdsr0b ip route flush table 107
}

@test "announce: control: one load balancer: who leaves is missed" {
	both_serve
	lb lbdsr0b leave >/dev/null
	wait_for 5 hops_are 2
	get "$VIP4" >/dev/null
	lb lbdsr0a leave >/dev/null
	hops_are ''
	run ! get "$VIP4" --max-time 1
}

@test "announce: a table or a route of somebody else is refused by name" {
	on lbdsr0c ip route add 10.9.0.0/16 dev lo table 107 proto static
	run -1 lb lbdsr0c up -m generic -c "$BATS_FILE_TMPDIR/services"
	[[ $output == *'cannot announce by table 107: it has the route 10.9.0.0/16 of protocol 4'* ]]
	on lbdsr0c ip route flush table 107
	on lbdsr0c ip route add blackhole "$VIP4" table 107 proto 107 metric 7
	run -1 lb lbdsr0c up -m generic -c "$BATS_FILE_TMPDIR/services"
	[[ $output == *"it has the route $VIP4/32 of protocol 107, which lbr has not made"* ]]
	on lbdsr0c ip route flush table 107
	lb lbdsr0c up -m generic -c "$BATS_FILE_TMPDIR/services" >/dev/null
	lb lbdsr0c down >/dev/null
	metric_is lbdsr0c ''
}
