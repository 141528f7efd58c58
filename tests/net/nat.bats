#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# forward: nat: replies come back to the load balancer, and nothing runs on the
# servers. In the network of the scenario imperial, whose servers have lost the
# VIP.

# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # `run` and its friends

load lib
load run
load nat
bats_require_minimum_version 1.5.0

# serves: downloads and uploads of both families, from both clients; what was
# uploaded is what the client sent
serves() {
	local client vip name
	for client in h1 h4; do
		for vip in "$VIP4" "$VIP6"; do
			on "$client" sh -c 'curl -sS --max-time 10 "$0" |
				tr -d x | wc -c' "$(url "$vip" files/big)" | grep -qx 0
			name=$client-$RANDOM
			[[ $client == h1 ]] || continue
			on h1 curl -sS --max-time 10 -T /run/big -o /dev/null \
				"$(url "$vip" "upload/$name")"
			[[ $({ on h2 cat "/run/nginx/files/$name" ||
				on h3 cat "/run/nginx/files/$name"; } 2>/dev/null |
				md5sum) == "$(on h1 md5sum </dev/null /run/big | cut -d' ' -f1)  -" ]]
		done
	done
}

# echoes ADDRESS SIZE: ten datagrams of that size, from ten ports
echoes() {
	on h1 "${PYTHON[@]}" - "$@" <<-'EOP'
		import socket, sys
		address, size = sys.argv[1], int(sys.argv[2])
		for i in range(10):
		    family = socket.getaddrinfo(address, 1)[0][0]
		    s = socket.socket(family, socket.SOCK_DGRAM)
		    s.settimeout(5)
		    s.connect((address, 7777))
		    data = (b"%d " % i).ljust(size, b"x")
		    s.send(data)
		    assert s.recv(65000).endswith(data)
	EOP
}

# offloads ON|OFF: of all ends and ports
offloads() {
	local host
	for host in h1 h2 h3 h4 lb; do
		on "$host" ethtool -K eth0 tx "$1" gso "$1" gro "$1" >/dev/null 2>&1
		on wires ethtool -K "$host-eth0" tx "$1" gso "$1" gro "$1" >/dev/null 2>&1
	done
}

# wrong_sums: of all that clients and servers have received
wrong_sums() {
	local host
	for host in h1 h2 h3 h4; do
		on "$host" nstat -asz TcpInCsumErrors UdpInCsumErrors \
			Udp6InCsumErrors IcmpInCsumErrors Icmp6InCsumErrors
	done | awk '/InCsumErrors/ { n += $2 } END { print n }'
}

@test "both families, both ways; servers see nat-source; both serve" {
	up
	serves
	echoes "$VIP4" 100
	echoes "$VIP6" 100
	local i server
	for i in {1..8}; do
		on h1 curl -sS --max-time 5 -o /dev/null "http://$VIP4/$i"
		on h4 curl -sS --max-time 5 -o /dev/null "http://[$VIP6]/$i"
	done
	for server in h2 h3; do
		on "$server" cut -d' ' -f1 /run/nginx/access.log | sort -u |
			diff - <(printf '%s\n' "$SOURCE4" "$SOURCE6" | sort)
	done
	# none is left to the load balancer's own kernel
	[[ $(reason translating) == 0 && $(reason no_flow) == 0 ]]
}

@test "checksums are true whatever is offloaded" {
	local state
	up
	for state in off on; do
		offloads "$state"
		serves
		echoes "$VIP4" 100
		echoes "$VIP6" 100
	done
	[[ $(wrong_sums) == 0 ]]
}

@test "fragments of UDP, both ways" {
	up
	echoes "$VIP4" 4000
	echoes "$VIP6" 4000
}

@test "ICMP errors find the client, and the server" {
	up
	local vip
	for vip in "$VIP4" "$VIP6"; do
		run on h1 "${PYTHON[@]}" - "$vip" <<-'EOP'
			import socket, sys
			family = socket.getaddrinfo(sys.argv[1], 1)[0][0]
			s = socket.socket(family, socket.SOCK_DGRAM)
			s.settimeout(5)
			s.connect((sys.argv[1], 9))
			s.send(b"x")
			try:
			    s.recv(10)
			except ConnectionRefusedError:
			    print("refused")
		EOP
		[[ $output == refused ]]
	done
	[[ $(wrong_sums) == 0 ]]
}

@test "a server's own address can be reached, as without a load balancer" {
	up
	on h1 curl -sS --max-time 5 http://10.0.0.2/ | grep -q 'Server name: h2'
	on lb curl -sS --max-time 5 http://10.0.0.2/ | grep -q 'Server name: h2'
}

@test "connections go on while the file changes, and lbr up loads it again" {
	local said
	up
	coproc holds "$VIP4" 50
	read -rt 20 said <&"${COPROC[0]}"
	on lb sh -c 'sed "s/address: 10.0.0.2}/address: 10.0.0.2, drain: true}/
		s/address: 10.0.0.3}/address: 10.0.0.3, weight: 3}/" \
		/run/nat.yaml >/run/drain.yaml'
	lbr apply /run/drain.yaml >/dev/null
	up
	lbr apply /run/drain.yaml >/dev/null
	echo again >&"${COPROC[1]}"
	read -rt 20 said <&"${COPROC[0]}"
	[[ $said == answered ]]
	# new ones go to the other server
	answers "$VIP4" 10 | diff - <(echo "h3 10")
}

