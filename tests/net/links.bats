#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The load balancer's leg is a bond of two interfaces, or a VLAN device. Most
# machines' kernels can do both; the tests are skipped on one that cannot.

# shellcheck disable=SC2154 # `run`

bats_require_minimum_version 1.5.0
load lib

setup() {
	network --native
}

teardown() {
	network_down
}

# leg: gives the LB eth1, on the same segment, its port prepared for native XDP
leg() {
	local port=$LB-eth1 section
	ip -n "wires-$TOPO_RUN" link add "$port" numtxqueues 1 numrxqueues 1 \
		type veth peer name eth1 numtxqueues 1 numrxqueues 1 \
		netns "$LB-$TOPO_RUN"
	on wires ip link set "$port" master front up
	on wires ethtool -K "$port" tx off
	for section in xdp.frags xdp; do
		! on wires ip link set dev "$port" xdpdrv \
			obj build/topology/xdp_pass.bpf.o sec $section || return 0
	done
	return 1
}

# addressed DEVICE: moves the addresses and routes of the LB's eth0 to it
addressed() {
	on "$LB" ip link set "$1" up
	on "$LB" ip address add 172.17.0.2/16 dev "$1"
	on "$LB" ip address add 2001:db8:17::2/64 dev "$1"
	on "$LB" ip route add 172.19.0.0/16 via 172.17.0.3
	on "$LB" ip route add 2001:db8:19::/64 via 2001:db8:17::3
	wait_for 10 on "$LB" ping -q -c 1 -W 1 172.17.0.3
}

# bond: bond0 of eth0 and eth1, which uses one of them at a time
bond() {
	on "$LB" ip link add bond0 type bond mode active-backup miimon 50 ||
		skip "no bonding in this kernel"
	leg
	on "$LB" ip address flush dev eth0
	on "$LB" ip link set eth0 down
	on "$LB" ip link set eth0 master bond0
	on "$LB" ip link set eth1 master bond0
	addressed bond0
	uses eth0
}

uses() { # LEG
	[[ $(on "$LB" cat /sys/class/net/bond0/bonding/active_slave) == "$1" ]]
}

attach_to() { # DEVICE [MODE]
	local backend
	lbr up -i "$1" ${2:+-m "$2"}
	for backend in "${BACKENDS[@]}"; do
		bkd "$backend" up -m generic >/dev/null
	done
}

mode() {
	lbr show -j interfaces | jq -r '.interfaces[] | .interface + " " + .mode'
}

# serves: 40 requests and an upload over each family are answered; without
# xdp_lbr none is
serves() {
	local vip
	head -c 2M /dev/urandom >"$BATS_TEST_TMPDIR/2M"
	for vip in "$VIP4" "$VIP6"; do
		get "$vip" >/dev/null # resolves the neighbours
		rises forwarded balanced "$vip" 40 4 36
		(($(reason redirected) == 0))
		on "$CLIENT" curl -sSf --max-time 20 -o /dev/null \
			-T "$BATS_TEST_TMPDIR/2M" "$(url "$vip" upload/2M)"
	done
}

needs_lb() { # DEVICE
	lbr down >/dev/null
	run ! get "$VIP4" --max-time 0.5
	run ! get "$VIP6" --max-time 0.5
}

# The other leg takes over without help.
fails_over() {
	on wires ip link set "$LB-eth0" down
	wait_for 10 uses eth1
	wait_for 10 get "$VIP4" --max-time 1
	serves
}

@test "the LB's leg is a bond, generic: serves, also when a leg fails" {
	bond
	attach_to bond0 generic
	[[ $(mode) == "bond0 generic" ]]
	serves
	fails_over
	needs_lb
}

@test "the LB's leg is a bond, native: serves, also when a leg fails" {
	bond
	on "$LB" ip link set dev bond0 xdpdrv \
		obj build/topology/xdp_pass.bpf.o sec xdp ||
		skip "no native XDP on a bond in this kernel"
	on "$LB" ip link set dev bond0 xdpdrv off
	attach_to bond0 # auto
	[[ $(mode) == "bond0 native" ]]
	serves
	fails_over
	needs_lb
}

@test "the LB's leg is a VLAN device: serves" {
	on "$LB" ip link add link eth0 name eth0.7 type vlan id 7 ||
		skip "no VLAN devices in this kernel"
	on "$LB" ip address flush dev eth0
	# the segment's end of the VLAN device
	on wires ip link set "$LB-eth0" nomaster
	on wires ip link set dev "$LB-eth0" xdpdrv off
	on wires ip link add link "$LB-eth0" name "$LB-eth0.7" type vlan id 7
	on wires ip link set "$LB-eth0.7" master front up
	# the VLAN device may be called eth0, like any other
	on "$LB" ip link set eth0 down
	on "$LB" ip link set eth0 name trunk
	on "$LB" ip link set eth0.7 name eth0
	on "$LB" ip link set trunk up
	addressed eth0
	attach_to eth0 # auto: generic, because the device has no driver that could take native
	[[ $(mode) == "eth0 generic" ]]
	serves
	needs_lb
}
