#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The reply does not pass the load balancer: on the wire of its only interface
# there is no packet from the VIP, and few bytes where many go to the client.
# The same measurement sees them where they are routed through it.
#
# The wire is the port at the other end of the LB's eth0. On eth0 itself a
# capture is blind: generic XDP comes before it, and what XDP sends does not
# pass it either.

load lib
bats_require_minimum_version 1.5.0

setup_file() {
	network
	attach generic
	head -c 20M /dev/zero >"$BATS_FILE_TMPDIR/20M"
	local host
	for host in "${BACKENDS[@]}"; do
		on "$host" ln -s "$BATS_FILE_TMPDIR/20M" /run/nginx/files/20M
	done
}

teardown_file() {
	network_down
}

# Set the way back to the client, on router and LB: through the LB, or as
# before.
replies_by_lb() {
	on "$ROUTER" ip route replace 172.17.0.4 via 172.17.0.2
	on "$ROUTER" ip route replace 2001:db8:17::4 via 2001:db8:17::2
}

teardown() {
	on "$ROUTER" ip route del 172.17.0.4 2>/dev/null || :
	on "$ROUTER" ip route del 2001:db8:17::4 2>/dev/null || :
	on "$ROUTER" ip route del "$VIP4" 2>/dev/null || :
	on "$ROUTER" sysctl -qw net.ipv4.conf.eth1.rp_filter=0
	on "$ROUTER" nft delete table ip mine 2>/dev/null || :
	stop
}

# capture HOST FILTER: writes what its eth0 receives and sends into $seen
capture() {
	seen=$BATS_TEST_TMPDIR/seen
	# shellcheck disable=SC2016
	on wires sh -c 'echo $$ >"$0.pid"; exec tcpdump -w "$0" "$@"' "$seen" \
		-i "$1-eth0" -n -s 96 -B 32768 --immediate-mode -U \
		"$2" 2>"$seen.log" 3>&- &
	wait_for 5 grep -q 'listening on' "$seen.log"
}

stop() {
	[[ ! -e $BATS_TEST_TMPDIR/seen.pid ]] ||
		kill "$(<"$BATS_TEST_TMPDIR/seen.pid")" 2>/dev/null || :
	wait
}

packets() { # FILTER
	tcpdump -n -r "$seen" "$1" 2>/dev/null | wc -l
}

marked() {
	(($(packets 'udp port 9') > 0))
}

# Send a marker datagram: once it is in the file, so is everything before it.
captured() {
	on "$CLIENT" bash -c 'echo >/dev/udp/172.17.0.2/9'
	wait_for 5 marked
	stop
	grep -q '^0 packets dropped by kernel' "$seen.log"
}

received() {
	on "$LB" cat /sys/class/net/eth0/statistics/rx_bytes
}

# transfers VIP: 40 requests, 20 MB up, 20 MB down; sets `through` to the bytes
# that the LB received during the download
transfers() {
	local before size
	balanced "$1" 40 4 36
	on "$CLIENT" curl -sSf --max-time 20 -o /dev/null \
		-T "$BATS_FILE_TMPDIR/20M" "$(url "$1" upload/up)"
	before=$(received)
	size=$(on "$CLIENT" curl -sSf --max-time 20 -o /dev/null \
		-w '%{size_download}' "$(url "$1" files/20M)")
	through=$(($(received) - before))
	((size == 20 << 20))
}

# Packets sent by the program, or by the kernel if the next hop is unresolved.
sent_on() {
	echo $(($(reason forwarded) + $(reason neighbour_unresolved)))
}

bypasses() { # VIP
	local before
	before=$(sent_on)
	capture "$LB" "host $1 or udp port 9"
	transfers "$1"
	captured
	echo "to the VIP $(packets "dst host $1"), from it" \
		"$(packets "src host $1"); download: $through bytes here"
	(($(packets "dst host $1") > 200))
	(($(packets "src host $1") == 0))
	((through < (20 << 20) / 10))
	# each packet that came for the VIP went on
	echo "sent on: $(($(sent_on) - before))"
	(($(sent_on) - before == $(packets "dst host $1")))
}

passes_through() { # VIP
	replies_by_lb
	capture "$LB" "host $1 or udp port 9"
	transfers "$1"
	captured
	echo "from the VIP $(packets "src host $1"); download: $through bytes here"
	(($(packets "src host $1") > 200))
	((through > 20 << 20))
}

@test "no packet from the VIP passes the load balancer: IPv4" {
	bypasses "$VIP4"
}

@test "no packet from the VIP passes the load balancer: IPv6" {
	bypasses "$VIP6"
}

@test "routed through the load balancer, replies are seen there: IPv4" {
	passes_through "$VIP4"
}

@test "routed through the load balancer, replies are seen there: IPv6" {
	passes_through "$VIP6"
}

@test "the client gets its replies from the router, not from the LB" {
	local mac
	capture "$CLIENT" "src host $VIP4 or udp port 9"
	answers "$VIP4" 20
	captured
	mac=$(on "$ROUTER" cat /sys/class/net/eth0/address)
	[[ $(tcpdump -n -e -r "$seen" "src host $VIP4" 2>/dev/null |
		awk '{ print $2 }' | sort -u) == "$mac" ]]
}

# serves: a request is answered, over IPv4
serves() {
	get "$VIP4" --max-time 1 >/dev/null
}

@test "a router must not use strict rp_filter, nor drop packets that conntrack calls invalid" {
	on "$ROUTER" ip route replace "$VIP4" via 172.17.0.2
	on "$ROUTER" sysctl -qw net.ipv4.conf.eth1.rp_filter=2
	serves
	on "$ROUTER" sysctl -qw net.ipv4.conf.eth1.rp_filter=1
	run ! serves
	on "$ROUTER" sysctl -qw net.ipv4.conf.eth1.rp_filter=0
	serves
	command -v nft >/dev/null || return 0
	on "$ROUTER" nft 'table ip mine { chain c {
		type filter hook forward priority 0; ct state invalid drop; }; }'
	run ! serves
	on "$ROUTER" nft delete table ip mine
	serves
}

@test "a port that no service has is dropped and counted: unmatched" {
	rises unmatched on "$CLIENT" curl -s --max-time 0.3 \
		"http://$VIP4:81/" -o /dev/null
	rises unmatched on "$CLIENT" bash -c "echo >/dev/udp/$VIP6/80"
}

# passed_up: a ping to the load balancer itself is, and none is forwarded
passed_up() {
	local forwarded
	forwarded=$(reason forwarded)
	rises not_vip on "$CLIENT" ping -q -c 1 -W 2 172.17.0.2
	(($(reason forwarded) == forwarded))
}

@test "packets for the load balancer itself are passed up, not balanced" {
	# Meanwhile connections that the test before has cut may still talk.
	wait_for 5 passed_up
}
