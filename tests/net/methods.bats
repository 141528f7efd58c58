#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The forwarding methods beside plain rewrite, with real nginx and curl: that
# requests, uploads and datagrams come back; what is on the wire before the
# backend; and that a direct connection to the backend's own service port,
# which rewrite spoils, is left alone.

# shellcheck disable=SC2154 # `run`

bats_require_minimum_version 1.5.0
load lib

NEAR4=172.19.0.3 NEAR6=2001:db8:19::3 # backend0x
SOURCES="lb-sources: ['172.17.0.0/16', '2001:db8:17::/64']"

setup_file() {
	network --native
	export RUN_l3dsr=$TOPO_RUN
	# Uploads have to fit although another header is added.
	local backend
	for backend in "${BACKENDS[@]}"; do
		on "$backend" ip route change default via 172.19.0.2 advmss 1400
		on "$backend" ip -6 route change default via 2001:db8:19::2 \
			advmss 1380
	done
	network --native twolegged
	export RUN_twolegged=$TOPO_RUN
	head -c 2M /dev/urandom >"$BATS_FILE_TMPDIR/2M"
}

teardown_file() {
	networks_down l3dsr twolegged
}

teardown() {
	sniff_end
}

# file KEYS...: the scenario's file with these keys in each service
file() {
	local more='' key head=''
	for key; do
		case $key in
		lb-sources*) head=$key ;;
		*) more+="\\n    $key" ;;
		esac
	done
	services "$BATS_TEST_TMPDIR/file" "s/^    forward: rewrite.*/${more#\\n}/"
	[[ ! $head ]] || echo "$head" >>"$BATS_TEST_TMPDIR/file"
}

# with SCENARIO KEYS...: attaches both programs in that scenario, with these
# keys
with() {
	local name=RUN_$1
	export TOPO_RUN=${!name}
	file "${@:2}"
	attach native "$BATS_TEST_TMPDIR/file"
	# resolves the neighbours; every method but rewrite needs them before
	local via
	for via in 172.17.0.3 2001:db8:17::3 "${BACKENDS_AT[@]}"; do
		wait_for 10 on "$LB" ping -q -c 1 -W 1 "$via"
	done
}
BACKENDS_AT=(172.19.0.3 172.19.0.4 2001:db8:19::3 2001:db8:19::4)

# bkd_reason NAME: the sum over both backends
bkd_reason() {
	local backend sum=0
	for backend in "${BACKENDS[@]}"; do
		sum=$((sum + $(reason "$1" "$backend")))
	done
	echo "$sum"
}

# serves REASON: 40 requests, 20 datagrams and an upload work, by IPv4 and IPv6;
# xdp_bkd counts them under REASON
serves() {
	local vip server before
	before=$(bkd_reason "$1")
	for vip in "$VIP4" "$VIP6"; do
		balanced "$vip" 40 4 36
		echoes "$vip" 20 | shared 20 1 19
		server=$(on "$CLIENT" curl -sSf --max-time 30 -o /dev/null -D - \
			-T "$BATS_FILE_TMPDIR/2M" "$(url "$vip" upload/2M)" |
			tr -d '\r' | sed -n 's/^Server-Name: //p')
		on "$server" cat /run/nginx/files/2M | cmp - "$BATS_FILE_TMPDIR/2M"
	done
	(($(bkd_reason "$1") - before > 40 * 4 * 2))
}

# direct: connections to the backend's own address and service port are left
# alone
direct() {
	get "$NEAR4" >/dev/null
	get "$NEAR6" >/dev/null
}

# asked NAME REGEX VIP
asked() {
	get "$3" >/dev/null
	seen "$1" "$2"
}

# shows REGEX VIP: a request to VIP, captured at backend0x's port, matches
shows() {
	sniff wire wires backend0x-eth0
	wait_for 20 asked wire "$1" "$2"
	sniff_end
}

@test "dscp: serves; the mark is on the wire; direct connections are left alone" {
	with l3dsr "forward: dscp" "dscp: 10"
	serves restored
	direct
	shows "tos 0x28,.* 172.17.0.4.* > $NEAR4.80:" "$VIP4"
	shows "class 0x28,.* 2001:db8:17::4.* > $NEAR6.80:" "$VIP6"
}

@test "dscp: negative control: without xdp_bkd no answer" {
	with l3dsr "forward: dscp" "dscp: 10"
	bkd backend0x down >/dev/null
	bkd backend0y down >/dev/null
	run ! get "$VIP4" --max-time 0.5
	run ! get "$VIP6" --max-time 0.5
}

