#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# bkd doctor, where one thing is broken at a time: what a backend can know of
# its server, its firewall, its routes and its neighbours.

# shellcheck disable=SC2030,SC2031,SC2154 # `run` and its friends

load doctor
bats_require_minimum_version 1.5.0

setup_file() {
	network
	attach
}

teardown_file() {
	network_down
}

setup() {
	healthy backend0x
	serves
}

teardown() {
	[[ ! ${server-} ]] || kill "$server" 2>/dev/null || :
	file backend0x ''
	on backend0x bash -c 'nft flush ruleset 2>/dev/null; ip link del other0 2>/dev/null
		ip route replace default via 172.19.0.2'
	bkd backend0x apply >/dev/null
}

@test "vips: one is not on lo" {
	on backend0x ip address del "$VIP4/32" dev lo
	ill backend0x vips fail
	heal backend0x vips
}

@test "vips: one is on eth0, where it is claimed" {
	on backend0x ip address del "$VIP4/32" dev lo
	on backend0x ip address add "$VIP4/32" dev eth0
	ill backend0x vips fail
	heal backend0x vips
}

@test "silence: the host answers ARP for the VIP, and uses the VIP as the source of its own ARP requests" {
	on backend0x sysctl -qw net.ipv4.conf.all.arp_ignore=0 \
		net.ipv4.conf.eth0.arp_ignore=0
	ill backend0x silence fail
	heal backend0x silence
	on backend0x sysctl -qw net.ipv4.conf.all.arp_announce=0 \
		net.ipv4.conf.eth0.arp_announce=0
	ill backend0x silence fail
	heal backend0x silence
	on backend0x sysctl -qw net.ipv4.conf.all.arp_ignore=1 \
		net.ipv4.conf.all.arp_announce=2
}

@test "listed: the file lists no address of this host" {
	file backend0x '/172.19.0.3\|19::3/d'
	ill backend0x listed fail
	[[ $output == *"lists no backend with an address of this host (172.19.0.3 "* ]]
	file backend0x ''
	healthy backend0x
}

# second_chance: what doctor says of it
second_chance() {
	bkd backend0x doctor -j | jq -r '.examinations[] |
		select(.examination == "second-chance") | "\(.result) \(.report) \(.try)"'
}

