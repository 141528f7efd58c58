#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Two runs of a scenario at the same time do not meet; installing what the
# project needs starts nothing.

bats_require_minimum_version 1.5.0
load lib

setup_file() {
	local run
	for run in ONE TWO; do
		network
		export "$run=$TOPO_RUN"
	done
}

teardown_file() {
	TOPO_RUN=$ONE network_down
	TOPO_RUN=$TWO network_down
}

begun() {
	lbr show -j services | jq '[.services[]."flows-total"] | add'
}

# over RUN CMD...
over() {
	local -x TOPO_RUN=$1
	"${@:2}"
}

@test "two runs at the same time: each has its own traffic and counters" {
	local first second
	over "$ONE" attach &
	first=$!
	over "$TWO" attach
	wait "$first"
	over "$ONE" answers "$VIP4" 100 >"$BATS_TEST_TMPDIR/one" &
	first=$!
	over "$TWO" answers "$VIP4" 60 >"$BATS_TEST_TMPDIR/two" &
	second=$!
	wait "$first"
	wait "$second"
	shared 100 20 80 <"$BATS_TEST_TMPDIR/one"
	shared 60 12 48 <"$BATS_TEST_TMPDIR/two"
	(($(over "$ONE" begun) == 100 && $(over "$TWO" begun) == 60))
	# Take the network down while requests are under way.
	over "$TWO" answers "$VIP4" 1000 --fail-early >"$BATS_TEST_TMPDIR/on" &
	second=$!
	over "$ONE" network_down
	wait "$second"
	shared 1000 300 700 <"$BATS_TEST_TMPDIR/on"
	(($(over "$TWO" begun) == 1060))
	run -1 over "$ONE" get "$VIP4"
	# After `up` again, nothing is left of the other run.
	over "$ONE" "$TOPO" up 3>&-
	over "$ONE" attach
	over "$ONE" get "$VIP4"
}

@test "dependencies: nothing is done where everything is there" {
	# Commands that would install something fail here.
	mkdir "$BATS_TEST_TMPDIR/bin"
	# shellcheck disable=SC2016
	printf '#!/bin/sh\necho "$0 $*"\nexit 1\n' >"$BATS_TEST_TMPDIR/bin/apt-get"
	chmod +x "$BATS_TEST_TMPDIR/bin/apt-get"
	cp "$BATS_TEST_TMPDIR/bin/apt-get" "$BATS_TEST_TMPDIR/bin/dpkg"
	[[ ! $(PATH=$BATS_TEST_TMPDIR/bin:$PATH "$ROOT/.ci/dependencies" build play test) ]]
}

# fakes: an apt-get that records how it is called, and finds its lists locked
# twice.
fakes() {
	mkdir -p "$BATS_TEST_TMPDIR/bin" "$BATS_TEST_TMPDIR/.ci"
	cp "$ROOT/.ci/dependencies" "$BATS_TEST_TMPDIR/.ci"
	printf '[some]\nno-such-package\n' >"$BATS_TEST_TMPDIR/.ci/packages"
	cat >"$BATS_TEST_TMPDIR/bin/apt-get" <<-'END'
		#!/bin/sh
		here=$(dirname "$0")
		echo "$*" >>"$here/calls"
		case $* in
		*update)
			[ "$(grep -c update "$here/calls")" -gt "${LOCKED:-2}" ] && exit
			echo "E: Could not get lock /var/lib/apt/lists/lock." \
				"It is held by process 17 (apt.systemd.dai)"
			exit 100
			;;
		esac
	END
	chmod +x "$BATS_TEST_TMPDIR/bin/apt-get"
}

installs() { # GROUP
	PATH=$BATS_TEST_TMPDIR/bin:$PATH "$BATS_TEST_TMPDIR/.ci/dependencies" "$1"
}

@test "dependencies: waits while something else holds apt's locks, and says for whom" {
	fakes
	run -0 installs some
	echo "$output"
	[[ $output == *"WAIT	for apt: held by process 17 (apt.systemd.dai)"* ]]
	(($(grep -c update "$BATS_TEST_TMPDIR/bin/calls") == 3))
	# apt itself waits for dpkg's lock
	[[ $(tail -n 1 "$BATS_TEST_TMPDIR/bin/calls") == \
		*"DPkg::Lock::Timeout=300 install"*no-such-package ]]
	LOCKED=1000 PATIENCE=0 run ! installs some
	[[ $output == *"Could not get lock"*"cannot install"* ]]
}

@test "dependencies: a group that does not exist, and no group: refused" {
	run -2 "$ROOT/.ci/dependencies"
	run -2 "$ROOT/.ci/dependencies" biuld
	[[ $output == *"'biuld': no such group"*"(build play test "* ]]
	# the demo does not need the packages that tests need
	make -n -C "$ROOT" demo | grep -q 'dependencies build play$'
}

# starts PACKAGE: prints the lines by which its installation starts a service or
# enables it at boot; not those that only restart a running one
starts() {
	local script
	script=$(dpkg-query --control-path "$1" postinst 2>/dev/null) || return 0
	[[ ! $script ]] ||
		sed -n "/deb-systemd-invoke\|invoke-rc\.d\|update-rc\.d/s/^/$1: /p" "$script" |
		grep -v try-restart || :
}

@test "dependencies: no package starts a service" {
	local package
	# Debian's own units do not matter.
	for package in $("$ROOT/.ci/dependencies" --list build play test fresh docker kernels); do
		case $package in procps | kmod | util-linux) continue ;; esac
		[[ ! $(starts "$package") ]]
	done
	[[ $(starts util-linux) ]]
}
