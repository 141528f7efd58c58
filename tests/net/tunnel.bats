#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# What ipip puts around a packet takes room that the client knows nothing of.
# In native mode the load balancer tells it, also what a router has told the
# load balancer; in generic mode, which sees packets larger than those on the
# wire, the backends ask for less (`advmss`).

load lib
load uploads

# tunnelled [SED-EXPR...]: all goes by ipip, with the file changed
tunnelled() {
	local next
	announce 's/forward: rewrite/forward: ipip/' \
		"\$ a lb-sources: ['172.17.0.0/16', '2001:db8:17::/64']" "$@"
	lbr apply "$BATS_TEST_TMPDIR/backends"
	for next in "$NEXT4" "$NEXT6"; do
		wait_for 10 on "$LB" ping -q -c 1 -W 1 "$next"
	done
}

@test "an upload through ipip over a path of MTU 1500 completes: native" {
	local vip
	afresh native
	tunnelled
	for vip in "$VIP4" "$VIP6"; do completes "$vip"; done
	# negative control
	tunnelled '$ a answer-limit: 0'
	on "$CLIENT" ip route flush cache
	on "$CLIENT" ip -6 route flush cache
	for vip in "$VIP4" "$VIP6"; do [[ $(upload "$vip" 2) == 0 ]]; done
	settings
	announce
}

@test "an upload through ipip over a narrow leg behind the router: native" {
	local vip
	afresh native
	tunnelled
	narrow 1400
	for vip in "$VIP4" "$VIP6"; do completes "$vip"; done
	[[ $(on "$CLIENT" ip route get "$VIP4") == *'mtu 1380'* ]]
	[[ $(on "$CLIENT" ip route get "$VIP6") == *'mtu 1360'* ]]
	narrow any
	settings
	announce
}

@test "an upload through ipip completes by advmss: generic" {
	local vip
	afresh generic
	tunnelled '$ a advmss: 1400'
	for vip in "$VIP4" "$VIP6"; do [[ $(upload "$vip" 10) == "$LARGE" ]]; done
	# negative control; without super-packets: the router's kernel takes the inner
	# header of one for TCP's, and may find it small enough
	tunnelled
	on "$CLIENT" ethtool -K eth0 tso off gso off
	for vip in "$VIP4" "$VIP6"; do [[ $(upload "$vip" 2) == 0 ]]; done
	settings
	announce
}
