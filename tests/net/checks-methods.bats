#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Health checks go by the method of their service, as its clients' packets do:
# what is on the wire before the backend, and that the path fails where that
# method's would.

# shellcheck disable=SC2030,SC2031,SC2154 # `run` and its friends

load lib
load run
load status
bats_require_minimum_version 1.5.0

X=backend0x X4=172.19.0.3 X6=2001:db8:19::3
Y4=172.19.0.4 Y6=2001:db8:19::4
MAC=02:42:ac:13:00:03
SOURCES="lb-sources: ['172.17.0.0/16', '2001:db8:17::/64']"
CHECK="{type: http, body: backend, $OFTEN}"

# The VIP is also an address of the load balancer: every method must work.
setup_file() {
	local scenario
	for scenario in l3dsr twolegged; do
		network "$scenario"
		export "RUN_$scenario=$TOPO_RUN"
		on "$LB" ip addr add "$VIP4/32" dev lo
		on "$LB" ip addr add "$VIP6/128" dev lo
	done
}

teardown_file() {
	networks_down l3dsr twolegged
}

teardown() {
	sniff_end
	run_end
}

# file FORWARD X4 Y4 X6 Y6 [HEAD]: writes a file with port 80 of both VIPs, this
# method and these backends
file() {
	FILE=$BATS_TEST_TMPDIR/services.yaml
	cat >"$FILE" <<-END
		${6-}
		services:
		  - {vip: $VIP4, port: 80, forward: $1, check: $CHECK,
		     backends: [{address: $2}, {address: $3}]}
		  - {vip: '$VIP6', port: 80, forward: $1, check: $CHECK,
		     backends: [{address: '$4'}, {address: '$5'}]}
	END
}

# checked SCENARIO WIRE4 WIRE6: starts both programs with FILE, and `lbr run`;
# the frames that arrive at X match these patterns
checked() {
	local name=RUN_$1
	export TOPO_RUN=${!name}
	attach generic "$FILE"
	sniff wire wires "$X-eth0" -e
	run_begin "$FILE"
	wait_for 5 good 4
	wait_for 5 seen wire "> $MAC, .*$2"
	wait_for 5 seen wire "> $MAC, .*$3"
	sniff_end
}

# good COUNT: so many backends are up
good() {
	(($(look /status | jq '[.checks[] | select(.up and .path == "good" and .application == "good")] | length') == $1))
}

# lost: only the backends of X are down, and the path is the reason
lost() {
	[[ $(look /status | jq -r '.checks[] | select(.up | not) | "\(.backend) \(.path) \(.why // "")"' | sort) == \
		"$(printf '%s bad sent to the backend; no answer from the VIP\n' "$X4" "$X6" | sort)" ]]
}

# fails_without BREAK MEND
fails_without() {
	eval "$1"
	wait_for 5 lost
	[[ $(answers "$VIP4" 10) == 'backend0y 10' ]]
	[[ $(answers "$VIP6" 10) == 'backend0y 10' ]]
	eval "$2"
	wait_for 5 good 4
}

@test "dscp: a check bears the mark; it fails without xdp_bkd" {
	file "dscp, dscp: 10" "$X4" "$Y4" "$X6" "$Y6"
	checked l3dsr "tos 0x28,.* 172.17.0.2.[0-9]+ > $X4.80: Flags \[S\]" \
		"class 0x28,.* 2001:db8:17::2.[0-9]+ > $X6.80: Flags \[S\]"
	fails_without "bkd $X down" "bkd $X up -c $FILE >/dev/null"
}

@test "ipip: a check is in an outer header; it fails without xdp_bkd" {
	file ipip "$X4" "$Y4" "$X6" "$Y6" "$SOURCES"
	checked l3dsr "172.17.0.2 > $X4: .*172.17.0.2.[0-9]+ > $VIP4.80: Flags \[S\]" \
		"2001:db8:17::2 > $X6: .*2001:db8:17::2.[0-9]+ > $VIP6.80: Flags \[S\]"
	fails_without "bkd $X down" "bkd $X up -c $FILE >/dev/null"
}