@test "ipip: serves; the outer header is on the wire; direct connections are left alone" {
	with l3dsr "forward: ipip" "$SOURCES"
	serves decapsulated
	direct
	shows "172.17.0.2 > $NEAR4: .*172.17.0.4.* > $VIP4.80:" "$VIP4"
	shows "2001:db8:17::2 > $NEAR6: .*2001:db8:17::4.* > $VIP6.80:" "$VIP6"
}

@test "ipip: IPv4 in IPv6 and IPv6 in IPv4" {
	file "forward: ipip" "$SOURCES"
	# every service gets backends of the other family
	awk '/vip: [0-9.]*$/ { six = 1 } /vip: .*:/ { six = 0 }
		/address:/ { sub(/address: [^,]*[34],/, "address: " (six ? \
			"2001:db8:19::" : "172.19.0.") substr($0, \
			index($0, ",") - 1, 1) ",") } { print }' \
		"$BATS_TEST_TMPDIR/file" >"$BATS_TEST_TMPDIR/cross"
	with l3dsr "forward: ipip" "$SOURCES"
	lbr apply "$BATS_TEST_TMPDIR/cross"
	bkd backend0x apply "$BATS_TEST_TMPDIR/cross"
	bkd backend0y apply "$BATS_TEST_TMPDIR/cross"
	serves decapsulated
	shows "2001:db8:17::2 > $NEAR6: .*172.17.0.4.* > $VIP4.80:" "$VIP4"
	shows "172.17.0.2 > $NEAR4: .*2001:db8:17::4.* > $VIP6.80:" "$VIP6"
}

@test "ipip: negative control: a source that is not in lb-sources gets no answer" {
	with l3dsr "forward: ipip" "$SOURCES"
	get "$VIP4" >/dev/null
	file "forward: ipip" "lb-sources: [172.18.0.0\\/16]"
	sed -i 's,\\/,/,' "$BATS_TEST_TMPDIR/file"
	local backend before
	for backend in "${BACKENDS[@]}"; do
		bkd "$backend" apply "$BATS_TEST_TMPDIR/file"
	done
	before=$(bkd_reason foreign_source)
	run ! get "$VIP4" --max-time 0.5
	(($(bkd_reason foreign_source) > before))
}

@test "l2: serves; the VIP is on the wire; direct connections are left alone" {
	with twolegged "forward: l2"
	serves delivered
	direct
	shows "172.17.0.4.* > $VIP4.80:" "$VIP4"
	shows "2001:db8:17::4.* > $VIP6.80:" "$VIP6"
}

@test "l2: negative control: a backend behind a router is not reached" {
	with l3dsr "forward: l2"
	rises off_link get "$VIP4" --max-time 0.5
	rises off_link get "$VIP6" --max-time 0.5
	run ! get "$VIP4" --max-time 0.5
}

@test "negative control: rewrite breaks the direct connection" {
	with l3dsr "forward: rewrite"
	serves restored
	run ! get "$NEAR4" --max-time 0.5
	run ! get "$NEAR6" --max-time 0.5
}

# A next hop without a MAC address gets one because of the packets that need it,
# without lbr run or apply. None is lost: a SYN would be sent again after a second.
unresolved() { # SCENARIO KEYS...
	local vip before
	with "$1" "${@:2}"
	on "$LB" ip neigh flush all
	on "$LB" ip -6 neigh flush all
	aged
	before=$(syns_again "$CLIENT")
	for vip in "$VIP4" "$VIP6"; do
		rises neighbour_unresolved get "$vip" --max-time 3
		get "$vip" --max-time 3
	done
	(($(syns_again "$CLIENT") == before))
}

@test "ipip: a next hop without a MAC address is asked for it" {
	unresolved l3dsr "forward: ipip" "$SOURCES"
}

@test "l2: backends without a MAC address are asked for it" {
	unresolved twolegged "forward: l2"
}

# A router's report of a narrow link reaches the backend, whatever the method.
narrow() { # METHOD KEYS...
	with l3dsr "forward: $1" "${@:2}"
	on "$ROUTER" ip route replace "$VIP4" via 172.17.0.2
	on "$ROUTER" ip route replace 172.17.0.4 dev eth0 mtu lock 1000
	local backend got
	for backend in "${BACKENDS[@]}"; do
		on "$backend" ip route flush cache
		on "$backend" sh -c "head -c 1000000 /dev/zero >/run/nginx/files/large"
	done
	got=$(on "$CLIENT" curl -s -o /dev/null --max-time 10 \
		-w '%{size_download}' "$(url "$VIP4" files/large)")
	on "$ROUTER" ip route del 172.17.0.4
	on "$ROUTER" ip route del "$VIP4"
	((got == 1000000))
}

@test "a download over a leg of MTU 1000 completes: dscp" {
	narrow dscp "dscp: 10"
}

@test "a download over a leg of MTU 1000 completes: ipip" {
	narrow ipip "$SOURCES"
}
