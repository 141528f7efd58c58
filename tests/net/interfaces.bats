#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# One load balancer on two interfaces, with clients on both, and backends
# behind one or both: a packet may come in by either and leave by either.

# shellcheck disable=SC2034,SC2154 # for lib; `run`

bats_require_minimum_version 1.5.0
load lib

setup_file() {
	local mode
	for mode in generic native; do
		if [[ $mode == native ]]; then
			network --native twolegged
		else
			network twolegged
		fi
		export "RUN_$mode=$TOPO_RUN"
	done
}

teardown_file() {
	networks_down generic native
}

# up_on MODE IFACE...: starts both programs; xdp_lbr on these interfaces only
up_on() {
	local name=RUN_$1 mode=$1 options=() iface
	export TOPO_RUN=${!name}
	for iface in "${@:2}"; do options+=(-i "$iface"); done
	attach "$mode"
	lbr down >/dev/null
	lbr up "${options[@]}" -m "$mode" >/dev/null
	[[ $(lbr show -j interfaces | jq -r '.interfaces[] | .interface + .mode' | sort) == \
		"$(printf "%s$mode\n" "${@:2}")" ]]
}

# both_ask VIP FILTER: 40 requests from each client at the same time, all
# answered
both_ask() {
	local asking
	CLIENT=client0z answers "$1" 40 --fail-early >"$BATS_TEST_TMPDIR/back" 3>&- &
	asking=$!
	answers "$1" 40 --fail-early | shared 40 4 36
	wait "$asking"
	shared 40 4 36 <"$BATS_TEST_TMPDIR/back"
}

# clients_on_both MODE VIP BACKEND-PREFIX ROUTER
clients_on_both() {
	local before
	up_on "$1" eth0 eth1
	both_ask "$2" # neighbours
	before=$(lbr show -j reasons)
	both_ask "$2"
	# requests of curlybox01 leave by the other interface, requests of
	# client0z do not
	(($(rose redirected) > 40 * 4 && $(rose forwarded) > 40 * 4))
	(($(rose neighbour_unresolved) == 0))

	# with one backend behind the other interface, requests of both clients
	# leave by both
	on "$LB" ip route add "$3" via "$4"
	both_ask "$2"
	before=$(lbr show -j reasons)
	both_ask "$2"
	(($(rose redirected) > 40 * 2 && $(rose forwarded) > 40 * 2))
	on "$LB" ip route del "$3"
}

@test "clients on both interfaces at once, backends on one and on both: IPv4 generic" {
	clients_on_both generic "$VIP4" 172.19.0.3 172.17.0.3
}

@test "clients on both interfaces at once, backends on one and on both: IPv6 generic" {
	clients_on_both generic "$VIP6" 2001:db8:19::3 2001:db8:17::3
}

@test "clients on both interfaces at once, backends on one and on both: IPv4 native" {
	clients_on_both native "$VIP4" 172.19.0.3 172.17.0.3
}

@test "clients on both interfaces at once, backends on one and on both: IPv6 native" {
	clients_on_both native "$VIP6" 2001:db8:19::3 2001:db8:17::3
}

# Packets that come in by an interface that was not named are left to the
# kernel, which does not have the VIP.
@test "a client behind an interface that was not named is not served" {
	up_on generic eth0
	get "$VIP4" >/dev/null
	get "$VIP6" >/dev/null
	CLIENT=client0z
	run ! get "$VIP4" --max-time 0.5
	run ! get "$VIP6" --max-time 0.5
	lbr up -i eth0 -i eth1 -m generic
	get "$VIP4" >/dev/null
	get "$VIP6" >/dev/null
}

# XDP sees packets that come in by an interface, not packets that the host
# itself sends.

@test "a client on a backend is answered by that backend" {
	up_on generic eth0 eth1
	[[ $(CLIENT=backend0x answers "$VIP4" 10 --fail-early) == "backend0x 10" ]]
	[[ $(CLIENT=backend0y answers "$VIP6" 10 --fail-early) == "backend0y 10" ]]
}

@test "a client on the load balancer is served if a router sends its packets back, and not otherwise" {
	up_on generic eth0 eth1
	answers "$VIP4" 20 --fail-early # resolves the neighbours first
	CLIENT=$LB
	run -7 get "$VIP4"
	on "$ROUTER" ip route add "$VIP4" via 172.17.0.2
	on "$LB" ip route add "$VIP4" via 172.17.0.3
	rises redirected balanced "$VIP4" 40 4 36
	on "$LB" ip route del "$VIP4"
	on "$ROUTER" ip route del "$VIP4"
}

