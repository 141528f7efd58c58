#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Known ways to get this wrong, each by name; tests/mutants/faults/net.txt puts
# some of them back. The LB has a default route to the router, as it would have
# anywhere: a packet for the VIP that its kernel gets to see goes there, and
# the client is told so by an ICMP redirect, which takes the VIP away from it.

bats_require_minimum_version 1.5.0
load lib

setup_file() {
	network
	on "$LB" ip route add default via 172.17.0.3
	# IPv6 redirects are from and about link-local addresses.
	on "$LB" ip -6 route add default via "$(link_local "$ROUTER")" dev eth0
	on "$CLIENT" ip -6 route replace "$VIP6" \
		via "$(link_local "$LB")" dev eth0
	attach
}

teardown_file() {
	network_down
}

teardown() {
	local pid
	sniff_end
	# Packets that are still in its queue must not be counted in the next
	# test.
	for pid in "$BATS_TEST_TMPDIR"/serve.*; do
		[[ ! -e $pid ]] || kill "$(<"$pid")"
	done
	[[ ! ${changed-} ]] || attach
}

link_local() { # HOST
	on "$1" ip -o -6 address show dev eth0 scope link |
		grep -o 'fe80:[^/]*'
}

# via VIP: the client's next hop to it
via() {
	on "$CLIENT" ip -o route get "$1" | grep -o ' via [^ ]*'
}

# harmless VIP CMD...: after CMD the client has got no ICMP redirect, and its next hop
# to the VIP is unchanged
harmless() {
	local vip=$1 before
	before=$(via "$vip")
	sniff icmp "$CLIENT" eth0 'icmp or icmp6'
	"${@:2}"
	get "$vip" >/dev/null
	# Once this reply is captured, so is everything before it.
	on "$CLIENT" ping -qc1 -W2 -s 99 "$(lb_of "$vip")" >/dev/null
	wait_for 5 seen icmp 'length: 107.*echo reply|echo reply.*length 107'
	run ! seen icmp redirect
	[[ $(via "$vip") == "$before" ]]
}

lb_of() { # VIP
	if [[ $1 == *:* ]]; then echo 2001:db8:17::2; else echo 172.17.0.2; fi
}

# harmful VIP CMD...: the negative control: with the LB's kernel forwarding, CMD
# causes a redirect to the client, which changes its next hop
harmful() {
	local vip=$1 before
	before=$(via "$vip")
	changed=1
	lbr down >/dev/null
	on "$LB" sysctl -qw net.ipv4.conf.all.forwarding=1 \
		net.ipv6.conf.all.forwarding=1
	sniff control "$CLIENT" eth0 'icmp or icmp6'
	"${@:2}" || :
	wait_for 5 seen control redirect
	wait_for 5 via_is_not "$vip" "$before"
	on "$CLIENT" ip route flush cache
	on "$CLIENT" ip -6 route flush cache
	[[ $(via "$vip") == "$before" ]]
	on "$LB" sysctl -qw net.ipv4.conf.all.forwarding=0 \
		net.ipv6.conf.all.forwarding=0
}

via_is_not() {
	[[ $(via "$1") != "$2" ]]
}

# datagram VIP PORT [TTL]
datagram() {
	on "$CLIENT" /usr/bin/python3 - "$1" "$2" "${3:-64}" <<-'EOP'
		import socket, sys

		vip, port, ttl = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
		if ":" in vip:
		    s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
		    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, ttl)
		else:
		    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		    s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
		# Only an existing socket of this kind follows an IPv6 redirect.
		s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
		s.connect((vip, port))
		s.send(b"stray")
		s.settimeout(0.3)
		try:
		    s.recv(100)
		except OSError:
		    pass
	EOP
}

ping_vip() {
	on "$CLIENT" ping -qc1 -W1 "$1"
}

@test "ping to the VIP: answered, no redirect, IPv4" {
	harmless "$VIP4" rises echo_answered ping_vip "$VIP4"
	harmful "$VIP4" ping_vip "$VIP4"
}

@test "ping to the VIP: answered, no redirect, IPv6" {
	harmless "$VIP6" rises echo_answered ping_vip "$VIP6"
	harmful "$VIP6" ping_vip "$VIP6"
}

@test "stray UDP to the VIP: dropped and counted, no redirect, IPv4" {
	harmless "$VIP4" rises unmatched datagram "$VIP4" 9
	harmful "$VIP4" datagram "$VIP4" 9
}

@test "stray UDP to the VIP: dropped and counted, no redirect, IPv6" {
	harmless "$VIP6" rises unmatched datagram "$VIP6" 9
	harmful "$VIP6" datagram "$VIP6" 9
}

