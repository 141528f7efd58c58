#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Several load balancers with the same file, behind a router that spreads flows
# over them. One dies: its flows go on through another, which has not seen them.
# As long as the pool is the same, the other selects alike. When the pool has
# changed while they lived, backends find each other's flows, if the file has
# states; the controls are the same changes without. Each row says how many of
# FLOWS are broken. `make test-fleet`: 2,000 of them, each talks every two seconds,
# in both modes and of both families.

# shellcheck disable=SC2154 # flows.bash: broken

bats_require_minimum_version 1.5.0
load lib
load flows
load fleet
load dropper

FLOWS=${FLOWS:-300} PAUSE=${PAUSE:-0.5}
export FLEET_MODE=${FLEET_MODE:-generic} FLEET_VIP=${FLEET_VIP:-$VIP4}

# sed expressions. gone LAST: removes the backend whose address ends so; becomes
# LAST WORDS: gives it these words
gone() {
	echo "/[.:]$1, weight/d"
}

becomes() {
	printf '%s\n' "s/\([.:]$1\), weight: 1/\1, $2/"
}

setup_file() {
	local ports=() dir=$BATS_FILE_TMPDIR
	[[ $FLEET_MODE == generic ]] || ports=(--native)
	network "${ports[@]}" fleet
	dropper_build
	fleet_attach "$FLEET_MODE"
	fleet_file "$dir/five" "$(gone 8)"
	fleet_file "$dir/added.plain"
	fleet_file "$dir/added.staged" "$(becomes 8 'state: filling')"
	fleet_file "$dir/drained.plain" "$(gone 8)" "$(gone 7)"
	fleet_file "$dir/drained.staged" "$(gone 8)" "$(becomes 7 'state: draining')"
	fleet_file "$dir/heavy.plain" "$(gone 8)" "$(becomes 7 'weight: 3')"
	fleet_file "$dir/heavy.staged" "$(gone 8)" \
		"$(becomes 7 'weight: 3, weight-before: 1')"
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

# begun FILE [VIP]: starts flows through two load balancers that have that file;
# the backends know all six servers and are in no transition
begun() {
	backends_apply "$BATS_FILE_TMPDIR/added.plain"
	lbs_begin "$1" lbdsr0a lbdsr0b
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

# row WHAT: ends the flows; prints how many were broken
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
	lbs_begin "$FIVE" lbdsr0c
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
	for file in added.plain five heavy.plain drained.plain; do
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

# The next file of the pool of five servers is NAME.staged, with states, or
# NAME.plain, without: a drained backend is removed there.

# changes NAME LB...: gives these load balancers the file; if staged, the
# backends before
changes() {
	if [[ $1 == *.staged ]]; then
		backends_apply "$BATS_FILE_TMPDIR/$1"
	fi
	applies "$BATS_FILE_TMPDIR/$1" "${@:2}"
}

# dies_after NAME: the pool changes, then a load balancer dies
dies_after() {
	begun "$FIVE"
	changes "$1" lbdsr0a lbdsr0b
	advanced "$FLOWS"
	dies lbdsr0b lbdsr0a
	row "$1, then one dies"
}

# late NAME: one load balancer has the new file, and the other dies without it
late() {
	begun "$FIVE"
	changes "$1" lbdsr0a
	advanced "$FLOWS"
	dies lbdsr0b lbdsr0a
	row "$1, one is late, and dies"
}

# joined NAME: the pool changes, then a third load balancer takes part of the
# flows
joined() {
	begun "$FIVE"
	changes "$1" lbdsr0a lbdsr0b
	lbs_begin "$BATS_FILE_TMPDIR/$1" lbdsr0c
	spread lbdsr0a lbdsr0b lbdsr0c
	row "$1, then a third one joins"
}

# reboots NAME: the pool changes, then a load balancer dies and comes back
reboots() {
	begun "$FIVE"
	changes "$1" lbdsr0a lbdsr0b
	advanced "$FLOWS"
	dies lbdsr0b lbdsr0a
	lbs_begin "$BATS_FILE_TMPDIR/$1" lbdsr0b
	returns lbdsr0b
	spread lbdsr0a lbdsr0b
	row "$1, then one reboots"
}

# unbroken_by ROW NAME...: each change breaks no flow, with states in the file
unbroken_by() {
	local name before
	for name in "${@:2}"; do
		before=$(passed_on)
		"$1" "$name.staged"
		(($(passed_on) > before))
		((broken == 0))
		teardown
	done
}

# broken_by ROW NAME...: each change breaks some without, as the control
broken_by() {
	local name
	for name in "${@:2}"; do
		"$1" "$name.plain"
		((broken > 0))
		teardown
	done
}

@test "states in the file: a load balancer dies after a change: 0 broken" {
	unbroken_by dies_after added drained heavy
}

@test "control: the same without states: a load balancer dies" {
	broken_by dies_after added drained heavy
}

@test "states in the file: one load balancer has the old file and the other dies, a third joins, one reboots: 0 broken" {
	unbroken_by late added
	unbroken_by joined added
	unbroken_by reboots added
}

@test "control: the same without states: one has the old file, joins, or reboots" {
	broken_by late added
	broken_by joined added
	broken_by reboots added
}

@test "control: random: load balancers do not select alike" {
	fleet_file "$BATS_TEST_TMPDIR/random" 's/maglev/random/'
	begun "$BATS_TEST_TMPDIR/random"
	dies lbdsr0b lbdsr0a
	row "never changed, but random"
	((broken > 0))
}
