#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# What `up` does to a host, `down` undoes: settings, addresses, attachments and
# pins are as they were, also after two of them, and after one that failed.

# shellcheck disable=SC2030,SC2031,SC2154 # `run` and its friends

load lib
bats_require_minimum_version 1.5.0

setup_file() {
	network --native
}

teardown_file() {
	network_down
}

setup() {
	before=$BATS_TEST_TMPDIR/before
	for host in "$LB" "${BACKENDS[@]}" "$ROUTER" "$CLIENT"; do
		state "$host" >"$before.$host"
	done
}

teardown() {
	detach
	on "$LB" ip link set dev eth0 xdpgeneric off
	on backend0x ip link set dev eth0 xdpgeneric off
}

# Everything on a host that a tool could change and that time does not change.
state() { # HOST
	on "$1" sysctl -a --pattern '^net\.' 2>/dev/null |
		grep -v 'conntrack_count\|\.stable_secret'
	on "$1" ip -o address show | sed 's/ *valid_lft.*//'
	on "$1" ip route show table all
	on "$1" ip -6 route show table all | grep -v '^ff00\|expires'
	on "$1" ip -o link show | sed 's/ prog.xdp id [0-9]*/ xdp/'
	on "$1" find /sys/fs/bpf -printf '%P %m\n'
	# the host's own mounts: copies of other runs' mounts come and go
	on "$1" findmnt -n -l -o TARGET | grep -v '/netns\|/l3dsr-topo'
}

as_before() { # HOST...
	local host
	for host; do
		diff "$before.$host" <(state "$host")
	done
}

differs() { # HOST
	run -1 as_before "$1"
	echo "$output"
}

@test "down puts back all that up changed: load balancer" {
	lbr up -m generic
	differs "$LB"
	[[ $output == *"> net.ipv4.conf.eth0.forwarding = 1"* ]]
	[[ $output == *"> net.ipv4.conf.all.send_redirects = 0"* ]]
	[[ $output == *"> l3dsr/lbr-$LAYOUT 700"* ]]
	# also what a watcher that was killed has left
	on "$LB" timeout -s KILL 1 LoadBalancer/lbr watch || :
	run -0 lbr down
	echo "$output"
	[[ $output == *"eth0: xdp_lbr detached"* ]]
	[[ $output == *"sysctl net/ipv4/conf/eth0/forwarding: 1 -> 0"* ]]
	as_before "$LB"
}

@test "down puts back all that up changed: backend" {
	bkd backend0x up -m generic
	differs backend0x
	[[ $output == *"> l3dsr/bkd-$LAYOUT 700"* ]]
	bkd backend0x down
	as_before backend0x
}