# Its route to the VIP leads back to the router.
@test "stray UDP to the VIP: unmatched: pass hands it to the kernel, but it is not sent back; no redirect" {
	changed=1
	services "$BATS_TEST_TMPDIR/pass.yaml" '1iunmatched: pass'
	lbr apply "$BATS_TEST_TMPDIR/pass.yaml" >/dev/null
	harmless "$VIP4" rises would_loop datagram "$VIP4" 9
}

# serve HOST PORT: starts a web server that is not behind the load balancer
serve() {
	on "$1" /usr/bin/python3 - "$2" "$BATS_TEST_TMPDIR/serve.$2" \
		>/dev/null 2>&1 3>&- <<-'EOP' &
		import http.server, os, socket, socketserver, sys

		# http.server's own server_bind() would ask the DNS for its
		# name.
		class Server(socketserver.ThreadingTCPServer):
		    address_family = socket.AF_INET6

		with open(sys.argv[2], "w") as file:
		    file.write(str(os.getpid()))
		Server(("::", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()
	EOP
	wait_for 10 listens "$1" "$2"
}

listens() { # HOST PORT
	[[ $(on "$1" ss -Hltn "sport = :$2") ]]
}

# fetch HOST URL [curl's options]
fetch() {
	on "$1" curl -sS --fail --max-time 1 -o /dev/null "${@:3}" "$2"
}

# service_port PORT: makes PORT the web service's port on backend0x
service_port() {
	changed=1
	services "$BATS_TEST_TMPDIR/port.yaml" "s/port: 80\$/port: $1/"
	bkd backend0x apply "$BATS_TEST_TMPDIR/port.yaml" >/dev/null
}

@test "TCP to a backend's own address, another port" {
	serve backend0x 8080
	rises_at backend0x not_listed fetch "$CLIENT" http://172.19.0.3:8080/
	rises_at backend0x not_listed \
		fetch "$CLIENT" 'http://[2001:db8:19::3]:8080/'
	# If this were a service's port, the connection could not complete.
	service_port 8080
	run -28 fetch "$CLIENT" http://172.19.0.3:8080/
}

# rises_at HOST NAME CMD...: like rises, for xdp_bkd's counter on that host
rises_at() {
	local before
	before=$(reason "$2" "$1")
	"${@:3}"
	(($(reason "$2" "$1") > before))
}

@test "a backend's own outgoing TCP" {
	serve "$CLIENT" 80
	rises_at backend0x not_listed fetch backend0x http://172.17.0.4/
	fetch backend0x 'http://[2001:db8:17::4]/'
	# From a service's port, the connection could not complete.
	service_port 8081
	run -28 fetch backend0x http://172.17.0.4/ --local-port 8081
	rises_at backend0x not_listed \
		fetch backend0x http://172.17.0.4/ --local-port 8082
}

# with_options HEX: a TCP request whose packets carry these IPv4 options
with_options() {
	on "$CLIENT" /usr/bin/python3 - "$VIP4" "$1" <<-'EOP'
		import socket, sys

		s = socket.socket()
		s.settimeout(3)
		s.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, bytes.fromhex(sys.argv[2]))
		s.connect((sys.argv[1], 80))
		s.sendall(b"GET / HTTP/1.0\r\n\r\n")
		data = b""
		while more := s.recv(4096):
		    data += more
		assert data.startswith(b"HTTP/1.1 200 "), data
	EOP
}

@test "IPv4 options" {
	local backend
	for backend in "${BACKENDS[@]}"; do
		sniff "$backend" "$backend" eth0 'tcp and ip[0] & 0xf > 5'
	done
	get "$VIP4" >/dev/null # without options there are none to see
	for _ in 1 2 3 4; do
		with_options 01010101                 # no-operation, four times
		with_options 070b04000000000000000000 # record route
	done
	wait_for 5 arrived 'options \(NOP,NOP,NOP,NOP\)'
	wait_for 5 arrived 'options \(RR '
	run ! arrived '\(.*ttl [^(]*length [0-9]*\)'
}

# arrived REGEX: a packet that matches, at any of the backends
arrived() {
	seen backend0x "$1" || seen backend0y "$1"
}

# through VIP TTL: sends a packet for UDP port 7777, prints the TTL with which
# it arrives
through() {
	local backend
	for backend in "${BACKENDS[@]}"; do
		sniff "$backend" "$backend" eth0 "udp dst port 7777"
	done
	datagram "$1" 7777 "$2"
	wait_for 5 arrived 7777 | sed -nE 's/.*(ttl|hlim) ([0-9]+).*/\2/p'
	sniff_end
}

@test "TTL: one less behind the LB, IPv4" {
	[[ $(through "$VIP4" 64) == 62 ]] # LB and router
	[[ $(through "$VIP4" 3) == 1 ]]
	[[ $(through 172.19.0.3 20) == 19 ]] # past the LB
}

@test "TTL: one less behind the LB, IPv6" {
	[[ $(through "$VIP6" 64) == 62 ]]
	[[ $(through "$VIP6" 3) == 1 ]]
	[[ $(through 2001:db8:19::3 20) == 19 ]]
}

@test "TTL 1: dropped and counted" {
	local vip
	for vip in "$VIP4" "$VIP6"; do
		rises ttl_answered datagram "$vip" 7777 1
		run -1 rises ttl_answered datagram "$vip" 7777 2
	done
}

# forwarding VALUE: sets every sysctl that lets the LB's kernel forward
forwarding() {
	[[ $(on "$LB" sh -c 'cat /proc/sys/net/ipv[46]/conf/*/forwarding' |
		sort -u) == "$1" ]]
}

@test "forwarding is off before up: up turns it on and says so, down puts it back" {
	local said
	changed=1
	lbr down
	forwarding 0
	said=$(lbr up -m generic)
	grep -qx 'sysctl net/ipv4/conf/eth0/forwarding: 0 -> 1' <<<"$said"
	grep -qx 'sysctl net/ipv6/conf/eth0/forwarding: 0 -> 1' <<<"$said"
	get "$VIP4" >/dev/null
	get "$VIP6" >/dev/null
	# Without forwarding, packets are dropped, and a counter says why.
	on "$LB" sysctl -qw net.ipv4.conf.eth0.forwarding=0
	aged
	rises fib_forwarding_disabled get "$VIP4" --max-time 0.5
	run ! get "$VIP4" --max-time 0.5
	on "$LB" sysctl -qw net.ipv4.conf.eth0.forwarding=1
	lbr down
	forwarding 0
}

# cold VIP: with all neighbour caches empty, no SYN is sent twice
cold() {
	local vip=$1 host before
	for _ in 1 2 3 4 5; do
		for host in "$LB" "$ROUTER" "$CLIENT" "${BACKENDS[@]}"; do
			on "$host" ip neigh flush all
		done
		aged
		before=$(retransmitted)
		rises neighbour_unresolved get "$vip" -o /dev/null
		get "$vip" >/dev/null
		(($(retransmitted) == before))
	done
}

retransmitted() {
	on "$CLIENT" nstat -asz TcpExtTCPSynRetrans | awk 'END { print $2 }'
}

# lost VIP: negative control: a SYN that is lost is sent twice
lost() {
	local before
	before=$(retransmitted)
	changed=1
	lbr down >/dev/null
	run ! get "$1" --max-time 1.5
	(($(retransmitted) > before))
}

@test "cold ARP: the first SYN is not lost" {
	cold "$VIP4"
	lost "$VIP4"
}

@test "cold ND: the first SYN is not lost" {
	cold "$VIP6"
	lost "$VIP6"
}

@test "a failed lookup: dropped and counted" {
	local type
	for type in blackhole unreachable prohibit; do
		on "$LB" ip route add "$type" 172.19.0.0/24
		aged
		rises "fib_$type" get "$VIP4" --max-time 0.3
		on "$LB" ip route del "$type" 172.19.0.0/24
	done
	aged
	get "$VIP4" >/dev/null
}

# held: 40 connections to the VIP at once, with requests on each for 8 s or
# until one breaks (longer than a flow is known without the table); prints "N
# kept"
held() {
	on "$CLIENT" /usr/bin/python3 - "$VIP4" <<-'EOP'
		import re, socket, sys, time

		def ask(s):
		    s.sendall(b"GET / HTTP/1.1\r\nHost: vip\r\n\r\n")
		    data = b""
		    while not data.endswith(b"\n") or b"Request ID" not in data:
		        more = s.recv(4096)
		        if not more:
		            raise OSError("closed")
		        data += more
		    return re.search(b"Server name: (.*)\n", data).group(1)

		held = [socket.create_connection((sys.argv[1], 80), 2) for _ in range(40)]
		kept = 0
		first = {}
		lost = set()
		end = time.monotonic() + 8
		while not lost and time.monotonic() < end:
		    for i, s in enumerate(held):
		        try:
		            if i not in lost and first.setdefault(i, name := ask(s)) != name:
		                raise OSError("another backend")
		        except OSError:
		            lost.add(i)
		print(len(held) - len(lost), "kept")
	EOP
}

@test "flow table full: 40 connections with a table of 10: none breaks" {
	local file=$BATS_TEST_TMPDIR/small.yaml
	changed=1
	lbr down >/dev/null
	services "$file" '1iflow-table-size: 10'
	lbr up -m generic -c "$file" >/dev/null
	[[ $(held) == "40 kept" ]]
	# With a scheduler that is no function of the flow, some break.
	services "$file" '1iflow-table-size: 10' 's/maglev/random/'
	lbr down >/dev/null # or SYNs find no room, and go by the table
	lbr up -m generic -c "$file" >/dev/null
	[[ $(held) != "40 kept" ]]
}
