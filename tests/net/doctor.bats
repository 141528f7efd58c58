#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# doctor, where one thing is broken at a time: it names it, and the command
# that it prints, run as it is, mends it. Where all is well, it says so.

# shellcheck disable=SC2030,SC2031,SC2154 # `run` and its friends

load doctor
bats_require_minimum_version 1.5.0

setup_file() {
	network --native # --native loads a program that stands for somebody else's
	attach generic
}

teardown_file() {
	network_down
}

setup() {
	healthy "$LB"
	healthy backend0x
	serves
}

# After a test that mended everything there is nothing to do; after a failed
# one, start anew.
teardown() {
	file "$LB" ''
	file backend0x ''
	if [[ ! ${BATS_TEST_COMPLETED-} ]]; then
		detach
		attach generic
	fi
}

@test "healthy: no warn, no fail, exit 0; a line for each examination" {
	local host tool
	for host in "$LB" backend0x; do
		healthy "$host"
		tool=lbr
		[[ $host == "$LB" ]] || tool=bkd
		run -0 tool "$host" doctor
		[[ $output == *"  RESULT "*" EXAMINATION "*" REPORT"* ]]
		[[ $output == *$'\nwarn: 0\nfail: 0\n'* ]]
		diff <(tool "$host" doctor -j | jq -r '.examinations[].examination' | uniq) \
			<(checks "$tool")
	done
}

@test "program: not up" {
	lbr down
	wait_for 5 broken
	ill "$LB" program fail
	heal "$LB" program
}

@test "program, backend: not up" {
	bkd backend0x down
	ill backend0x program fail
	heal backend0x program
}

@test "others: somebody's program, native or generic" {
	local mode
	for mode in xdpgeneric xdpdrv; do
		lbr down
		on "$LB" ip link set dev eth0 "$mode" obj \
			build/topology/xdp_pass.bpf.o sec xdp
		broken
		ill "$LB" others fail
		[[ $output == *"another XDP program is there: xdp_pass, id "* ]]
		heal "$LB" others program
	done
}

@test "others: somebody's program, held by a link" {
	lbr down
	# for lbr, xdp_bkd is another program
	on "$LB" Backend/bkd up -a 172.19.0.3 >/dev/null
	broken
	ill "$LB" others fail
	[[ $output == *"another XDP program is there: xdp_bkd, id "* ]]
	heal "$LB" others program
	on "$LB" Backend/bkd down
}

@test "forwarding off, IPv4" {
	on "$LB" sysctl -qw net.ipv4.conf.eth0.forwarding=0
	rises fib_forwarding_disabled wait_for 5 broken
	ill "$LB" forwarding fail
	heal "$LB" forwarding
}

@test "forwarding off, IPv6" {
	on "$LB" sysctl -qw net.ipv6.conf.eth0.forwarding=0
	wait_for 5 broken "$VIP6"
	ill "$LB" forwarding fail
	heal "$LB" forwarding
	get "$VIP6"
}

@test "redirects on" {
	on "$LB" sysctl -qw net.ipv4.conf.all.send_redirects=1
	ill "$LB" redirects fail
	heal "$LB" redirects
}

@test "rp_filter strict: on an interface by which no replies leave" {
	on "$LB" sysctl -qw net.ipv4.conf.all.rp_filter=1
	ill "$LB" rp-filter warn
	heal "$LB" rp-filter
	on "$LB" sysctl -qw net.ipv4.conf.all.rp_filter=0
	# on a backend with a single interface, strict does no harm
	on backend0x sysctl -qw net.ipv4.conf.all.rp_filter=1
	healthy backend0x
	serves
	on backend0x sysctl -qw net.ipv4.conf.all.rp_filter=0
}

