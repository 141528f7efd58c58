#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Several load balancers with the same file, behind a router that spreads flows
# over them. One dies: its flows go on through another, which has not seen them.
# As long as the pool is the same, the other selects alike. What it costs when the
# pool has changed while they lived is measured here and not judged: each row says
# how many of FLOWS are broken. `make test-fleet`: 2,000 of them, each talks every
# two seconds, in both modes and of both families.

# shellcheck disable=SC2154 # flows.bash: broken

bats_require_minimum_version 1.5.0
load lib
load flows
load fleet
load dropper

FLOWS=${FLOWS:-300} PAUSE=${PAUSE:-0.5}
export FLEET_MODE=${FLEET_MODE:-generic} FLEET_VIP=${FLEET_VIP:-$VIP4}

# gone LAST: without the backend whose address ends so; seven WORDS: backend0u
# with them
gone() {
	echo "/[.:]$1, weight/d"
}

seven() {
	printf '%s\n' "s/\([.:]7\), weight: 1/\1, $1/"
}

setup_file() {
	local ports=()
	[[ $FLEET_MODE == generic ]] || ports=(--native)
	network "${ports[@]}" fleet
	dropper_build
	fleet_attach "$FLEET_MODE"
	fleet_file "$BATS_FILE_TMPDIR/six"
	fleet_file "$BATS_FILE_TMPDIR/five" "$(gone 8)"
	fleet_file "$BATS_FILE_TMPDIR/four" "$(gone 8)" "$(gone 7)"
	fleet_file "$BATS_FILE_TMPDIR/drained" "$(gone 8)" "$(seven 'drain: true')"
	fleet_file "$BATS_FILE_TMPDIR/heavy" "$(gone 8)" "$(seven 'weight: 3')"
}

teardown_file() {
	network_down
}

setup() {
	FIVE=$BATS_FILE_TMPDIR/five
}

teardown() {
	flows_end
	returns lbdsr0b
	for backend in "${BACKENDS[@]}"; do
		finds wires "$backend-eth0" 2>/dev/null || :
	done
}

# begun FILE [VIP]: flows through two load balancers that have that file
begun() {
	begins "$1" lbdsr0a lbdsr0b
	spread lbdsr0a lbdsr0b
	talk "${2:-$FLEET_VIP}" "$FLOWS" "$PAUSE"
	advanced "$FLOWS"
	both_serve
}

both_serve() {
	local name
	for name in lbdsr0a lbdsr0b; do
		(($(lb "$name" show -j services | jq '[.services[]."flows-total"] | add') > FLOWS / 5))
	done
}

# row WHAT: the flows end; how many were broken
row() {
	tell advance
	finish
	echo "# $1: $broken of $FLOWS broken" >&3
}

@test "the pool never changed, a load balancer dies: 0 broken, IPv4" {
	begun "$FIVE" "$VIP4"
	dies lbdsr0b lbdsr0a
	advanced "$FLOWS"
	row "never changed, IPv4"
	((broken == 0))
}

@test "the pool never changed, a load balancer dies: 0 broken, IPv6" {
	begun "$FIVE" "$VIP6"
	dies lbdsr0b lbdsr0a
	advanced "$FLOWS"
	row "never changed, IPv6"
	((broken == 0))
}

@test "the pool never changed, a third load balancer joins: 0 broken" {
	begun "$FIVE"
	begins "$FIVE" lbdsr0c
	spread lbdsr0a lbdsr0b lbdsr0c
	advanced "$FLOWS"
	spread lbdsr0c
	advanced "$FLOWS"
	row "never changed, moved to a third one"
	((broken == 0))
}

@test "the pool changes, and nobody dies: 0 broken" {
	local file
	begun "$FIVE"
	for file in six five drained five heavy four; do
		applies "$BATS_FILE_TMPDIR/$file" lbdsr0a lbdsr0b
		advanced "$FLOWS"
	done
	row "changed, nobody dies"
	((broken == 0))
}

@test "... while each second segment is lost once on the way to the backends: 0 broken" {
	local backend all=0
	for backend in "${BACKENDS[@]}"; do
		loses wires "$backend-eth0" --direction out --port 80 --mode once
	done
	begun "$FIVE"
	dies lbdsr0b lbdsr0a
	advanced "$FLOWS"
	advanced "$FLOWS"
	row "never changed, segments lost"
	for backend in "${BACKENDS[@]}"; do
		all=$((all + $(lost wires "$backend-eth0")))
		finds wires "$backend-eth0"
	done
	((broken == 0 && all > FLOWS))
}

# changed FILE: the pool of all is five servers, then that; then one dies
changed() {
	begun "$FIVE"
	applies "$BATS_FILE_TMPDIR/$1" lbdsr0a lbdsr0b
	advanced "$FLOWS"
	dies lbdsr0b lbdsr0a
	row "$2, then one dies"
}

@test "measured: a backend is added, then a load balancer dies" {
	changed six added
}

@test "measured: a backend is drained, then a load balancer dies" {
	changed drained drained
}

@test "measured: a backend is removed, then a load balancer dies" {
	changed four removed
}

@test "measured: a weight changes, then a load balancer dies" {
	changed heavy "a weight changed"
}

@test "measured: one load balancer has the new file, the other dies" {
	begun "$FIVE"
	applies "$BATS_FILE_TMPDIR/six" lbdsr0a
	advanced "$FLOWS"
	dies lbdsr0b lbdsr0a
	row "one is late, and dies"
}

@test "measured: a backend is added, then a third load balancer joins" {
	begun "$FIVE"
	applies "$BATS_FILE_TMPDIR/six" lbdsr0a lbdsr0b
	begins "$BATS_FILE_TMPDIR/six" lbdsr0c
	spread lbdsr0a lbdsr0b lbdsr0c
	row "added, then a third one joins"
}

@test "measured: a backend is added, then a load balancer reboots" {
	begun "$FIVE"
	applies "$BATS_FILE_TMPDIR/six" lbdsr0a lbdsr0b
	advanced "$FLOWS"
	dies lbdsr0b lbdsr0a
	begins "$BATS_FILE_TMPDIR/six" lbdsr0b
	returns lbdsr0b
	spread lbdsr0a lbdsr0b
	row "added, then one reboots"
}

@test "measured, and said by check: random does not select alike" {
	fleet_file "$BATS_TEST_TMPDIR/random" 's/maglev/random/'
	begun "$BATS_TEST_TMPDIR/random"
	dies lbdsr0b lbdsr0a
	row "never changed, but random"
	((broken > 0))
}
