#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# `checksum: keep` and `update`. On a virtual link the field above IP may hold
# the pseudo header's sum alone, until a device on the way fills in the rest
# (CHECKSUM_PARTIAL); XDP cannot tell. Where that happens between load balancer
# and backend, `update` breaks each packet and `keep` none: so keep is the
# default. What restores the VIP and is not xdp_bkd wants it the other way.

# shellcheck disable=SC2154 # `run`

bats_require_minimum_version 1.5.0
load lib

DSCP=10

# In one network, client and backends have checksum offload, veth's default; in
# the other, the LB's port completes every checksum before xdp_lbr sees it.
setup_file() {
	network
	export RUN_generic=$TOPO_RUN
	network --native
	export RUN_native=$TOPO_RUN
}

teardown_file() {
	networks_down generic native
}

teardown() {
	on wires ethtool -K router0a-eth0 tx on >/dev/null
	local backend
	for backend in "${BACKENDS[@]}"; do
		! on "$backend" nft delete table inet yahoo 2>/dev/null || :
	done
	sniff_end
}

# with MODE CHECKSUM [KEY...]: attaches both programs with these settings
with() {
	local name=RUN_$1 more='' key
	export TOPO_RUN=${!name}
	for key in "checksum: $2" "${@:3}"; do more+="    $key\\n"; done
	services "$BATS_TEST_TMPDIR/file" "s/^    protocol:/$more&/" \
		"$([[ ! ${3-} ]] || echo '/^    forward: rewrite/d')"
	attach "$1" "$BATS_TEST_TMPDIR/file"
	get "$VIP4" --max-time 1 >/dev/null || : # neighbours
	get "$VIP6" --max-time 1 >/dev/null || :
}

# completes: partial checksums are completed between LB and router
completes() {
	on wires ethtool -K router0a-eth0 tx off >/dev/null
}

serves() {
	balanced "$VIP4" 20 1 19
	balanced "$VIP6" 20 1 19
	echoes "$VIP4" 20 | shared 20 1 19
	echoes "$VIP6" 20 | shared 20 1 19
}

fails() {
	run ! get "$VIP4" --max-time 1
	run ! get "$VIP6" --max-time 1
}

asked() {
	get "$VIP4" >/dev/null
	seen sums "$1"
}

# sums WHICH: all checksums of requests, seen at backend0x's port, are `correct`
# or `incorrect`
sums() {
	sniff sums wires backend0x-eth0 'tcp and dst port 80'
	wait_for 20 asked " cksum 0x[0-9a-f]+ \\($1"
	if sniffed sums | grep -F ' > 172.19.0.3.80:' |
		grep -qvE " cksum 0x[0-9a-f]+ \\($1"; then
		return 1
	fi
	sniff_end
}

@test "keep: checksums completed between LB and router: all requests arrive" {
	with generic keep
	serves
	completes
	serves
}

@test "update: all arrive, but if completed between LB and router, none does" {
	with generic update
	serves
	completes
	fails
}

@test "update: every sum is true on the wire, and at the server" {
	with native update
	serves
	sums correct
}

@test "keep: on the wire the sum is the VIP's, at the server it is true" {
	with native keep
	serves
	sums incorrect
}

# yahoo: instead of xdp_bkd, nftables on the backends does what Yahoo's module does: it
# restores the VIP by the mark, for every port
yahoo() {
	local backend
	for backend in "${BACKENDS[@]}"; do
		bkd "$backend" down >/dev/null
		on "$backend" nft -f - <<-EOF
			table inet yahoo {
				chain in {
					type filter hook prerouting priority raw
					ip dscp $DSCP ip daddr 172.19.0.0/16 \
						ip daddr set $VIP4
					ip6 dscp $DSCP ip6 daddr 2001:db8:19::/64 \
						ip6 daddr set $VIP6
				}
			}
		EOF
	done
}

@test "dscp, update: nftables restores as Yahoo's module does" {
	with native update "forward: dscp" "dscp: $DSCP"
	serves
	yahoo
	serves
}

@test "negative control: dscp, update: nobody restores" {
	with native update "forward: dscp" "dscp: $DSCP"
	local backend
	for backend in "${BACKENDS[@]}"; do bkd "$backend" down >/dev/null; done
	fails
}

@test "dscp, keep: nftables restores in vain; check warns of it" {
	with native keep "forward: dscp" "dscp: $DSCP"
	yahoo
	fails
	on "$LB" LoadBalancer/lbr check "$BATS_TEST_TMPDIR/file" |
		grep -q 'note: .*needs checksum: update'
}
