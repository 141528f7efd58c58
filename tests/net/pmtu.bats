#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# A narrow leg between the backends and the client: the router reports it to
# the VIP, and the report must reach the backend that sent the packet.

load lib

LARGE=1000000 # bytes; more than one window

setup_file() {
	local backend
	network
	attach
	for backend in "${BACKENDS[@]}"; do
		on "$backend" sh -c "head -c $LARGE /dev/zero >/run/nginx/files/large"
	done
}

teardown_file() {
	network_down
}

setup() {
	local backend
	# A path MTU learned in the test before would hide the fault.
	for backend in "${BACKENDS[@]}"; do
		on "$backend" ip route flush cache
		on "$backend" ip -6 route flush cache
	done
	on "$ROUTER" ip route replace "$VIP4" via 172.17.0.2
	on "$ROUTER" ip -6 route replace "$VIP6" via 2001:db8:17::2
	narrow 1500
}

# narrow MTU: sets the MTU of the router's route to the client
narrow() {
	local mtu=$1
	((mtu < 1280)) || on "$ROUTER" ip -6 route replace 2001:db8:17::4 \
		dev eth0 mtu lock "$mtu"
	on "$ROUTER" ip route replace 172.17.0.4 dev eth0 mtu lock "$mtu"
}

# fetch VIP SECONDS: how many bytes of the large file arrive in that time
fetch() {
	on "$CLIENT" curl -s -o /dev/null --max-time "$2" -w '%{size_download}' \
		"$(url "$1" files/large)" || :
}

@test "a download over a leg of MTU 1000 completes (IPv4)" {
	narrow 1000
	local errors
	errors=$(errors_restored)
	[[ $(fetch "$VIP4" 10) == "$LARGE" ]]
	(($(errors_restored) > errors))
}

@test "a download over a leg of MTU 1280 completes (IPv6)" {
	narrow 1280
	[[ $(fetch "$VIP6" 10) == "$LARGE" ]]
}

@test "negative control: if reports do not reach the LB, the download stalls" {
	narrow 1000
	on "$ROUTER" ip route replace blackhole "$VIP4"
	[[ $(fetch "$VIP4" 3) != "$LARGE" ]]
}

# errors_restored: "fragmentation needed" that the backends' kernels took
# shellcheck disable=SC2016
errors_restored() {
	local backend sum=0
	for backend in "${BACKENDS[@]}"; do
		sum=$((sum + $(on "$backend" awk '/^Icmp:/ && $2 ~ /[0-9]/ { print $5 }' \
			/proc/net/snmp)))
	done
	echo "$sum"
}
