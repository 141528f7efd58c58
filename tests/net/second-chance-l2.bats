#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Second chance by l2, where no router leads to the backends: one of two drains,
# and the load balancer forgets all flows. Held connections that talk all the
# time stay. The control is the same file without states.

bats_require_minimum_version 1.5.0
load lib
load flows
load run

HELD=40 PAUSE=0.2 X=172.19.0.3 Y=172.19.0.4
export TALK_LIMIT=60

# A network of another kind than that of run.bash.
setup_file() {
	network --native twolegged
	file before "$X" "$Y"
	file staged "$X, state: draining" "$Y"
	file changed "$Y"
}

teardown_file() {
	network_down
}

setup() {
	client_ports $((20000 + 4000 * BATS_TEST_NUMBER)) 4000
}

teardown() {
	local host
	flows_end
	for host in backend0x backend0y; do bkd "$host" down >/dev/null; done
	lbr down >/dev/null
}

# file NAME ROW...: writes a file with one service
file() {
	local row
	{
		printf '%s\n' "services:" "- {vip: $VIP4, port: 80, forward: l2, backends: ["
		for row in "${@:2}"; do echo "    {address: $row},"; done
		echo "  ]}"
	} >"$BATS_FILE_TMPDIR/$1"
}

# changes MODE FILE: connections, then the file, then a load balancer that knows
# of none of them. Prints the connections' report.
changes() {
	local host
	lbr up -m "$1" -c "$BATS_FILE_TMPDIR/before" >/dev/null
	for host in backend0x backend0y; do
		bkd "$host" up -m "$1" -c "$BATS_FILE_TMPDIR/before" >/dev/null
	done
	talk "$VIP4" "$HELD" "$PAUSE"
	tell advance >/dev/null
	for host in backend0y backend0x; do
		bkd "$host" apply "$BATS_FILE_TMPDIR/$2" >/dev/null 2>&1
	done
	lbr down >/dev/null
	lbr up -m "$1" -c "$BATS_FILE_TMPDIR/$2" >/dev/null
	tell advance >/dev/null
	tell advance >/dev/null
	tell finish
}

unbroken() { # MODE
	run -0 changes "$1" staged
	echo "# $output" >&3
	[[ $output == "$HELD held, "*" asked, 0 broken" ]]
	(($(reason second_chance backend0y) > 0))
	(($(reason second_chance_neighbour backend0y) == 0))
}

@test "l2: a backend drains, and the load balancer forgets its flows: generic: 0 broken" {
	unbroken generic
}

@test "l2: the same in native mode: 0 broken; down leaves no managed neighbour" {
	unbroken native
	bkd backend0y down
	[[ $(on backend0y ip neigh show "$X") != *managed* ]]
}

# peer: the MAC address that xdp_bkd on backend0y has for backend0x
peer() {
	on backend0y bpftool -j map dump pinned "/sys/fs/bpf/l3dsr/bkd-$LAYOUT/peer_links" |
		jq -r '.[0].formatted.value.mac | map(.) | @json'
}

peer_is() { # MAC's last byte
	[[ $(peer) == *",$1]" ]]
}

carrier_is() { # 0|1
	[[ $(on backend0y cat /sys/class/net/eth0/carrier) == "$1" ]]
}

@test "l2: the MAC addresses of other backends outlive a loss of carrier" {
	local setting=/proc/sys/net/ipv4/conf/eth0/arp_evict_nocarrier
	on backend0y test -e "$setting" || skip "not before Linux 5.16"
	bkd backend0y up -c "$BATS_FILE_TMPDIR/staged" >/dev/null
	[[ $(on backend0y cat "$setting") == 0 ]]
	ip -n "wires-$TOPO_RUN" link set backend0y-eth0 down
	wait_for 5 carrier_is 0
	ip -n "wires-$TOPO_RUN" link set backend0y-eth0 up
	wait_for 5 carrier_is 1
	[[ $(on backend0y ip neigh show "$X") == *lladdr*managed* ]]
	bkd backend0y down
	[[ $(on backend0y cat "$setting") == 1 ]]
}

# A kernel that is called 2.6 is one that manages no neighbours.
@test "l2: before Linux 5.16, bkd run notices the new MAC address of another backend" {
	on backend0y sysctl -qw net.ipv4.neigh.eth0.base_reachable_time_ms=1000 \
		net.ipv4.neigh.eth0.delay_first_probe_time=0 net.ipv4.neigh.eth0.retrans_time_ms=200
	on backend0x sysctl -qw net.ipv4.conf.eth0.arp_notify=0
	on backend0y setarch --uname-2.6 Backend/bkd up -c "$BATS_FILE_TMPDIR/staged" >/dev/null
	[[ $(on backend0y ip neigh show "$X") != *managed* ]]
	peer_is 3
	run_of backend0y
	run_begin "$BATS_FILE_TMPDIR/staged" setarch --uname-2.6
	on backend0x ip link set eth0 address 02:42:ac:13:00:33
	wait_for 20 peer_is 51
	run_signal TERM
	on backend0x ip link set eth0 address 02:42:ac:13:00:03
}

@test "l2: control: the same without states" {
	run -0 changes generic changed
	echo "# $output" >&3
	[[ $output =~ ([0-9]+)\ broken ]]
	((BASH_REMATCH[1] > 0))
}
