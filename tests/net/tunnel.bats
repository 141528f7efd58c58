#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# What ipip puts around a packet takes room that the client knows nothing of.
# In native mode the load balancer tells it, also what a router has told the
# load balancer; in generic mode, which sees packets larger than those on the
# wire, the backends ask for less (`advmss`).

load lib
load uploads

# tunnelled [SED-EXPR...]: all services use ipip, with the file changed by sed
tunnelled() {
	local next
	announce 's/forward: rewrite/forward: ipip/' \
		"\$ a lb-sources: ['172.17.0.0/16', '2001:db8:17::/64']" "$@"
	lbr apply "$BATS_TEST_TMPDIR/backends"
	for next in "$NEXT4" "$NEXT6"; do
		wait_for 10 on "$LB" ping -q -c 1 -W 1 "$next"
	done
}

@test "an upload through ipip over a path of MTU 1500 completes: native" {
	local vip
	afresh native
	tunnelled
	for vip in "$VIP4" "$VIP6"; do completes "$vip"; done
	# negative control
	tunnelled '$ a icmp-error-limit: 0'
	on "$CLIENT" ip route flush cache
	on "$CLIENT" ip -6 route flush cache
	for vip in "$VIP4" "$VIP6"; do [[ $(upload "$vip" 2) == 0 ]]; done
	settings
	announce
}

@test "an upload through ipip over a narrow leg behind the router: native" {
	local vip
	afresh native
	tunnelled
	narrow 1400
	for vip in "$VIP4" "$VIP6"; do completes "$vip"; done
	[[ $(on "$CLIENT" ip route get "$VIP4") == *'mtu 1380'* ]]
	[[ $(on "$CLIENT" ip route get "$VIP6") == *'mtu 1360'* ]]
	narrow any
	settings
	announce
}

@test "an upload through ipip completes by advmss: generic" {
	local vip
	afresh generic
	tunnelled '$ a advmss: 1400'
	for vip in "$VIP4" "$VIP6"; do [[ $(upload "$vip" 10) == "$LARGE" ]]; done
	# negative control; without super-packets, in which the router's kernel
	# would take the inner header for TCP's, and might find it small enough
	tunnelled
	on "$CLIENT" ethtool -K eth0 tso off gso off
	for vip in "$VIP4" "$VIP6"; do [[ $(upload "$vip" 2) == 0 ]]; done
	settings
	announce
}

# by_advmss VIP: an upload completes only with the advmss that doctor prints. In
# generic mode, packets too big for the first link hide the second link.
by_advmss() {
	local turn advmss
	[[ $(upload "$1" 2) == 0 ]]
	for turn in 1 2; do
		advmss=$(lbr doctor -j -c "$BATS_TEST_TMPDIR/backends" |
			jq -r '.examinations[] | select(.examination == "mtu").try' |
			grep -o 'advmss: [0-9]*')
		echo "$turn: $advmss"
		tunnelled "\$ a $advmss"
		on "$CLIENT" ip route flush cache
		on "$CLIENT" ip -6 route flush cache
		[[ $(upload "$1" 5) != "$LARGE" ]] || return 0
	done
	return 1
}

@test "a path of 1280 bytes: IPv4 by answers, IPv6 by doctor's advmss: native" {
	afresh native
	tunnelled
	narrow 1280
	completes "$VIP4"
	[[ $(on "$CLIENT" ip route get "$VIP4") == *'mtu 1260'* ]]
	by_advmss "$VIP6"
	lbr show -j path-mtus | "$BATS_TEST_DIRNAME/documented.py" "$ROOT/build/man/lbr.8" '[path-mtus]'
	lbr show -j path-mtus | jq -e '."path-mtus" | length >= 2 and all(.mtu == 1280)'
	lbr show -j next-hops | jq -e '."next-hops" | any(.mtu == 1280 and ."mtu-by" == "router")'
	lbr forget path-mtus
	narrow any
	settings
	announce
}

@test "a path of 1280 bytes: both families by doctor's advmss: generic" {
	local vip
	afresh generic
	narrow 1280
	on "$CLIENT" ethtool -K eth0 tso off gso off
	for vip in "$VIP4" "$VIP6"; do
		tunnelled
		by_advmss "$vip"
	done
	on "$CLIENT" ethtool -K eth0 tso on gso on
	lbr forget path-mtus
	narrow any
	settings
	announce
}

# forge: sends two errors from the client, with its own address, about echo
# replies of the load balancer to the backends; the load balancer's kernel
# believes them
forge() {
	on "$CLIENT" "${PYTHON[@]}" - <<-'EOF'
		from scapy.all import *

		conf.verb = 0
		for last in 3, 4:
		    quoted = IP(src="172.17.0.2", dst=f"172.19.0.{last}") / ICMP(type=0) / Raw(b"x" * 64)
		    send(IP(dst="172.17.0.2") / ICMP(type=3, code=4, nexthopmtu=552) / quoted)
		    quoted = IPv6(src="2001:db8:17::2", dst=f"2001:db8:19::{last}") / ICMPv6EchoReply(
		        data=b"x" * 64)
		    send(IPv6(dst="2001:db8:17::2") / ICMPv6PacketTooBig(mtu=1280) / quoted)
	EOF
}

exceptions() {
	[[ $(on "$LB" ip route get 172.19.0.3) == *'mtu 552'* &&
		$(on "$LB" ip -6 route get 2001:db8:19::3) == *'mtu 1280'* ]]
}

# explained: explain's output without the age of the FIB's answer
explained() {
	local port
	for port in {40000..40009}; do
		echo "172.17.0.4:$port $VIP4:80/tcp"
		echo "[2001:db8:17::4]:$port [$VIP6]:80/tcp"
	done | lbr explain -j | jq -c 'del(."next-hop"["cached", "fib"])'
}

# unmoved MODE: forged errors change nothing, for rewrite and ipip
unmoved() {
	local before vip
	afresh "$1"
	since 5.15 || skip "explain needs Linux 5.15"
	before=$(explained)
	[[ $before == *'"mtu":1500'* ]]
	forge
	wait_for 5 exceptions
	diff <(echo "$before") <(explained)
	for vip in "$VIP4" "$VIP6"; do [[ $(upload "$vip" 10) == "$LARGE" ]]; done
	[[ $(on "$CLIENT" ip route get "$VIP4") != *mtu* ]]
	tunnelled '$ a advmss: 1400'
	[[ $(explained) == *'"mtu":1480'*'"mtu":1460'* ]]
	for vip in "$VIP4" "$VIP6"; do [[ $(upload "$vip" 10) == "$LARGE" ]]; done
	exceptions
	on "$LB" ip route flush cache
	on "$LB" ip -6 route flush cache
	settings
	announce
}

@test "one forged error to the load balancer's own address narrows nothing: generic" {
	unmoved generic
}

@test "one forged error to the load balancer's own address narrows nothing: native" {
	unmoved native
}