@test "a bridge whose frames go through iptables" {
	[[ -e /proc/sys/net/bridge/bridge-nf-call-iptables ]] ||
		skip "no bridge netfilter in this kernel"
	on "$LB" sysctl -qw net.bridge.bridge-nf-call-iptables=1 \
		net.bridge.bridge-nf-call-ip6tables=1
	healthy "$LB" # without a bridge the setting does not matter
	on "$LB" ip link add br0 type bridge
	ill "$LB" bridge warn
	heal "$LB" bridge
	on "$LB" ip link del br0
}

# Going down also loses routes, managed neighbours, and IPv6 addresses unless
# they are kept.
@test "link: down" {
	on "$LB" sysctl -qw net.ipv6.conf.eth0.keep_addr_on_down=1
	on "$LB" ip link set dev eth0 down
	broken
	ill "$LB" link fail
	[[ $output == *'eth0: down"'* ]]
	heal "$LB" link next-hops next-hops
	get "$VIP6" >/dev/null
	on "$LB" ip route replace 172.19.0.0/16 via 172.17.0.3
	on "$LB" ip route replace 2001:db8:19::/64 via 2001:db8:17::3
	local backend
	for backend in 172.19.0.{3,4} 2001:db8:19::{3,4}; do
		on "$LB" ip route del "$backend"
	done
}

# unplugged HOST: without carrier, until the command that doctor prints is run
# at the other end of the wire
unplugged() {
	on wires ip link set dev "$1-eth0" down
	wait_for 5 broken
	ill "$1" link fail
	[[ $output == *'eth0: up, but no carrier'* ]]
	on wires bash -c "$(commands link <<<"$output")"
	heal "$1" next-hops
}

@test "link: no carrier" {
	unplugged "$LB"
	unplugged backend0x
}

@test "macs: the interface's MAC address has changed since up" {
	local mac
	mac=$(on "$LB" cat /sys/class/net/eth0/address)
	on "$LB" ip link set dev eth0 address 02:00:00:00:00:99
	on "$CLIENT" ip neigh flush all
	broken
	ill "$LB" macs fail
	heal "$LB" macs
	on "$LB" ip link set dev eth0 address "$mac"
	on "$CLIENT" ip neigh flush all
	lbr up
}

@test "running: the file has changed and was not applied" {
	file "$LB" '0,/weight: 1/s//weight: 3/'
	ill "$LB" running warn
	heal "$LB" running
	file "$LB" ''
	lbr apply
	file "$LB" '1i # says the same'
	healthy "$LB"
	lbr drain 172.19.0.3
	ill "$LB" running warn
	[[ $output == *"set by hand"* ]]
	heal "$LB" running
	file "$LB" ''
	lbr apply
	file backend0x '0,/weight: 1/s//weight: 3/'
	ill backend0x running warn
	heal backend0x running
	file backend0x ''
	bkd backend0x apply
}

@test "file: refused, with the line that is wrong" {
	file "$LB" '0,/weight: 1/s//weight: 0/'
	ill "$LB" file fail
	[[ $output == *"/etc/l3dsr/services.yaml:"*"weight"* ]]
	(($(jq '.skipped' <<<"$output") > 0))
	run -3 on "$LB" env PATH="$TOOLS" "${mend[@]}"
	file "$LB" ''
	healthy "$LB"
}

@test "trace: every packet is traced" {
	lbr trace all
	ill "$LB" trace warn
	heal "$LB" trace
	lbr trace off
}

# The other end of a native veth is in another namespace: doctor says that it
# cannot see it.
@test "veth: the other end leaves checksums to be completed" {
	lbr up -m native
	run -0 lbr doctor -j
	[[ $(jq -r '.examinations[] | select(.examination == "veth").result' <<<"$output") == unknown ]]
	serves
	on wires ethtool -K "$LB-eth0" tx on
	wait_for 5 broken
	on wires bash -c "$(commands veth <<<"$output")"
	serves
	lbr up -m generic
	[[ $(lbr doctor -j | jq -r '.examinations[] | select(.examination == "veth").result') == ok ]]
}