@test "ipip: checks of backends of the other family" {
	file ipip "$X6" "$Y6" "$X4" "$Y4" "$SOURCES"
	checked l3dsr "2001:db8:17::2 > $X6: .*172.17.0.2.[0-9]+ > $VIP4.80: Flags \[S\]" \
		"172.17.0.2 > $X4: .*2001:db8:17::2.[0-9]+ > $VIP6.80: Flags \[S\]"
	fails_without "bkd $X down" "bkd $X up -c $FILE >/dev/null"
}

# The VIP is only on lo: xdp_bkd does not restore it.
off_lo() {
	on "$X" ip addr del "$VIP4/32" dev lo
	on "$X" ip addr del "$VIP6/128" dev lo
}

on_lo() {
	on "$X" ip addr add "$VIP4/32" dev lo
	on "$X" ip addr add "$VIP6/128" dev lo
}

@test "l2: a check goes to the backend's MAC address; it fails with the VIP off lo" {
	file l2 "$X4" "$Y4" "$X6" "$Y6"
	# The check's source is an address of the interface that xdp_lbr is
	# attached to.
	checked twolegged "172.17.0.2.[0-9]+ > $VIP4.80: Flags \[S\]" \
		"2001:db8:17::2.[0-9]+ > $VIP6.80: Flags \[S\]"
	fails_without off_lo on_lo
}

@test "l2: checks of backends of the other family" {
	file l2 "$X6" "$Y6" "$X4" "$Y4"
	checked twolegged "172.17.0.2.[0-9]+ > $VIP4.80: Flags \[S\]" \
		"2001:db8:17::2.[0-9]+ > $VIP6.80: Flags \[S\]"
	fails_without off_lo on_lo
}

@test "l2: a backend behind a router: the check is not sent, and its report says why" {
	file l2 "$X4" "$Y4" "$X6" "$Y6"
	TOPO_RUN=$RUN_l3dsr
	attach generic "$FILE"
	run_begin "$FILE"
	wait_for 5 run_said "$VIP4:80/tcp: backend $X4 is down: not sent: off_link"
	wait_for 5 run_said "$VIP6.:80/tcp: backend $Y6 is down: not sent: off_link"
}

skipped() { # WHY
	look /status | jq -e --arg why "$1" 'any(.checks[]; .skipped > 2 and .why == $why)'
}

@test "ipip: without an own address of the VIP's family no check is made, and no backend is out" {
	file ipip "$X6" "$Y6" "$X4" "$Y4" "$SOURCES"
	TOPO_RUN=$RUN_l3dsr
	on "$LB" ip addr del 172.17.0.2/16 dev eth0
	attach generic "$FILE"
	run_begin "$FILE"
	wait_for 5 skipped 'not sent: Cannot assign requested address'
	on "$LB" ip addr add 172.17.0.2/16 dev eth0
	on "$LB" ip route add 172.19.0.0/16 via 172.17.0.3
	run ! run_said "$VIP4.*down"
}

# doctor_says COMMAND: the command that doctor's examination `answers` prints,
# or ''
doctor_says() {
	lbr doctor -j -c "$FILE" | jq -e --arg command "$1" '[.examinations[] |
		select(.examination == "answers") | .try // ""] == [$command]' >/dev/null
}

@test "answers by an interface without xdp_lbr: reported, and no backend is out; once attached there, all is seen" {
	local way='not by an attached interface: its answers come by eth1'
	file rewrite "$X4" "$Y4" "$X6" "$Y6"
	TOPO_RUN=$RUN_twolegged
	on "$X" ip route add 172.17.0.2 via 172.19.0.6
	attach generic "$FILE"
	run_begin "$FILE"
	wait_for 5 skipped "$way"
	wait_for 5 good 3
	run_said "$VIP4:80: backend $X4 cannot be checked: $way; try: lbr up -i eth1"
	run ! run_said 'is down'
	wait_for 5 doctor_says "lbr up -i eth1"
	sniff wire wires "$X-eth0" -e
	lbr up -i eth1 -c "$FILE"
	wait_for 5 good 4
	wait_for 5 doctor_says ''
	wait_for 5 seen wire "172.19.0.6.[0-9]+ > $X4.80: Flags \[S\]"
	sniff_end
	fails_without "bkd $X down" "bkd $X up -c $FILE >/dev/null"
	run_end
	on "$X" ip route del 172.17.0.2
	lbr down -i eth1
}