# behind_a_bridge: eth1 is a port of br1, which has its addresses
behind_a_bridge() {
	on "$LB" ip -batch - <<-'EOF'
		link add br1 type bridge
		address flush dev eth1
		link set eth1 master br1
		link set br1 up
		address add 172.19.0.6/16 dev br1
		address add 2001:db8:19::6/64 dev br1 nodad
	EOF
	wait_for 5 on "$LB" ping -qc1 -W1 172.19.0.3 >/dev/null
	wait_for 5 on "$LB" ping -qc1 -W1 2001:db8:19::3 >/dev/null
}

no_bridge() {
	on "$LB" ip -batch - <<-'EOF'
		link del br1
		address add 172.19.0.6/16 dev eth1
		address add 2001:db8:19::6/64 dev eth1 nodad
	EOF
}

@test "native, out of a device that takes no redirected frames: the kernel sends the packets" {
	local vip device before sent
	up_on native eth0
	behind_a_bridge
	lbr apply >/dev/null
	for vip in "$VIP4" "$VIP6"; do
		rises device_passed answers "$vip" 20 --fail-early | shared 20 1 19
	done
	run lbr doctor
	[[ $output == *"br1 takes no redirected frames"* ]]
	[[ $(lbr show next-hops) == *"xdp_lbr; native: kernel"* ]]
	# A redirect to this device fails: all packets are lost, and counted.
	read -r -a device < <(on "$LB" cat /sys/class/net/br1/ifindex)
	on "$LB" bpftool map delete pinned "/sys/fs/bpf/l3dsr/lbr-$LAYOUT/devices" \
		key "$((device & 255))" "$((device >> 8))" 0 0
	before=$(lbr show -j reasons)
	sent=$(lbr show -j backends | jq '[.backends[].packets] | add')
	run ! get "$VIP4" --max-time 1
	(($(rose redirected) == 0 && $(rose redirect_refused) > 0))
	(($(lbr show -j backends | jq '[.backends[].packets] | add') == sent))
	lbr show reasons | grep -qE "$VIP4 +80 +tcp +redirect_refused +[1-9]"
	# In generic mode the device takes them.
	lbr down >/dev/null
	lbr up -i eth0 -m generic >/dev/null
	rises redirected answers "$VIP4" 20 --fail-early | shared 20 1 19
	no_bridge
}

# through_tun FILE: puts the backends behind a tun device; writes each packet that leaves
# by it to FILE, as a line of hex, until FILE.end exists
through_tun() {
	on "$LB" /usr/bin/python3 - "$1.end" >"$1" 3>&- <<-'EOF'
		import fcntl, os, select, struct, subprocess, sys

		tun = os.open("/dev/net/tun", os.O_RDWR)
		fcntl.ioctl(tun, 0x400454CA, struct.pack("16sH", b"tun9", 0x1001))
		for words in ("link set tun9 up", "route replace 172.19.0.0/16 dev tun9"):
		    subprocess.run(["ip", *words.split()], check=True)
		while not os.path.exists(sys.argv[1]):
		    if select.select([tun], [], [], 0.1)[0]:
		        print(os.read(tun, 2000).hex(), flush=True)
	EOF
}

@test "out of a device without an Ethernet header: the kernel sends the packets, without one" {
	local out=$BATS_TEST_TMPDIR/tun
	up_on generic eth0
	on "$LB" ip link set eth1 down
	through_tun "$out" &
	wait_for 5 on "$LB" ip route get 172.19.0.3 dev tun9 >/dev/null 2>&1
	run ! get "$VIP4" --max-time 0.2 # the first packet makes the neighbour entry
	rises device_passed run ! get "$VIP4" --max-time 0.2
	lbr apply >/dev/null
	rises device_passed run ! get "$VIP4" --max-time 0.2
	[[ $(lbr show next-hops) == *"kernel: no Ethernet header"* ]]
	wait_for 5 grep -q '^45.*ac110004ac1300' "$out" # from the client to a backend
	run ! grep -v '^[46]' "$out"
	touch "$out.end"
	wait
	on "$LB" ip link set eth1 up
}