@test "up prints all that it changes, and changes nothing else" {
	local changed
	run -0 lbr up -m generic
	changed=$(sed -n 's/^sysctl \([^:]*\): \(.*\) -> \(.*\)/\1 \2 \3/p' \
		<<<"$output" | tr / . | sort)
	[[ $changed ]]
	diff <(echo "$changed") \
		<(diff "$before.$LB" <(state "$LB") |
			awk '/^< net/ { old[$2] = $4 }
				/^> net/ { print $2, old[$2], $4 }' | sort)
}

@test "up twice, and down once, leaves nothing" {
	local link
	attach generic
	link=$(on "$LB" bpftool -j link show pinned \
		"/sys/fs/bpf/l3dsr/lbr-$LAYOUT/link-eth0" | jq .id)
	attach generic
	# the second `up` put its program into the link of the first
	[[ $(on "$LB" bpftool -j link show pinned \
		"/sys/fs/bpf/l3dsr/lbr-$LAYOUT/link-eth0" | jq .id) == "$link" ]]
	balanced "$VIP4" 40 4 36
	detach
	as_before "$LB" "${BACKENDS[@]}"
}

@test "up after down works, as the first time" {
	attach generic
	detach
	attach generic
	balanced "$VIP4" 40 4 36
	balanced "$VIP6" 40 4 36
}

@test "down where nothing is up: says so, and exits with 0" {
	run -0 lbr down
	[[ $output == "xdp_lbr is not up here" ]]
	run -0 bkd backend0x down
	[[ $output == "xdp_bkd is not up here" ]]
	as_before "$LB" backend0x
}

@test "a VIP that is not on lo is added by up and removed by down" {
	local address
	on backend0x ip address del "$VIP4/32" dev lo
	on backend0x ip address del "$VIP6/128" dev lo
	attach generic
	run -0 on backend0x ip -o address show dev lo
	[[ $output == *"$VIP4/32"* && $output == *"$VIP6/128"* ]]
	balanced "$VIP4" 40 4 36
	balanced "$VIP6" 40 4 36
	# up again: it must not mistake its own VIP for the administrator's
	bkd backend0x up -m generic
	run -0 bkd backend0x down
	echo "$output"
	[[ $output == *"lo: VIP $VIP4 removed"* ]]
	[[ $output == *"lo: VIP $VIP6 removed"* ]]
	run -0 on backend0x ip -o address show dev lo
	[[ $output != *"$VIP4"* && $output != *"$VIP6"* ]]
	for address in "$VIP4/32" "$VIP6/128"; do
		on backend0x ip address add "$address" dev lo
	done
	as_before backend0x
}

@test "a VIP that was on lo before up stays there after down" {
	run -0 bkd backend0x up -m generic
	[[ $output != *"lo: VIP"* ]]
	run -0 bkd backend0x down
	[[ $output != *"lo: VIP"* ]]
	as_before backend0x
}

# somebody HOST: attaches another program to eth0 there
somebody() {
	on "$1" ip link set dev eth0 xdpgeneric obj \
		build/topology/xdp_pass.bpf.o sec xdp
	state "$1" >"$before.$1"
}

@test "another XDP program is refused by name, and stays attached" {
	local host tool id
	for host in "$LB" backend0x; do
		tool="on $host Backend/bkd"
		[[ $host != "$LB" ]] || tool=lbr
		somebody "$host"
		id=$(on "$host" ip -o link show dev eth0 |
			grep -o 'xdp id [0-9]*' | grep -o '[0-9]*')
		# shellcheck disable=SC2086
		run -1 --separate-stderr $tool up
		echo "$stderr"
		[[ ${stderr_lines[0]} == *": cannot attach xdp_"*" to eth0: another XDP program is there: xdp_pass, id $id" ]]
		[[ ${stderr_lines[1]} == "  try: ip link set dev eth0 xdp off"* ]]
		as_before "$host"
		on "$host" ip link set dev eth0 xdpgeneric off
		# shellcheck disable=SC2086
		$tool up
	done
}

@test "an interface that does not exist is refused by name, and nothing is left behind" {
	run -1 --separate-stderr lbr up -i nope
	[[ ${stderr_lines[0]} == "lbr: cannot use interface 'nope': no such interface" ]]
	run -1 lbr up -i eth0 -i nope
	run -1 bkd backend0x up -i nope
	as_before "$LB" backend0x
}

# A name like a VLAN device's; bpffs accepts no dots in names.
@test "an interface with dots in its name: up, up again, down" {
	local link
	on "$LB" ip link add eth0.7.8 type veth peer name other
	lbr up -i eth0.7.8 -m generic
	link=$(on "$LB" ip -j link show eth0.7.8 | jq -e '.[].xdp.prog.id')
	[[ $(lbr show -j interfaces | jq -r '.interfaces[].interface') == eth0.7.8 ]]
	lbr up -i eth0.7.8 -m generic
	[[ $(on "$LB" ip -j link show eth0.7.8 | jq -e '.[].xdp.prog.id') != "$link" ]]
	run -0 lbr down
	[[ $output == *"eth0.7.8: xdp_lbr detached"* ]]
	on "$LB" ip link del eth0.7.8
	as_before "$LB"
}

@test "a host that the file does not list: up says so, and attaches nothing" {
	local host
	for host in "$ROUTER" "$CLIENT" "$LB"; do
		run -1 --separate-stderr bkd "$host" up
		echo "$stderr"
		[[ ${stderr_lines[0]} == "bkd: cannot attach xdp_bkd: /etc/l3dsr/services.yaml lists no backend with an address of this host (172.17.0."* ]]
		[[ ! $output ]]
		as_before "$host"
	done
}

@test "mode auto is generic on veth, and says why" {
	run -0 lbr up
	[[ $output == *"eth0: xdp_lbr attached, generic (veth: "* ]]
	[[ $(lbr show -j | jq -r '.interfaces[].mode') == generic ]]
	[[ $(on "$LB" ip -o link show dev eth0) == *" xdpgeneric "* ]]
}

@test "mode native on veth says what the other end must have" {
	run -0 lbr up -m native
	echo "$output"
	[[ $output == *"eth0: xdp_lbr attached, native (as asked; veth: the other end must have an XDP program"*"ethtool -K PORT tx off"* ]]
	[[ $(lbr show -j | jq -r '.interfaces[].mode') == native ]]
	[[ $(on "$LB" ip -o link show dev eth0) == *" xdp "* ]]
}

@test "up in another mode changes the mode, with traffic before and after" {
	local mode
	for mode in generic native generic; do
		attach "$mode"
		[[ $(lbr show -j | jq -r '.interfaces[].mode') == "$mode" ]]
		balanced "$VIP4" 40 4 36
	done
}
