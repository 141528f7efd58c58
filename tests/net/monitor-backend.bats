#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The host changes under xdp_bkd: `bkd run` follows at once, as `lbr run` does
# (monitor.bats).

# shellcheck disable=SC2030,SC2031,SC2154 # `run`

bats_require_minimum_version 1.5.0
load lib
load run

setup() {
	services "$BATS_TEST_TMPDIR/services.yaml"
}

teardown() {
	run_end
}

@test "bkd run: keeps the VIP on lo, settings, and an interface that is made again" {
	local host=backend0x
	run_of "$host"
	run_begin "$BATS_TEST_TMPDIR/services.yaml"
	on "$host" ip address del "$VIP4/32" dev lo
	followed run_said "lo: VIP $VIP4 added"
	on "$host" sysctl -qw net.ipv4.conf.all.arp_ignore=0
	wait_for 8 run_said 'all/arp_ignore: 0 -> 1'
	on "$host" ip link set eth0 name lan0
	followed run_said 'eth0: is called lan0 now'
	on "$host" ip link set lan0 name eth0
	followed run_said 'lan0: is called eth0 now'
	on "$host" ip link set eth0 address 02:42:ac:13:00:33
	followed run_said 'eth0: frames for 02:42:ac:13:00:33 are taken'
	on "$host" ip link set eth0 address 02:42:ac:13:00:03
	# the host has no address of the file left: what it restores is no
	# longer permanent
	on "$host" ip address del 172.19.0.3/16 dev eth0
	followed restores_for false
	on "$host" ip address add 172.19.0.3/16 dev eth0
	on "$host" ip route replace default via 172.19.0.2
	followed restores_for true
	wait_for 10 get "$VIP4" --max-time 1 # the router has to resolve the address again
}

many_vips() {
	echo services:
	for i in {1..1200}; do
		echo "  - {vip: 10.97.$((i / 250)).$((i % 250 + 1)), port: $i, protocol: tcp," \
			"backends: [{address: 172.19.0.3}]}"
	done
}

vips() { # COUNT
	[[ $(on backend0x ip -4 address show dev lo | grep -c ' 10\.97\.') == "$1" ]]
}

@test "bkd: 1,200 VIPs are on lo; those that somebody removes, all at once, are put back" {
	many_vips >"$BATS_TEST_TMPDIR/many.yaml"
	bkd backend0x apply "$BATS_TEST_TMPDIR/many.yaml" >/dev/null
	vips 1200
	run_of backend0x
	run_begin "$BATS_TEST_TMPDIR/many.yaml"
	on backend0x ip address flush dev lo to 10.97.0.0/16
	wait_for 20 vips 1200
	run_end
	# down removes them all
	bkd backend0x down >/dev/null
	vips 0
	bkd backend0x up -m generic >/dev/null
}

restores_for() { # whether permanently
	[[ $(bkd backend0x show -j restores |
		jq -r '[.restores[] | select(.address == "172.19.0.3")][0].permanent') == "$1" ]]
}
