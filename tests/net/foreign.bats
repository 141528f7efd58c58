#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Tunnels with a foreign end: the kernel's own devices take what xdp_lbr sends,
# and xdp_bkd takes what the kernel's IPVS sends. Skipped on a kernel that has
# neither.

# shellcheck disable=SC2154 # `run`

bats_require_minimum_version 1.5.0
load lib

setup_file() {
	network --native
	services "$BATS_FILE_TMPDIR/file" 's/forward: rewrite.*/forward: ipip/'
	echo "lb-sources: ['172.17.0.0/16', '2001:db8:17::/64']" \
		>>"$BATS_FILE_TMPDIR/file"
}

teardown_file() {
	network_down
}

teardown() {
	local host device
	for host in "$LB" "${BACKENDS[@]}"; do
		for device in dsr4 dsr6 dsr46 dsr64; do
			on "$host" ip link del "$device" 2>/dev/null || :
		done
		on "$host" "$([[ $host == "$LB" ]] && echo LoadBalancer/lbr ||
			echo Backend/bkd)" down >/dev/null 2>&1 || :
	done
}

fails() {
	run ! get "$1" --max-time 1
}

# device NAME TYPE LOCAL [OPTION...]: a tunnel's end on each backend, whose
# address ends as LOCAL's N does
device() {
	local host last=3
	modprobe "$2" 2>/dev/null || :
	for host in "${BACKENDS[@]}"; do
		on "$host" ip link add "$1" type "$2" "${@:4}" local "${3/N/$last}" ||
			skip "no $2 devices in this kernel"
		on "$host" ip link set "$1" up
		last=$((last + 1))
	done
}

lb_alone() { # FILE
	lbr up -m native -c "$1"
	wait_for 10 on "$LB" ping -q -c 1 -W 1 172.17.0.3
	wait_for 10 on "$LB" ping -q -c 1 -W 1 2001:db8:17::3
}

@test "ipip: the kernel's ipip device takes xdp_lbr's packets" {
	device dsr4 ipip 172.19.0.N
	lb_alone "$BATS_FILE_TMPDIR/file"
	balanced "$VIP4" 40 4 36
	local host
	for host in "${BACKENDS[@]}"; do on "$host" ip link set dsr4 down; done
	fails "$VIP4"
}

@test "ipip: the kernel's ip6tnl device takes xdp_lbr's packets" {
	device dsr6 ip6tnl 2001:db8:19::N mode ip6ip6 remote ::
	lb_alone "$BATS_FILE_TMPDIR/file"
	balanced "$VIP6" 40 4 36
	local host
	for host in "${BACKENDS[@]}"; do on "$host" ip link set dsr6 down; done
	fails "$VIP6"
}

@test "ipip: xdp_bkd takes the packets of IPVS in tunnel mode" {
	local backend
	modprobe -a ip_vs ip_vs_rr 2>/dev/null || :
	on "$LB" ip address add "$VIP4/32" dev lo
	on "$LB" ip address add "$VIP6/128" dev lo nodad
	on "$LB" tests/net/ipvs.py "$VIP4" 80 172.19.0.3 172.19.0.4 ||
		skip "no IPVS in this kernel"
	on "$LB" tests/net/ipvs.py "$VIP6" 80 2001:db8:19::3 2001:db8:19::4
	fails "$VIP4"
	fails "$VIP6"
	for backend in "${BACKENDS[@]}"; do
		bkd "$backend" up -m native -c "$BATS_FILE_TMPDIR/file"
	done
	balanced "$VIP4" 40 10 30
	balanced "$VIP6" 40 10 30
	(($(reason decapsulated backend0x) > 100))
}