@test "second-chance: whom a transition waits for, and merged packets where they are" {
	[[ $(second_chance) == "ok 0 services of this host have second chance null" ]]
	lbr drain 172.19.0.4 >/dev/null
	coproc holder { on "$CLIENT" /usr/bin/python3 -c "import socket
held = [socket.create_connection(('$VIP4', 80)) for n in range(40)]
print('ready', flush=True)
input()"; }
	read -ru "${holder[0]}"
	lbr undrain 172.19.0.4 >/dev/null
	file backend0x 's/{address: 172.19.0.4, weight: 1}/{address: 172.19.0.4, state: filling}/'
	bkd backend0x apply >/dev/null
	second_chance | grep -E "^ok $VIP4:80/tcp: the transition of 172.19.0.4 waits for [1-9][0-9]* flows here null$"
	lbr doctor | grep 'no service is in transition'
	file "$LB" 's/{address: 172.19.0.4, weight: 1}/{address: 172.19.0.4, state: filling}/'
	lbr doctor | grep "$VIP4:80/tcp: the transition of 172.19.0.4 ends when"
	file "$LB" ''
	# Only what has lasted for longer than drain-timeout is to be ended.
	file backend0x 's/{address: 172.19.0.4, weight: 1}/{address: 172.19.0.4, state: filling}/' \
		'$ a drain-timeout: 1s'
	bkd backend0x apply >/dev/null
	wait_for 10 overdue
	# another apply, of a file that differs elsewhere, does not begin it anew
	file backend0x 's/{address: 172.19.0.4, weight: 1}/{address: 172.19.0.4, state: filling}/' \
		'$ a drain-timeout: 1s' '$ a grace: 77s'
	bkd backend0x apply >/dev/null
	overdue
	file backend0x 's/{address: 172.19.0.4, weight: 1}/{address: 172.19.0.4, state: filling}/'
	bkd backend0x apply >/dev/null
	[[ $(second_chance) != *"longer than drain-timeout"* ]]
	# A veth merges nothing that matters.
	[[ $(second_chance) != *merged* ]]
	on backend0x ip link add other0 type ifb
	on backend0x ip link set other0 up
	bkd backend0x up -i other0 -m generic >/dev/null
	# xdp_bkd drops them, and counts: it knows the MTU of other0, and none of eth0
	[[ $(on backend0x bpftool -j map dump pinned "/sys/fs/bpf/l3dsr/bkd-$LAYOUT/interfaces" |
		jq -c '[.[].formatted.value | select(.ifindex > 0).most] | sort') == "[0,1500]" ]]
	second_chance | grep -E '^warn other0: .* merged .* ethtool -K other0 gro off$'
	on backend0x ethtool -K other0 gro off
	[[ $(second_chance) != *merged* ]]
	echo >&"${holder[1]}"
	wait_for 10 none_waits
	bkd backend0x down -i other0 >/dev/null
}

overdue() {
	second_chance | grep -qE "^warn $VIP4:80/tcp: the transition of 172.19.0.4 has lasted longer than drain-timeout, and waits for [1-9][0-9]* flows here: they break when it is ended; .* bkd show restores$"
}

none_waits() {
	second_chance | grep -q 'waits for 0 flows here'
}

@test "vips: one is on lo and on eth0" {
	on backend0x ip address add "$VIP4/32" dev eth0
	ill backend0x vips fail
	[[ $output == *"$VIP4 is on eth0, which claims it on its segment"* ]]
	heal backend0x vips
	[[ $(on backend0x ip -o address show to "$VIP4") == *" lo "* ]]
}

# another interface, without xdp_bkd, is asked for the VIP
@test "silence: another interface would answer for the VIP; up silences all interfaces" {
	on backend0x ip link add other0 type veth peer name other1
	on backend0x ip link set dev other0 up
	on backend0x sysctl -qw net.ipv4.conf.all.arp_ignore=0 \
		net.ipv4.conf.eth0.arp_ignore=1 net.ipv4.conf.other0.arp_ignore=0
	ill backend0x silence fail
	[[ $output =~ \"other[01],\ other[01]:\ answers\ ARP\ for\ the\ VIP\ on\ lo\" ]]
	heal backend0x silence
	on backend0x sysctl -qw net.ipv4.conf.all.arp_ignore=0
	bkd backend0x up >/dev/null
	[[ $(on backend0x cat /proc/sys/net/ipv4/conf/all/arp_ignore) == 1 ]]
	healthy backend0x
}

@test "replies: no route leads beyond this host's segments" {
	on backend0x ip route del default
	ill backend0x replies fail
	[[ $output == *"IPv4: no route leads beyond this host's own segments"* ]]
	on backend0x bash -c "$(commands replies <<<"$output" |
		sed 's/GATEWAY/172.19.0.2/')"
	healthy backend0x
}

@test "replies: a client asks, and no route leads back to it" {
	on backend0x ip route del default
	on backend0x ip route add 10.0.0.0/8 via 172.19.0.2 # a route that leads somewhere else
	healthy backend0x
	# shellcheck disable=SC2016 # for the other shell
	on "$CLIENT" bash -c 'echo $$ >"$1"; shift
		while :; do curl -so /dev/null -m 0.3 "$@"; done' - \
		"$BATS_TEST_TMPDIR/pid" "http://$VIP4/" 3>&- &
	server=$!
	wait_for 20 ill backend0x replies fail
	kill "$(<"$BATS_TEST_TMPDIR/pid")"
	[[ $output =~ "IPv4: "[0-9]+" packet"s?" of this host had no route just now" ]]
	on backend0x bash -c "$(commands replies <<<"$output" |
		sed 's/GATEWAY/172.19.0.2/')"
	on backend0x ip route del 10.0.0.0/8
	healthy backend0x
}

# listens ADDRESS: starts a UDP server on port 7778 of that address, and stops
# the one before
listens() {
	local pid=$BATS_TEST_TMPDIR/pid
	[[ ! -e $pid ]] || kill "$(<"$pid")"
	rm -f "$pid"
	on backend0x /usr/bin/python3 -c 'import os, socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind((sys.argv[1], 7778))
print(os.getpid(), file=open(sys.argv[2] + ".new", "w"))
os.rename(sys.argv[2] + ".new", sys.argv[2])
time.sleep(60)' "$1" "$pid" 3>&- &
	server=$!
	wait_for 5 test -e "$pid"
}

# shellcheck disable=SC2016 # it is sed's
@test "listeners: none on the port; on another address; on all addresses; on the VIP" {
	file backend0x 's/port: 7777/port: 7778/' '/the same over IPv6/,$ d'
	bkd backend0x apply >/dev/null
	ill backend0x listeners fail
	[[ $output == *'nobody listens on 192.168.25.10:7778/udp in this network namespace"'* ]]
	listens 172.19.0.3
	ill backend0x listeners fail
	[[ $output == *"but on that port of another address"* ]]
	listens 0.0.0.0
	ill backend0x listeners warn
	[[ $output == *"listens on all addresses"* ]]
	listens "$VIP4"
	healthy backend0x
}

# holds address|route: a server in a network namespace of its own, where that is added
# for the VIP; it ends when it gets a line
holds() {
	coproc holder { on backend0x unshare -n bash -c "ip link set lo up
		ip $1 add $VIP4/32 dev lo
		exec /usr/bin/python3 -c \"import socket
server = socket.create_server(('', 8077))
print('ready', flush=True)
input()\""; }
	read -ru "${holder[0]}"
}

@test "listeners: none here, but in another network namespace that has the VIP" {
	local said
	file backend0x 's/port: 80$/port: 8077/' '/the same over IPv6/,$ d'
	bkd backend0x apply >/dev/null
	ill backend0x listeners fail
	[[ $output != *"of process"* ]]
	# a route to the VIP is not enough
	holds route
	ill backend0x listeners fail
	[[ $output != *"of process"* ]]
	echo >&"${holder[1]}"
	wait "$holder_PID"
	holds address
	ill backend0x listeners fail
	said=$(jq -r '.examinations[] | select(.examination == "listeners") |
		"\(.report) \(.try)"' <<<"$output")
	echo "$said"
	[[ $said =~ "nobody listens on $VIP4:8077/tcp in this network namespace, but somebody does in that of process "([0-9]+) ]]
	[[ $said == *"nsenter --net=/proc/${BASH_REMATCH[1]}/ns/net bkd up" ]]
	[[ $said != *"second chance"* ]]
	file backend0x 's/port: 80$/port: 8077/' '/the same over IPv6/,$ d' \
		's/{address: 172.19.0.4, weight: 1}/{address: 172.19.0.4, state: filling}/'
	bkd backend0x apply >/dev/null
	ill backend0x listeners fail
	[[ $output == *"here, second chance finds none of its flows"* ]]
	echo >&"${holder[1]}"
}

@test "firewall: a policy or a rule that drops the service's packets" {
	command -v nft >/dev/null || skip "no nft here"
	on backend0x nft -f - <<-'EOF'
		table ip mine {
			chain in {
				type filter hook input priority 0; policy drop;
				ct state invalid drop
				tcp dport 22 accept
			}
		}
	EOF
	wait_for 5 broken
	ill backend0x firewall fail
	heal backend0x firewall
	# the rule that doctor prints opens these ports, and no more
	[[ $(on backend0x nft list chain ip mine in) == *"policy drop"* ]]
	on backend0x nft flush ruleset
	on backend0x nft -f - <<-'EOF'
		table inet mine {
			chain in {
				type filter hook input priority 0
				tcp dport { 80, 443 } drop
			}
		}
	EOF
	ill backend0x firewall fail
	[[ $output == *"a rule of inet mine in drops packets for $VIP4:80/tcp"* ]]
	on backend0x nft flush ruleset
	# a rule that may or may not match is not reported as a fault, nor as
	# harmless
	on backend0x nft -f - <<-'EOF'
		table inet mine {
			chain in {
				type filter hook input priority 0; policy drop;
				ct state vmap { established: accept, invalid: drop }
				meta l4proto { icmp, ipv6-icmp } accept
				udp dport 7777 accept
				tcp dport { 80, 8080 } limit rate 1000/second accept
			}
		}
	EOF
	run -0 bkd backend0x doctor
	[[ $output == *"inet mine in may drop packets for $VIP4:80/tcp"*"nft -a list chain inet mine in"* ]]
	on backend0x nft flush ruleset
	healthy backend0x
}

@test "drops: packets of a load balancer that lb-sources does not name" {
	file backend0x '1i lb-sources: [192.0.2.1]' \
		'0,/forward: rewrite/s//forward: ipip/'
	bkd backend0x apply >/dev/null
	healthy backend0x
	on "$ROUTER" "${PYTHON[@]}" - 3>&- <<-EOF &
		import time
		from scapy.all import IP, TCP, send
		for _ in range(300):
		    send(IP(src="172.17.0.2", dst="172.19.0.3") /
		         IP(src="172.17.0.4", dst="$VIP4") / TCP(dport=80, flags="S"), verbose=False)
		    time.sleep(0.02)
	EOF
	server=$!
	wait_for 10 ill backend0x drops fail
	[[ $output == *"foreign_source"* ]]
}
