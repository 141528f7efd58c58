#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# What is put up comes down, whatever happens meanwhile; runs beside each other
# do not meet; installing what the project needs starts nothing.
#
# Other runs may come and go on this machine while these tests look at it. So
# what belongs to a run is told by its name, and only what has no run's name
# (the machine's own network namespace) is compared as a whole.

bats_require_minimum_version 1.5.0
load lib

# own: everything in the machine's own network that a demo could have changed
own() {
	ip -o link | sed 's/ state .*//'
	ip -o address | sed 's/ valid_lft.*//'
	ip route show table all
	ip -6 route show table all | sed 's/ expires .*//'
	ip rule
	ip -6 rule
	ls -R /sys/fs/bpf 2>/dev/null
	sysctl -ae 2>/dev/null | grep '^net\.' | grep -v _count
	! command -v nft >/dev/null || nft list ruleset
	findmnt -rno TARGET,FSTYPE | grep -vE 'l3dsr-topo|^/run/netns'
}

# programs: the ids of our programs on the whole machine. A container sees all
# loaded programs but not where those of others are attached, so there it prints
# nothing.
programs() {
	# the first pid namespace always has this number
	[[ $(readlink /proc/self/ns/pid) == 'pid:[4026531836]' ]] || return 0
	bpftool -j prog show |
		jq -r '.[] | select(.name // "" | test("^xdp_(lbr|bkd|pass|dropper)$")).id'
}

# attached: the ids of our programs on interfaces of hosts of any run
attached() {
	local ns
	for ns in /run/netns/*; do
		ip -n "${ns##*/}" -o link 2>/dev/null || :
	done | grep -o 'prog/xdp id [0-9]*' | sed 's/.* //'
}

# remains: whatever has the name of the demo's run, and its programs
remains() (
	set +e
	ls -d /run/netns/*-"$run" /run/*"$run"* "$BATS_TEST_TMPDIR"/tmp/* 2>/dev/null
	grep -F -- "$run" /proc/self/mountinfo
	grep -lzx -- "TOPO_RUN=$run" /proc/[0-9]*/environ 2>/dev/null
	programs | grep -vxF -f "$BATS_TEST_TMPDIR/programs" -f <(attached)
	exit 0
)

setup() {
	run=life$$-$RANDOM
	mkdir "$BATS_TEST_TMPDIR/tmp"
	own >"$BATS_TEST_TMPDIR/own"
	{
		echo none
		programs
	} >"$BATS_TEST_TMPDIR/programs"
}

teardown() {
	TOPO_RUN=$run "$TOPO" down
}

nothing_remains() {
	[[ ! $(remains) ]]
}

as_before() {
	wait_for 20 nothing_remains || {
		remains
		return 1
	}
	diff "$BATS_TEST_TMPDIR/own" <(own)
}

# demo SIGNAL SECONDS: `make demo`, of $SCENARIO, if it is set; its process group
# gets SIGNAL after a time.
# A session of its own, with default actions: a shell's background jobs ignore
# SIGINT, which no user's does.
demo() {
	TOPO_RUN=$run TMPDIR=$BATS_TEST_TMPDIR/tmp /usr/bin/python3 - \
		"$@" make -C "$ROOT" demo 3>&- <<-'EOP'
			import os, signal, subprocess, sys

			def default():
			    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
			        signal.signal(getattr(signal, name), signal.SIG_DFL)

			process = subprocess.Popen(sys.argv[3:], start_new_session=True, preexec_fn=default,
			                           stdin=subprocess.DEVNULL)
			try:
			    process.wait(float(sys.argv[2]))
			except subprocess.TimeoutExpired:
			    os.killpg(process.pid, getattr(signal, "SIG" + sys.argv[1]))
			sys.exit(process.wait(120))
		EOP
}

# whole: a demo to its end; keeps how long it took, for interrupted
whole() {
	local begin=${EPOCHREALTIME/[.,]/}
	demo TERM 300
	echo $((${EPOCHREALTIME/[.,]/} - begin)) >"$BATS_FILE_TMPDIR/length.${SCENARIO-}"
}

# interrupted SIGNAL [MOMENTS]: sends SIGNAL at random moments of a demo. Two of
# them here; `make test-lifecycle` takes more.
interrupted() {
	local length i moment
	make -s -C "$ROOT" all
	RANDOM=${SEED:=$RANDOM$$}
	echo "SEED=$SEED"
	[[ -e $BATS_FILE_TMPDIR/length.${SCENARIO-} ]] || whole >/dev/null
	length=$(<"$BATS_FILE_TMPDIR/length.${SCENARIO-}")
	for ((i = 1; i <= ${2:-${LIFECYCLE_MOMENTS:-2}}; i++)); do
		moment=$((length * RANDOM / 32768))
		moment=$(printf '%d.%06d' $((moment / 1000000)) $((moment % 1000000)))
		echo "$i: SIG$1 after $moment s"
		demo "$1" "$moment" || :
		as_before
	done
}

