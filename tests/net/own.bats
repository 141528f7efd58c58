#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The kernel of the load balancer and its VIPs: what is its own reaches it, and
# what it would send back is not handed to it.

# shellcheck disable=SC2030,SC2031,SC2154 # `run` and its friends

load lib
load ssh
bats_require_minimum_version 1.5.0

OWN=172.17.0.2 # the load balancer's only IPv4 address
OWN6=2001:db8:17::2

setup_file() {
	network
	local backend
	for backend in "${BACKENDS[@]}"; do
		bkd "$backend" up -m generic >/dev/null
	done
	serve_ssh "$BATS_FILE_TMPDIR/ssh.pid"
}

teardown_file() {
	[[ ! -e $BATS_FILE_TMPDIR/ssh.pid ]] ||
		kill "$(<"$BATS_FILE_TMPDIR/ssh.pid")" 2>/dev/null || :
	network_down
}

teardown() {
	lbr down >/dev/null 2>&1 || :
	on "$LB" ip route del default 2>/dev/null || :
	on "$LB" ip -6 route del default 2>/dev/null || :
	on "$LB" ip route del "$VIP4" 2>/dev/null || :
	on "$ROUTER" ip route del "$VIP4" 2>/dev/null || :
	on "$ROUTER" ip -6 route del "$VIP6" 2>/dev/null || :
	on "$CLIENT" ip route replace "$VIP4" via "$OWN"
	on "$CLIENT" ip -6 route replace "$VIP6" via "$OWN6"
}

