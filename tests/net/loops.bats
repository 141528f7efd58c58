#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Two backends whose files contradict each other: each says that the other one
# owned the flow before. What neither has a socket for goes from one to the other,
# and the TTL (hop limit) with which it arrived says how often: never more than
# three times. Counted on the router's interface.

bats_require_minimum_version 1.5.0
load lib

JUNK=${JUNK:-2000}

setup_file() {
	local i
	network
	for i in all eth1; do
		on "$ROUTER" sysctl -qw "net.ipv4.conf.$i.send_redirects=0"
	done
	contradicts backend0x 3 4
	contradicts backend0y 4 3
	# the router knows both
	for i in 172.19.0.{3,4} 2001:db8:19::{3,4}; do
		on "$ROUTER" ping -c 1 -W 5 "$i" >/dev/null
	done
}

teardown_file() {
	network_down
}

# contradicts HOST MINE OTHER: its file says that it drains, and the other fills
contradicts() {
	local file=$BATS_FILE_TMPDIR/$1
	cat >"$file" <<-EOF
		second-chance-limit: 10000000
		services:
		  - {vip: $VIP4, port: 80, backends: [
		      {address: 172.19.0.$2, state: draining}, {address: 172.19.0.$3, state: filling}]}
		  - {vip: $VIP6, port: 80, backends: [
		      {address: '2001:db8:19::$2', state: draining}, {address: '2001:db8:19::$3', state: filling}]}
	EOF
	bkd "$1" up -m generic -c "$file"
}

# passes: how often the backends say that they have passed a packet on
passes() {
	echo $(($(reason second_chance backend0x) + $(reason second_chance backend0y)))
}

# around VIP ADDRESS: junk ACKs with each TTL; each is passed on as often as its TTL
# allows, is answered once, and nothing else is on the wire
around() {
	local ttl before
	before=$(passes)
	run -0 on "$ROUTER" "${PYTHON[@]}" tests/net/junk_acks.py "$1" "$2" \
		02:42:ac:13:00:03 "$JUNK" 1 16 17 33 49 64 255
	echo "$output"
	diff - <(echo "$output") <<-EOF
		$(for ttl in 1=0 16=0 17=1 33=2 49=3 64=3 255=3; do
			echo "TTL ${ttl%=*}: $JUNK passed on ${ttl#*=} times, answered 1 times"
		done)
	EOF
	(($(passes) - before == JUNK * (1 + 2 + 3 + 3 + 3)))
}

@test "two backends that contradict each other: a packet is passed on as often as its TTL allows, IPv4" {
	around "$VIP4" 172.19.0.3
}

@test "two backends that contradict each other: a packet is passed on as often as its hop limit allows, IPv6" {
	around "$VIP6" 2001:db8:19::3
}