@test "flows: the flow table fills" {
	file "$LB" '1i flow-table-size: 8'
	lbr down
	lbr up
	healthy "$LB"
	answers "$VIP4" 40
	ill "$LB" flows warn
	heal "$LB" flows
	on "$LB" grep -x 'flow-table-size: [0-9]*' /etc/l3dsr/services.yaml
	file "$LB" ''
	lbr up
}

transitions() {
	lbr doctor -j | jq -r '.examinations[] | select(.examination == "transitions") |
		"\(.result) \(.report) \(.try)"'
}

overdue() {
	transitions | grep -qE "^warn $VIP4:80/tcp: 172.19.0.4 has drained for longer than drain-timeout, and [1-9][0-9]* flows would break if it stopped now; .* lbr show backends$"
}

@test "transitions: a backend has drained for longer than drain-timeout" {
	local drains='s/{address: 172.19.0.4, weight: 1}/{address: 172.19.0.4, state: draining}/'
	coproc holder { on "$CLIENT" /usr/bin/python3 -c "import socket
held = [socket.create_connection(('$VIP4', 80)) for n in range(40)]
print('ready', flush=True)
input()"; }
	read -ru "${holder[0]}"
	file "$LB" "$drains"
	lbr apply >/dev/null
	[[ $(transitions) != *warn* ]]
	file "$LB" "$drains" '$ a drain-timeout: 1s'
	lbr apply >/dev/null
	wait_for 10 overdue
	echo >&"${holder[1]}"
	file "$LB" ''
	lbr apply >/dev/null
	[[ $(transitions) == "ok no service is in transition null" ]]
}

@test "kernel: one that is too old" {
	run -3 --separate-stderr on "$LB" setarch --uname-2.6 \
		LoadBalancer/lbr doctor -j
	[[ $(jq -r '.examinations[] | select(.result == "fail").examination' <<<"$output") == kernel ]]
}

@test "drops: a policy route that loses every packet for services" {
	talks healthy "$LB"
	[[ $(jq -r '.examinations[] | select(.examination == "drops").report' <<<"$output") =~ \
		^"none of "[0-9]+" packets for services just now was dropped"$ ]]
	on "$LB" ip route add blackhole default table 99
	on "$LB" ip rule add from 172.17.0.4 lookup 99
	talks ill "$LB" drops fail
	[[ $output == *"fib_blackhole: the route to the backend is a blackhole"* ]]
	on "$LB" bash -c "${mend[*]}" | grep -q '^blackhole default table 99'
	on "$LB" ip rule del from 172.17.0.4 lookup 99
	on "$LB" ip route flush table 99
	talks healthy "$LB"
}

@test "vips: packets for a VIP came, and then stopped" {
	talks healthy "$LB"
	jq -r '.examinations[] | select(.examination == "vips").report' <<<"$output" |
		grep -qx "$VIP4: packets for it come, and are sent on"
	healthy "$LB"
	jq -r '.examinations[] | select(.examination == "vips" and .result == "unknown").report' <<<"$output" |
		grep -q "^$VIP4: no packet for its services came just now"
}

@test "an interface that is not eth0, or that does not exist" {
	run on "$ROUTER" LoadBalancer/lbr doctor -j
	[[ $(commands program <<<"$output") == "lbr up -i eth1 -c /etc/l3dsr/services.yaml" ]]
	[[ $(jq -r '.examinations[] | select(.examination == "others").result' <<<"$output") == ok ]]
	run on wires LoadBalancer/lbr doctor -j -c topology/l3dsr/services.yaml
	[[ $(jq -r '.examinations[] | select(.examination == "others") | .result, .report' <<<"$output") == \
		$'fail\neth0: no such interface' ]]
}

@test "without root: doctor says so" {
	run -1 --separate-stderr on "$LB" setpriv --reuid 65534 --clear-groups \
		"$ROOT/LoadBalancer/lbr" doctor
	[[ ${stderr_lines[1]} == "  try: run it as root" ]]
}
