#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The other ways by which two load balancers announce a VIP: keepalived, ExaBGP,
# anycast, a program. The configurations are those of docs/high-availability.md.

bats_require_minimum_version 1.5.0
load ../net/lib
load ../net/fleet
load ../net/announce

setup_file() {
	local name file=$BATS_FILE_TMPDIR/services
	network fleet
	announced_services 'table: 107, track-files: /run/lbr, leave-after: 0s, hook: /run/hook' \
		>"$file"
	for name in "${BACKENDS[@]}"; do
		bkd "$name" up -m generic -c "$file" >/dev/null
	done
	for name in lbdsr0a lbdsr0b; do
		# shellcheck disable=SC2016
		on "$name" sh -c 'printf "%s\n" "#!/bin/sh" "echo \"\$*\" >>/run/heard" >/run/hook
			chmod 755 /run/hook'
	done
}

setup() {
	local name
	for name in lbdsr0a lbdsr0b; do
		lb "$name" up -m generic -c "$BATS_FILE_TMPDIR/services" >/dev/null
		lbr_run "$name" "$BATS_FILE_TMPDIR/services"
	done
}

teardown() {
	local name daemon
	for name in "$ROUTER" lbdsr0a lbdsr0b; do
		for daemon in exabgp keepalived bird lbr; do
			daemon_end "$name" "$daemon"
		done
	done
	on lbdsr0a ip address flush to "$VIP4/32"
	on lbdsr0b ip address flush to "$VIP4/32"
	spoiled lbdsr0a undrain
	spoiled lbdsr0b undrain
}

teardown_file() {
	network_down
}

# keepalived_on HOST: starts it with the file on stdin
keepalived_on() {
	local conf=$BATS_TEST_TMPDIR/$1
	cat >"$conf.conf"
	daemon "$1" keepalived keepalived -n -l -P -f "$conf.conf" -p "$conf.pid" -r "$conf.vrrp"
}

# master_is HOST: it has the VIP, and the other one has not
master_is() {
	local name
	for name in lbdsr0a lbdsr0b; do
		[[ $(on "$name" ip -o address show to "$VIP4/32") ]] || continue
		[[ $name == "$1" ]] || return
	done
	[[ $(on "$1" ip -o address show to "$VIP4/32") ]]
}

pair() {
	example 'keepalived.conf on both' | sed "${1-}" | keepalived_on lbdsr0a
	example 'keepalived.conf on both' | sed 's/priority 100/priority 99/' |
		keepalived_on lbdsr0b
	wait_for 10 master_is lbdsr0a
}

@test "announce by: keepalived: the one that is fit is master; who leaves is none" {
	on "$ROUTER" ip route replace "$VIP4" dev eth0
	wait_for 5 announced_is lbdsr0a fit
	wait_for 5 announced_is lbdsr0b fit
	pair
	get "$VIP4" >/dev/null
	spoiled lbdsr0a
	wait_for 5 master_is lbdsr0b
	wait_for 5 get "$VIP4" >/dev/null
	spoiled lbdsr0b
	wait_for 5 master_is lbdsr0a # as neither is
	lb lbdsr0a leave >/dev/null
	wait_for 5 master_is lbdsr0b
	wait_for 5 get "$VIP4" >/dev/null
}

@test "announce by: keepalived: control: a stale file moves nothing" {
	wait_for 5 announced_is lbdsr0a fit
	wait_for 5 announced_is lbdsr0b fit
	on lbdsr0a cp -r /run/lbr /run/stale
	pair 's,/run/lbr/,/run/stale/,'
	spoiled lbdsr0a
	wait_for 5 announced_is lbdsr0a unfit
	# Long enough for two of keepalived's own timeouts.
	run ! wait_for 1 master_is lbdsr0b
	master_is lbdsr0a
}

# has_med MED: the router knows a route with it
has_med() {
	on "$ROUTER" birdc show route all | grep -q "BGP.med: $1\$"
}

@test "announce by: ExaBGP, and a site of anycast: fit, not fit, withdrawn" {
	on "$ROUTER" ip route del "$VIP4"
	# The two are sites, each with an AS of its own.
	example 'bird.conf on a Linux router' |
		sed 's/172.17.0.2 as 65001/172.17.0.2 as 65002/' | bird_on "$ROUTER"
	example 'bird.conf at a site' | bird_on lbdsr0a
	example 'and /etc/exabgp/lbr.sh' |
		on lbdsr0b sh -c 'mkdir -p /etc/exabgp; cat >/etc/exabgp/lbr.sh; chmod 755 /etc/exabgp/lbr.sh'
	example 'exabgp.conf' | as 5 >"$BATS_TEST_TMPDIR/exabgp.conf"
	daemon lbdsr0b exabgp env exabgp_daemon_user=root exabgp_api_cli=false \
		PYTHONPATH="$ROOT/build/exabgp/usr/lib/python3/dist-packages" \
		python3 -B "$(command -v python3-exabgp)" "$BATS_TEST_TMPDIR/exabgp.conf"
	wait_for 20 hops_are '2 5'
	get "$VIP4" >/dev/null
	# Its path becomes longer, and it is left.
	spoiled lbdsr0a
	wait_for 5 hops_are 5
	# Of two that are not fit, the one with the shorter path.
	spoiled lbdsr0b
	wait_for 5 has_med 1000
	hops_are 5
	lb lbdsr0b leave >/dev/null
	wait_for 5 hops_are 2
	get "$VIP4" >/dev/null
	spoiled lbdsr0a undrain
	lb lbdsr0a leave >/dev/null
	wait_for 5 hops_are ''
}

# heard WORDS: the hook on lbdsr0a was called with them
heard() {
	on lbdsr0a grep -qxF -- "$*" /run/heard
}

@test "announce by: a hook: service, state, up, total, why" {
	on lbdsr0a rm -f /run/heard
	daemon_end lbdsr0a lbr
	lbr_run lbdsr0a "$BATS_FILE_TMPDIR/services"
	wait_for 5 heard "$VIP4:80/tcp fit 6 6 "
	spoiled lbdsr0a
	wait_for 5 heard "$VIP4:80/tcp unfit 5 5 5 of 5 up, 6 needed"
	lb lbdsr0a leave >/dev/null
	heard "$VIP4:80/tcp withdrawn 5 5 lbr leave"
	run ! heard "$VIP4:80/tcp withdrawn 6 6 lbr leave"
}
