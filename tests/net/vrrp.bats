#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# topology/vrrp: two load balancers with the keepalived that
# docs/examples/keepalived.conf shows, as it is. One dies, and connections go on.

bats_require_minimum_version 1.5.0
load lib
# shellcheck source=topology/vrrp/watch.bash
. "$ROOT/topology/vrrp/watch.bash"
PATH=$PATH:$ROOT/build/keepalived/usr/sbin

HELD=40

setup_file() {
	local host
	command -v keepalived >/dev/null || return 0
	network vrrp
	for host in lb1 lb2; do on "$host" LoadBalancer/lbr up >/dev/null; done
	for host in web1 web2 web3; do bkd "$host" up >/dev/null; done
}

teardown_file() {
	[[ ! ${TOPO_RUN-} ]] || network_down
}

setup() {
	command -v keepalived >/dev/null || skip 'no keepalived'
}

teardown() {
	local host
	[[ ! ${talk_PID-} ]] || kill "$talk_PID" 2>/dev/null || :
	for host in lb1 lb2; do
		wire "$host" up
		pair "$host" kill 2>/dev/null || :
		on "$host" sh -c 'ip link delete vrrp.25; ip link delete vrrp.26
			ip address delete 10.0.0.200/32 dev eth0
			ip address delete 2001:db8:10::200/128 dev eth0' 2>/dev/null || :
	done
}

# begins [use_vmac]: lb1 is master, lb2 is there
begins() {
	pair lb1 start "$@" 3>&-
	wait_for 10 has_vips lb1
	pair lb2 start "$@" 3>&-
	for host in lb1 lb2; do on "$host" LoadBalancer/lbr apply >/dev/null; done
	watched "$HELD" 3>&-
}

# goes_on WHAT: connections are held, and new ones come, on a quiet machine within
# a second
goes_on() {
	gap
	echo "# $1: $ms ms" >&3
	((ms < 1000 * ${PATIENCE:-3}))
	advance
	[[ $advanced == "$HELD" ]]
}

# returns: lb1 is master again
returns() {
	wait_for 10 has_vips lb1
	wait_for 10 has_none lb2
	goes_on "and back"
}

# link [use_vmac], killed: lb1 dies in that way
link() {
	wire lb1 down
	wait_for 10 has_vips lb2
	goes_on "the link is down"
	wire lb1 up
	returns
}

killed() {
	pair lb1 kill
	wait_for 10 has_vips lb2
	has_vips lb1 # which nobody takes away
	goes_on "keepalived is killed"
}

unbroken() {
	watched_end
	[[ $said == "$HELD held, "*" 0 broken" ]]
}

@test "the shipped keepalived.conf, VIPs on eth0: held connections go on, new ones come" {
	begins
	pair lb1 stop
	wait_for 10 has_vips lb2
	goes_on "keepalived is stopped"
	pair lb1 start 3>&-
	returns
	link
	killed
	unbroken
}

@test "the same with use_vmac" {
	begins use_vmac
	link
	killed
	unbroken
}

@test "negative control: the other one has no keepalived" {
	pair lb1 start 3>&-
	wait_for 10 has_vips lb1
	on user curl -sS --max-time 5 "http://$vip/" | grep -q 'Site served by node web[123]'
	wire lb1 down
	run ! on user curl -sS --max-time 1 "http://$vip/"
}

# forward METHOD: both ends get the file with that method
forward() {
	local host file=$BATS_TEST_TMPDIR/$1
	{
		echo "lb-sources: [10.0.0.0/24, '2001:db8:10::/64']"
		sed "s/forward: l2/forward: $1/" "$ROOT/topology/vrrp/services.yaml"
	} >"$file"
	for host in web1 web2 web3; do bkd "$host" apply "$file" >/dev/null; done
	on lb1 LoadBalancer/lbr apply "$file" >/dev/null
}

# first COUNT VIP [SECONDS]: so many connections, each with a server whose MAC
# address lb1 does not know
first() {
	local each
	for ((each = 0; each < $1; each++)); do
		on lb1 sh -c 'ip -4 neigh flush dev eth0; ip -6 neigh flush dev eth0'
		aged
		on user curl -sS --max-time "${3:-5}" -o /dev/null "$(url "$2")"
	done
}

@test "no packet is lost for want of a MAC address: rewrite, ipip, l2" {
	local method before
	on lb1 ip address add "$vip/32" dev eth0
	on lb1 ip address add "$vip6/128" dev eth0
	on user ip neigh flush dev eth0
	before=$(syns_again user)
	for method in rewrite ipip l2; do
		forward "$method"
		first 1 "$vip"
		first 1 "$vip6"
	done
	(($(syns_again user) == before))
	(($(on lb1 LoadBalancer/lbr show -j reasons | jq '.reasons[] |
		select(.reason == "neighbour_unresolved").packets') >= 6))
	# negative control
	on lb1 tc filter del dev eth0 ingress
	first 1 "$vip" 1.5 || :
	(($(syns_again user) > before))
	on lb1 LoadBalancer/lbr apply | grep -qx 'eth0: lbr_waiting attached'
}
