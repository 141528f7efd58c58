#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# VLAN devices above an interface that xdp_lbr or xdp_bkd is attached to in
# native mode: the program sees frames with their tags on. Most machines'
# kernels have VLAN devices; the tests are skipped on one that has none.

# shellcheck disable=SC2154 # `run`

bats_require_minimum_version 1.5.0
load lib

setup() {
	network --native
	on "$LB" ip link add link eth0 name eth0.7 type vlan id 7 ||
		skip "no VLAN devices in this kernel"
	on "$LB" ip link del eth0.7
}

teardown() {
	[[ ${BATS_TEST_COMPLETED-} ]] || {
		lbr show reasons
		lbr show next-hops
		on "$LB" ip -6 route
	} || :
	sniff_end
	network_down
}

# trunk HOST: tags stay in the frames of its port, which is in no bridge
trunk() {
	on wires ip link set "$1-eth0" nomaster
	on wires ethtool -K "$1-eth0" txvlan off rxvlan off \
		tx-vlan-stag-hw-insert off
	on "$1" ethtool -K eth0 rxvlan off
	on "$1" ip address flush dev eth0 scope global
}

# vlan HOST SEGMENT ID [PROTOCOL]: a VLAN device at both ends of the wire
vlan() {
	on wires ip link add link "$1-eth0" name "$1.$3" type vlan \
		protocol "${4:-802.1q}" id "$3"
	on wires ip link set "$1.$3" up
	on "$1" ip link add link eth0 name "eth0.$3" type vlan \
		protocol "${4:-802.1q}" id "$3"
	on "$1" ip link set "eth0.$3" up
	[[ ! $2 ]] || on wires ip link set "$1.$3" master "$2"
}

# front DEVICE: moves the addresses and routes of the LB's eth0 to it
front() {
	on "$LB" ip address add 172.17.0.2/16 dev "$1"
	on "$LB" ip address add 2001:db8:17::2/64 dev "$1" nodad
	wait_for 20 on "$LB" ping -q -c 1 -W 1 172.17.0.3
}

# by_router: routes to the backends by way of the router
by_router() {
	on "$LB" ip route replace 172.19.0.0/16 via 172.17.0.3
	on "$LB" ip route replace 2001:db8:19::/64 via 2001:db8:17::3
}

# attach_port MODE: attaches xdp_lbr to the port, and xdp_bkd
attach_port() {
	local backend
	lbr up -i eth0 -m "$1"
	for backend in "${BACKENDS[@]}"; do
		bkd "$backend" up -m generic >/dev/null
	done
}

# serves: requests and an upload over each family, all sent by XDP_TX
serves() {
	local vip
	head -c 1M /dev/urandom >"$BATS_TEST_TMPDIR/1M"
	for vip in "$VIP4" "$VIP6"; do
		rises forwarded balanced "$vip" 20 1 19
		(($(reason redirected) == 0))
		on "$CLIENT" curl -sSf --max-time 20 -o /dev/null \
			-T "$BATS_TEST_TMPDIR/1M" "$(url "$vip" upload/1M)"
		rises echo_answered on "$CLIENT" ping -q -c 1 -W 5 "$vip"
	done
}

@test "VLAN, native: serves with the tag on; not before up knows the VLAN device" {
	trunk "$LB"
	attach_port native
	vlan "$LB" front 7
	front eth0.7
	by_router
	rises vlan_tagged get "$VIP4" --max-time 0.5
	run ! get "$VIP4" --max-time 0.5
	attach_port native
	serves
	lbr down
	run ! get "$VIP4" --max-time 0.5
	run ! get "$VIP6" --max-time 0.5
	[[ $(on "$LB" sysctl -n net.ipv4.conf.eth0/7.forwarding) == 0 ]]
}

@test "VLAN, native: from one VLAN into another, and into none" {
	trunk "$LB"
	vlan "$LB" front 7
	vlan "$LB" back 8
	front eth0.7
	on "$LB" ip -6 route flush 2001:db8:19::/64
	on "$LB" ip address add 172.19.0.6/16 dev eth0.8
	on "$LB" ip address add 2001:db8:19::6/64 dev eth0.8 nodad
	attach_port native
	sniff out wires "$LB-eth0" -e 'vlan 8 and dst net 172.19.0.0/16'
	serves
	wait_for 5 seen out 'vlan 8.*172\.19\.0\.[34]\.80'

	# the backends' segment, without a tag
	on wires ip link set "$LB.8" nomaster
	on "$LB" ip address flush dev eth0.8 scope global
	on wires ip link set "$LB-eth0" master back
	on "$LB" ip address add 172.19.0.6/16 dev eth0
	on "$LB" ip address add 2001:db8:19::6/64 dev eth0 nodad
	attach_port native
	serves
}

@test "VLAN, native: QinQ, 802.1ad outside" {
	trunk "$LB"
	# one tag may exceed the link's MTU, but not two
	on wires ip link set "$LB-eth0" mtu 1504
	on "$LB" ip link set eth0 mtu 1504
	vlan "$LB" '' 7 802.1ad
	on wires ip link add link "$LB.7" name qinq type vlan id 9
	on wires ip link set qinq master front up
	on "$LB" ip link add link eth0.7 name qinq type vlan id 9
	on "$LB" ip link set qinq up
	front qinq
	by_router
	attach_port native
	serves
}

@test "VLAN, native: xdp_bkd restores what comes with a tag" {
	trunk backend0x
	vlan backend0x back 9
	on backend0x ip address add 172.19.0.3/16 dev eth0.9
	on backend0x ip address add 2001:db8:19::3/64 dev eth0.9 nodad
	on backend0x ip route replace default via 172.19.0.2
	on backend0x ip route replace default via 2001:db8:19::2
	attach
	bkd backend0x up -i eth0 -m native
	balanced "$VIP4" 20 1 19
	balanced "$VIP6" 20 1 19
	(($(reason restored backend0x) > 40))
	bkd backend0x down
	run ! balanced "$VIP4" 20 1 19
}

# The sender's kernel keeps the tag outside the frame, where XDP cannot see it.
@test "VLAN, generic on the port: up warns; on the VLAN device: it serves" {
	trunk "$LB"
	on wires ethtool -K "$LB-eth0" txvlan on
	vlan "$LB" front 7
	front eth0.7
	by_router
	run -0 attach_port generic
	[[ $output == *"eth0 has VLAN devices, whose tags generic mode does not see"* ]]
	lbr down
	run -0 lbr up -i eth0.7 -m generic
	[[ $output != *"VLAN devices"* ]]
	balanced "$VIP4" 20 1 19
	balanced "$VIP6" 20 1 19
}
