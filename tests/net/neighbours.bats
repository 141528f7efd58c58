#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The load balancer's next hops are kept fresh by the kernel: they have a MAC
# address before the first packet, a new one is followed, what is flushed comes
# back with `apply`, and `down` leaves what was there before.

# shellcheck disable=SC2154 # `run`

bats_require_minimum_version 1.5.0
load lib

setup() {
	network
	on "$LB" ip neigh replace 172.17.0.3 dev eth0 managed
	[[ $(neighbours) == *managed* ]] || skip "no managed neighbours before Linux 5.16"
	on "$LB" ip neigh flush all
	on "$LB" ip -6 neigh flush all
}

teardown() {
	network_down
}

neighbours() {
	{
		on "$LB" ip -4 neigh
		on "$LB" ip -6 neigh
	} | grep -v '^fe80' | sed 's/ router//; s/ *$//; s/ \(REACHABLE\|STALE\|DELAY\|PROBE\)$//' | sort
}

# The client may have sent one, because it probes its own gateway.
none_of_router() {
	[[ $(neighbours) != *managed* && $(neighbours) != *:03* ]]
}

four="172.17.0.3 dev eth0 lladdr 02:42:ac:11:00:03"
six="2001:db8:17::3 dev eth0 lladdr 02:42:ac:11:00:03"

@test "next hops have a MAC address before the first packet; down leaves nothing behind" {
	[[ ! $(neighbours) ]]
	run -0 lbr up
	[[ $output == *"neighbour 172.17.0.3 dev eth0: managed"* ]]
	[[ $(neighbours) == "$four managed"$'\n'"$six managed" ]]
	[[ $(lbr show -j next-hops | jq -r '."next-hops"[].managed' | sort | uniq -c) == *"4 true" ]]
	bkd backend0x up >/dev/null
	bkd backend0y up >/dev/null
	get "$VIP4" >/dev/null
	get "$VIP6" >/dev/null
	(($(reason forwarded) > 8 && $(reason neighbour_unresolved) == 0))
	run -0 lbr down
	[[ $output == *"neighbour 172.17.0.3 dev eth0: removed"* ]]
	none_of_router
}

# so that the counter above means something
@test "next hops that were flushed: the kernel forwards the first packet" {
	attach
	on "$LB" ip neigh flush all
	aged
	rises neighbour_unresolved get "$VIP4"
}

@test "next hops that were flushed are managed again after apply, even of the same file" {
	attach
	on "$LB" ip neigh flush all
	on "$LB" ip -6 neigh flush all
	[[ ! $(neighbours) ]]
	[[ $(lbr show -j next-hops | jq -r '."next-hops"[].managed' | sort -u) == false ]]
	run -0 lbr apply -n /etc/l3dsr/services.yaml
	[[ ! $(neighbours) ]]
	lbr apply /etc/l3dsr/services.yaml
	[[ $(neighbours) == "$four managed"$'\n'"$six managed" ]]
	get "$VIP4" >/dev/null
	get "$VIP6" >/dev/null
	(($(reason neighbour_unresolved) == 0))
	lbr down >/dev/null
	none_of_router
}

is() { # STATE
	[[ $(on "$LB" ip neigh show 172.17.0.3 dev eth0) == *managed*"$1"* ]]
}

# The kernel asks again every 5 s for a managed entry that failed.
@test "apply asks again for a next hop that failed, and waits for the answer" {
	on "$LB" sysctl -qw net.ipv4.neigh.eth0.mcast_solicit=1
	on "$ROUTER" ip link set dev eth0 arp off
	attach
	wait_for 5 is FAILED
	wait_for 10 is INCOMPLETE # the kernel asks: its next request is seconds away
	wait_for 5 is FAILED
	on "$ROUTER" ip link set dev eth0 arp on
	lbr apply
	[[ $(neighbours) == *"$four managed"* ]]
}

carrier_is() { # 0|1
	[[ $(on "$LB" cat /sys/class/net/eth0/carrier) == "$1" ]]
}