@test "down puts back what up has changed" {
	local before
	lbr down >/dev/null
	before=$(changed)
	[[ $before != *10240* ]] # an empty list is put back, too
	up
	[[ $(changed) != "$before" ]]
	lbr down >/dev/null
	diff <(changed) - <<<"$before"
}

qdisc() {
	on lb tc qdisc show dev eth0 | grep -o clsact
}

@test "a qdisc of somebody else stays after down; one made in its place goes" {
	lbr down >/dev/null
	on lb tc qdisc add dev eth0 clsact
	up
	lbr down >/dev/null
	qdisc
	up
	on lb tc qdisc del dev eth0 clsact
	lbr apply /run/nat.yaml | grep -qx 'eth0: lbr_nat attached'
	lbr down >/dev/null
	run ! qdisc
}

reserved() {
	on lb cat /proc/sys/net/ipv4/ip_local_reserved_ports
}

@test "what the host has reserved itself stays reserved, and is put back" {
	local own many
	lbr down >/dev/null
	for own in 8080,30000-32767 10239 8000-20000,65535 80,443; do
		on lb sysctl -qw "net.ipv4.ip_local_reserved_ports=$own"
		up
		case $own in
		8080*) [[ $(reserved) == 8080,10240-65535 ]] ;;
		10239) [[ $(reserved) == 10239-65535 ]] ;;
		8000*) [[ $(reserved) == 8000-65535 ]] ;;
		80*) [[ $(reserved) == 80,443,10240-65535 ]] ;;
		esac
		run -0 lbr up -m "${MODE:-generic}" -c /run/nat.yaml
		[[ $output != *reserved_ports* ]]
		lbr down >/dev/null
		[[ $(reserved) == "$own" ]]
	done
	many=$(seq -s , 1001 2 1041)
	on lb sysctl -qw "net.ipv4.ip_local_reserved_ports=$many"
	run ! up
	[[ $output == *"cannot reserve the ports 10240-65535: the list in "* ]]
	[[ $(reserved) == "$many" ]]
	on lb sysctl -qw net.ipv4.ip_local_reserved_ports=
	up
}

changed() {
	on lb sh -c 'tc qdisc show dev eth0; tc filter show dev eth0 ingress
		cat /proc/sys/net/ipv4/ip_local_reserved_ports \
			/proc/sys/net/ipv4/ip_local_port_range'
}

@test "negative control: without lbr_nat there is no answer, and it is counted" {
	up
	on lb tc filter del dev eth0 ingress
	run ! on h1 curl -sS --max-time 1 "http://$VIP4/"
	(($(reason translating) > 0))
	up
	on h1 curl -sS --max-time 5 -o /dev/null "http://$VIP4/"
}

@test "removed by somebody: doctor says so, apply and run attach it again" {
	up
	on lb tc qdisc del dev eth0 clsact
	run -3 lbr doctor -j -c /run/nat.yaml
	local try
	try=$(jq -r '.examinations[] | select(.examination == "nat").try' <<<"$output")
	[[ $try == "lbr apply /run/nat.yaml" ]]
	on lb env PATH="$ROOT/LoadBalancer:$PATH" sh -c "$try" |
		grep -qx 'eth0: lbr_nat attached'
	on h1 curl -sS --max-time 5 -o /dev/null "http://$VIP4/"
	lbr doctor -c /run/nat.yaml | grep -q 'eth0: lbr_nat$'

	run_begin /run/nat.yaml
	on lb tc qdisc del dev eth0 clsact
	wait_for 20 run_said '^eth0: lbr_nat attached$'
	on h1 curl -sS --max-time 5 -o /dev/null "http://$VIP4/"
	on lb tc qdisc del dev eth0 clsact
	wait_for 20 run_said 'lbr_nat on eth0: changed back twice within 60 s'
	run_signal TERM
	[[ $(run_status) == 0 ]]
	# of no interest without nat
	on lb sh -c 'sed "s/forward: nat/forward: l2/" /run/nat.yaml >/run/l2.yaml'
	lbr apply /run/l2.yaml
	run lbr doctor -j -c /run/l2.yaml
	jq -e 'all(.examinations[] | select(.examination | test("^(settings|nat)$")); .result == "ok")' <<<"$output"
}

@test "refused: nat-source has no address of this host" {
	on lb sh -c "sed 's/$SOURCE4/192.0.2.9/' /run/nat.yaml >/run/refused.yaml"
	up
	run -1 lbr apply /run/refused.yaml
	[[ $output == *"cannot use forward: nat: no IPv4 address of nat-source is an address of this host"* ]]
	on h1 curl -sS --max-time 5 -o /dev/null "http://$VIP4/"
}
