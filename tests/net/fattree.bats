#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Load balancers behind ECMP in a fat tree, with BGP among its switches. `make
# test-fattree` (its demo) shows more of it, and the same without states in the
# file, as the control.

bats_require_minimum_version 1.5.0
load lib
# shellcheck source=topology/fattree/scene.sh
. "$ROOT/topology/fattree/scene.sh"

setup_file() {
	local began=${EPOCHREALTIME/./}
	network fattree
	export TOOK=$((${EPOCHREALTIME/./} - began))
}

teardown_file() {
	network_down
	[[ ! $(find /run -maxdepth 2 -name "*-$TOPO_RUN") ]]
	! grep -F -- "-$TOPO_RUN" /proc/self/mountinfo
}

setup() {
	export scratch=$BATS_TEST_TMPDIR
}

teardown() {
	crowd_end "${!crowd_in[@]}"
}

# faults LOOPED EXCEEDED UNREACHABLE: regular expressions for the counts of what
# was seen at t1's ports since it was asked last
faults() {
	local said
	said=$(crowd_asked faults t1)
	echo "$said"
	[[ $said =~ ^looped=$1\ exceeded=$2\ unreachable=$3$ ]]
}

@test "fattree: up within 15 s: 36 hosts, and each pings each" {
	echo "# up after $((TOOK / 1000)) ms" >&3
	((TOOK < 15000000 * ${PATIENCE:-3}))
	(($(find /run/netns -name "*-$TOPO_RUN" ! -name 'wires-*' | wc -l) == 36))
	(($(pinged "${HOST_ADDRESSES[@]}" -- h{1..16}) == 256))
}

@test "fattree: a flow reaches one load balancer; 500 held ones outlive a change, a death, a return, a third one" {
	local by before after
	before=$(file 'flows: second-chance,' h13 h14 h15)
	after=$(file 'flows: second-chance,' 'h13, state: draining' \
		'h14, weight: 2, weight-before: 1' h15 'h16, state: filling')
	fresh "$before"
	on h1 topology/fattree/announce on
	on h2 topology/fattree/announce on
	everywhere
	look t1 t1 eth0 eth1
	(($(pinged "$VIP" -- "${CLIENTS[@]}") == 10))
	by=$(crowd_asked pings t1)
	echo "$by"
	(($(grep -o '=eth[01]\>' <<<"$by" | wc -l) == 10))
	(($(requests 2) == 20)) # all next hops are resolved
	"$TOPO" hops --from h4 >"$scratch/hops"
	grep -E ' h[12] eth0 sends .* xdp_lbr put it into a packet to 10\.3\.' "$scratch/hops"
	grep -E ' the kernel of h1[345] gets .* xdp_bkd took it out' "$scratch/hops"
	crowd_asked flows t1 # those
	talk 50
	(($(advance) == 500))
	by=$(crowd_asked flows t1)
	echo "$by"
	[[ $by =~ eth0=([0-9]+)\ eth1=([0-9]+)\ several=0 ]]
	((BASH_REMATCH[1] + BASH_REMATCH[2] == 500))
	((BASH_REMATCH[1] >= 200 && BASH_REMATCH[2] >= 200))
	changed "$after" draining # h1 is late
	(($(advance) == 500))
	dies h1
	ways 1 t1
	(($(advance) == 500))
	joins h1 "$after" t1 2
	joins h3 "$after" t2 1
	(($(advance) == 500))
	(($(passed_on) > 0))
	finish
	cat "$scratch/broken"
	((broken == 0))
	faults 0 0 0
}

@test "fattree: control: a server without xdp_bkd finds the protocol unreachable, a load balancer that routes makes a loop" {
	on h3 topology/fattree/announce off # all comes by t1
	everywhere
	look t1 t1 eth0 eth1
	wait_for 10 unreachable
	wait_for 10 looping
}

unreachable() {
	without_bkd
	faults 0 0 '[1-9][0-9]*'
}

looping() {
	without_lbr
	faults '[1-9][0-9]*' '[1-9][0-9]*' 0
}