# own_file FILE [LINE...]: a file with port 80 of the load balancer's own
# addresses
own_file() {
	{
		(($# == 1)) || printf '%s\n' "${@:2}"
		cat <<-EOF
			services:
			  - {vip: $OWN, port: 80, backends: [{address: 172.19.0.3}]}
			  - {vip: '$OWN6', port: 80, backends: [{address: '2001:db8:19::3'}]}
		EOF
	} >"$1"
}

pings() { # ADDRESS
	on "$LB" ping -qc1 -W1 "$1" >/dev/null
}

@test "a VIP that is the only address: SSH to it, and its own pings, go on" {
	local file=$BATS_TEST_TMPDIR/own.yaml
	own_file "$file"
	ssh "$OWN" && ssh "$OWN6" # while no program is attached
	run -0 lbr check "$file"
	[[ $output == *"note: VIP $OWN is an address of this host"* ]]
	run -0 lbr up -m generic -c "$file"
	[[ $output == *"note: VIP $OWN is an address of this host"* ]]
	rises local_passed ssh "$OWN"
	ssh "$OWN" && ssh "$OWN6"
	pings 172.17.0.3 && pings 2001:db8:17::3
	run lbr doctor -c "$file" -j
	[[ $(jq -r '.examinations[] | select(.examination == "own-vips").result' <<<"$output" |
		sort -u) == ok ]]
	rises forwarded on "$CLIENT" curl -sm 0.2 "http://$OWN/"
}

@test "... and unmatched: drop cuts it off; check, up and doctor say so" {
	local file=$BATS_TEST_TMPDIR/drop.yaml
	own_file "$file" "unmatched: drop"
	run -0 lbr check "$file"
	[[ $output == *"warning: VIP $OWN is an address of this host"* ]]
	run -0 lbr up -m generic -c "$file"
	[[ $output == *"warning: VIP $OWN6 is an address of this host"* ]]
	rises unmatched ssh "$OWN"
	run ! ssh "$OWN"
	run ! pings 172.17.0.3
	run lbr doctor -c "$file" -j
	[[ $(jq -r '.examinations[] | select(.examination == "own-vips").result' <<<"$output" |
		sort -u) == warn ]]
	# The command that doctor prints mends it.
	on "$LB" env PATH="$ROOT/LoadBalancer:$PATH" bash -c "$(jq -r '.examinations[] |
		select(.examination == "own-vips").try' <<<"$output" | head -n 1)"
	ssh "$OWN" && ssh "$OWN6"
}

# The usual one-armed network: the router sends the VIP to the load balancer,
# whose default route is that router.
through_the_router() {
	# ... which would send the client a redirect to the shorter path.
	on "$CLIENT" sysctl -qw net.ipv4.conf.all.accept_redirects=0 \
		net.ipv4.conf.eth0.accept_redirects=0 \
		net.ipv6.conf.eth0.accept_redirects=0
	on "$ROUTER" ip route replace "$VIP4" via "$OWN"
	on "$ROUTER" ip -6 route replace "$VIP6" via "$OWN6"
	on "$LB" ip route replace default via 172.17.0.3
	on "$LB" ip -6 route replace default via 2001:db8:17::3
	on "$CLIENT" ip route replace "$VIP4" via 172.17.0.3
	on "$CLIENT" ip -6 route replace "$VIP6" via 2001:db8:17::3
}

# stray VIP: sends one datagram for no service; prints how often it reaches the
# router
stray() {
	on "$ROUTER" nft "add table inet stray
		delete table inet stray
		table inet stray {
			chain c { type filter hook prerouting priority -300;
				udp dport 9999 counter; }
		}"
	on "$CLIENT" bash -c "echo >'/dev/udp/$1/9999'"
	wait_for 5 came >/dev/null
	wait_for 5 still
	came
}

came() { # prints how often
	on "$ROUTER" nft list chain inet stray c | grep -o 'packets [1-9][0-9]*' |
		cut -d ' ' -f 2
}

still() {
	local count
	count=$(came)
	aged
	[[ $(came) == "$count" ]]
}

@test "on-all-down: pass: check and doctor warn if the VIP is not an address of this host" {
	local file=$BATS_TEST_TMPDIR/pass.yaml
	services "$file" '0,/    backends:/s//    on-all-down: pass\n    backends:/'
	run -0 lbr check "$file"
	[[ $output == *"VIP $VIP4 is no address of this host: xdp_lbr drops those packets of \`on-all-down: pass\`"* ]]
	[[ $output != *"VIP $VIP6"* ]]
}

@test "unmatched: pass: a stray packet is not sent back to the router" {
	local vip
	through_the_router
	services "$BATS_TEST_TMPDIR/pass.yaml" '1iunmatched: pass'
	run -0 lbr up -m generic -c "$BATS_TEST_TMPDIR/pass.yaml"
	[[ $output == *"note: VIP $VIP4 is no address of this host"* ]]
	run lbr doctor -c "$BATS_TEST_TMPDIR/pass.yaml" -j
	[[ $(jq -r '.examinations[] | select(.examination == "own-vips").result' <<<"$output" |
		sort -u) == warn ]]
	for vip in "$VIP4" "$VIP6"; do
		(($(stray "$vip") == 1))
		rises would_loop stray "$vip"
		get "$vip" >/dev/null
	done
	# A kernel that gets such a packet sends it back, and it loops until its
	# TTL ends.
	lbr down >/dev/null
	on "$LB" sysctl -qw net.ipv4.conf.eth0.forwarding=1
	(($(stray "$VIP4") > 20))
	on "$LB" sysctl -qw net.ipv4.conf.eth0.forwarding=0
}

@test "the MAC address changes: packets for the VIP do not loop" {
	local mac
	mac=$(on "$LB" cat /sys/class/net/eth0/address)
	through_the_router
	lbr up -m generic >/dev/null
	get "$VIP4" >/dev/null
	on "$LB" ip link set eth0 address 02:42:0a:00:00:77
	on "$LB" ip route replace default via 172.17.0.3
	on "$ROUTER" ip neigh flush dev eth0
	on "$LB" ping -qc1 -W1 172.17.0.3 >/dev/null # makes the kernel learn the new address
	rises would_loop stray "$VIP4"
	(($(stray "$VIP4") == 1))
	on "$LB" ip link set eth0 address "$mac"
	on "$ROUTER" ip neigh flush dev eth0
}

# flat: the client asks for the VIPs on its own LAN, by ARP and ND
flat() {
	on "$CLIENT" ip route replace "$VIP4" dev eth0
	on "$CLIENT" ip -6 route replace "$VIP6" dev eth0
	on "$CLIENT" ip neigh flush dev eth0
	on "$CLIENT" ip -6 neigh flush dev eth0
}

# proxies: all of the load balancer's settings that serve claims
proxies() {
	on "$LB" sh -c 'ip neigh show proxy; ip -6 neigh show proxy
		ip route show dev lo; cd /proc/sys/net
		cat ipv4/neigh/eth0/proxy_delay ipv6/neigh/eth0/proxy_delay ipv6/conf/eth0/proxy_ndp'
}

# claims: doctor's result for the claims, and which other host answers
claims() {
	lbr doctor -c "$1" -j | jq -r '.examinations[] | select(.examination == "claims") |
		"\(.result) \(.report)"'
}

@test "claim: arp: hosts of a flat LAN find the VIPs; doctor warns if two hosts claim them" {
	local file=$BATS_TEST_TMPDIR/claim.yaml vip before mac
	services "$file" '1iclaim: arp'
	lbr up -m generic >/dev/null
	flat
	for vip in "$VIP4" "$VIP6"; do run ! get "$vip" --max-time 1; done
	before=$(proxies)
	lbr apply "$file" >"$BATS_TEST_TMPDIR/said"
	grep -q "claim none -> arp" "$BATS_TEST_TMPDIR/said"
	grep -q "$VIP4 dev eth0: answered by ARP" "$BATS_TEST_TMPDIR/said"
	flat
	for vip in "$VIP4" "$VIP6"; do
		get "$vip" >/dev/null
		answers "$vip" 20 --fail-early | shared 20 1 19
	done
	[[ $(claims "$file") == ok* ]]
	# A host that has an entry asks by unicast, and is answered.
	on "$CLIENT" ip -6 neigh show "$VIP6" | grep -qE 'REACHABLE|DELAY|STALE|PROBE'

	# Another host of the LAN answers, too.
	mac=$(on "$ROUTER" cat /sys/class/net/eth0/address)
	on "$ROUTER" ip address add "$VIP4/32" dev eth0
	on "$ROUTER" ip address add "$VIP6/128" dev eth0 nodad
	run claims "$file"
	[[ $output == *warn*"$VIP4 on eth0: $mac answers"* ]]
	[[ $output == *warn*"$VIP6 on eth0: $mac answers"* ]]
	on "$ROUTER" ip address del "$VIP4/32" dev eth0
	on "$ROUTER" ip address del "$VIP6/128" dev eth0

	# Without the key in the file: as it was before.
	lbr apply >/dev/null
	[[ $(proxies) == "$before" ]]
	flat
	for vip in "$VIP4" "$VIP6"; do run ! get "$vip" --max-time 1; done
	lbr apply "$file" >/dev/null
	lbr down >/dev/null
	[[ $(proxies) == "$before" ]]
}

@test "claim: arp: on an interface that is renamed, down undoes everything, too" {
	local file=$BATS_TEST_TMPDIR/claim.yaml before
	services "$file" '1iclaim: arp'
	before=$(proxies)
	lbr up -m generic -c "$file" >/dev/null
	[[ $(proxies) != "$before" ]]
	on "$LB" ip link set eth0 name other
	lbr down >/dev/null
	on "$LB" ip link set other name eth0
	[[ $(proxies) == "$before" ]]
}