@test "make demo: answers, and leaves nothing behind" {
	whole >"$BATS_TEST_TMPDIR/said"
	grep 'together  *40 of 40' "$BATS_TEST_TMPDIR/said"
	as_before
}

@test "make demo SCENARIO=dropper: shows all that it promises, and leaves nothing behind" {
	# shellcheck disable=SC2030
	export SCENARIO=dropper
	whole >"$BATS_TEST_TMPDIR/said"
	cat "$BATS_TEST_TMPDIR/said"
	# columns: connected, bytes sent, segments in, bytes delivered
	grep -E 'parity, first number even +no +0 +0 +0 ' "$BATS_TEST_TMPDIR/said"
	grep -E 'parity, first number odd +yes +4 +[0-9]+ +0 ' "$BATS_TEST_TMPDIR/said"
	grep -E 'once, IPv6 +yes +4 +[0-9]+ +4 ' "$BATS_TEST_TMPDIR/said"
	as_before
	interrupted INT "${LIFECYCLE_MOMENTS:-0}"
}

@test "make demo SCENARIO=fleet: shows all that it promises, and leaves nothing behind" {
	# shellcheck disable=SC2030,SC2031
	export SCENARIO=fleet
	whole >"$BATS_TEST_TMPDIR/said"
	cat "$BATS_TEST_TMPDIR/said"
	# columns: connections, packets passed on, broken
	grep -E '^  second chance +300 +[1-9][0-9]* +0$' "$BATS_TEST_TMPDIR/said"
	grep -E '^  without +300 +0 +[1-9][0-9]*$' "$BATS_TEST_TMPDIR/said"
	as_before
	interrupted INT "${LIFECYCLE_MOMENTS:-0}"
}

@test "make demo SCENARIO=workers: shows all that it promises, and leaves nothing behind" {
	# shellcheck disable=SC2030,SC2031
	export SCENARIO=workers
	whole >"$BATS_TEST_TMPDIR/said"
	cat "$BATS_TEST_TMPDIR/said"
	# columns: requests, answered, queued
	grep -E '^  12 short ones +12 +12 +0$' "$BATS_TEST_TMPDIR/said"
	grep -E '^  40 long ones +40 +40 +25$' "$BATS_TEST_TMPDIR/said"
	as_before
}

@test "make demo SCENARIO=imperial: shows all that it promises, and leaves nothing behind" {
	# shellcheck disable=SC2031
	export SCENARIO=imperial
	whole >"$BATS_TEST_TMPDIR/said"
	cat "$BATS_TEST_TMPDIR/said"
	grep 'pings each, IPv4 and IPv6: 50 of 50' "$BATS_TEST_TMPDIR/said"
	# columns: connections to h2, to h3, all, and a direct one meanwhile
	grep -E '^  rewrite, maglev( +[0-9]+){2} +16 +no$' "$BATS_TEST_TMPDIR/said"
	grep -E '^  rewrite, round-robin( +[0-9]+){2} +16 +no$' "$BATS_TEST_TMPDIR/said"
	for method in dscp ipip l2 nat; do
		grep -E "^  $method( +[0-9]+){2} +16 +yes$" "$BATS_TEST_TMPDIR/said"
	done
	as_before
}

@test "make demo SCENARIO=nosuch: refused, and the existing ones are listed" {
	SCENARIO=nosuch run -2 demo TERM 300
	[[ $output == *"cannot show nosuch: no such scenario"*"of: "*dropper*l3dsr* ]]
	SCENARIO=lib run -2 "$ROOT/topology/demo" lib
	for name in $("$ROOT/topology/demo" --list); do
		[[ -e $ROOT/topology/$name/network.sh ]]
	done
	as_before
}

@test "if something remained, it would be seen" {
	TOPO_RUN=$run "$TOPO" up 3>&-
	TOPO_RUN=$run lbr up >/dev/null
	remains >"$BATS_TEST_TMPDIR/remains"
	grep -qx "/run/netns/$LB-$run" "$BATS_TEST_TMPDIR/remains"
	grep -q '^/proc/[0-9]*/environ' "$BATS_TEST_TMPDIR/remains"
	grep -q ' - nsfs ' "$BATS_TEST_TMPDIR/remains"
	ip link add "l${run:4:10}" type veth peer name "p${run:4:10}"
	run ! diff "$BATS_TEST_TMPDIR/own" <(own)
	ip link del "l${run:4:10}"
	TOPO_RUN=$run "$TOPO" down
	as_before
}

@test "make demo: leaves nothing behind after SIGINT" {
	interrupted INT
}

@test "make demo: leaves nothing behind after SIGTERM" {
	interrupted TERM
}

@test "make demo: leaves nothing behind after SIGHUP" {
	interrupted HUP
}