@test "a loss of carrier removes no next hop, without any process" {
	attach
	ip -n "wires-$TOPO_RUN" link set "$LB-eth0" down
	wait_for 5 carrier_is 0
	[[ $(neighbours) == "$four managed"$'\n'"$six managed" ]]
	ip -n "wires-$TOPO_RUN" link set "$LB-eth0" up
	wait_for 5 carrier_is 1
	aged
	wait_for 5 get "$VIP4" --max-time 0.3
	wait_for 5 get "$VIP6" --max-time 0.3
	(($(reason neighbour_unresolved) == 0))
	[[ $(on "$LB" cat /proc/sys/net/ipv4/conf/eth0/arp_evict_nocarrier) == 0 ]]
	lbr down >/dev/null
	[[ $(on "$LB" cat /proc/sys/net/ipv4/conf/eth0/arp_evict_nocarrier) == 1 ]]
	[[ $(on "$LB" cat /proc/sys/net/ipv6/conf/eth0/ndisc_evict_nocarrier) == 1 ]]
}

@test "an entry that was there before up is there after down, no longer managed" {
	on "$LB" ping -q -c 1 172.17.0.3
	[[ $(neighbours) == "$four" ]]
	on "$LB" ip neigh replace 2001:db8:17::3 dev eth0 \
		lladdr 02:42:ac:11:00:03 nud permanent
	attach
	attach # twice
	[[ $(neighbours) == "$four managed"$'\n'"$six PERMANENT" ]]
	lbr down >/dev/null
	[[ $(neighbours) == "$four"$'\n'"$six PERMANENT" ]]
}

@test "an entry that somebody else made managed stays managed after down" {
	on "$LB" ip neigh replace 172.17.0.3 dev eth0 managed
	attach
	lbr down >/dev/null
	[[ $(neighbours) == "$four managed" ]]
}

@test "apply lets go of next hops that only the file before needed" {
	attach
	on "$LB" ip route add 172.19.0.4 via 172.17.0.4
	lbr apply /etc/l3dsr/services.yaml
	[[ $(neighbours) == *"172.17.0.4 dev eth0"*managed* ]]
	services "$BATS_TEST_TMPDIR/one" '/address: 172.19.0.4/d'
	run -0 lbr apply "$BATS_TEST_TMPDIR/one"
	# flows of a backend that is being removed may be on their way
	[[ $output != *"neighbour 172.17.0.4 dev eth0: removed"* ]]
	run -0 lbr apply --now "$BATS_TEST_TMPDIR/one"
	[[ $output == *"neighbour 172.17.0.4 dev eth0: removed"* ]]
	[[ $(neighbours) == "$four managed"$'\n'"$six managed" ]]
	lbr down >/dev/null
	[[ ! $(neighbours) ]]
}

@test "all next hops of a route with several are managed" {
	on "$LB" ip route replace 172.19.0.0/16 nexthop via 172.17.0.3 nexthop via 172.17.0.4
	on "$LB" ip -6 route replace 2001:db8:19::/64 \
		nexthop via 2001:db8:17::3 nexthop via 2001:db8:17::4
	lbr up >/dev/null
	(($(neighbours | grep -c managed) == 4))
	lbr down >/dev/null
	[[ ! $(neighbours) ]]
}

mac_is() { # MAC
	[[ $(on "$LB" ip neigh show 172.17.0.3) == *"lladdr $1 "* ]]
}

# The change is not announced: an entry that is not managed would keep the old
# address.
changes_silently() {
	on "$ROUTER" sysctl -qw net.ipv4.conf.eth0.arp_notify=0
	on "$ROUTER" ip link set eth0 address 02:42:ac:11:00:33
	on "$CLIENT" ip neigh flush all # the client's own way back is not tested here
}

@test "a next hop's MAC address that changes silently is followed" {
	on "$LB" sysctl -qw net.ipv4.neigh.eth0.base_reachable_time_ms=1000
	on "$LB" sysctl -qw net.ipv4.neigh.eth0.delay_first_probe_time=1
	on "$LB" sysctl -qw net.ipv4.neigh.eth0.interval_probe_time_ms=500 || :
	attach
	get "$VIP4" >/dev/null
	mac_is 02:42:ac:11:00:03
	changes_silently
	wait_for 30 mac_is 02:42:ac:11:00:33
	wait_for 10 get "$VIP4" --max-time 1
	balanced "$VIP4" 20 1 19
}

@test "a route of IPv4 by a gateway of IPv6: served, and shown with that gateway" {
	on "$LB" ip route replace 172.19.0.0/16 via inet6 2001:db8:17::3 dev eth0
	attach
	get "$VIP4" >/dev/null
	(($(reason forwarded) > 4 && $(reason neighbour_unresolved) == 0))
	[[ $(lbr show -j next-hops | jq -r '."next-hops"[].via' | sort -u) == 2001:db8:17::3 ]]
	lbr down >/dev/null
	none_of_router
}
