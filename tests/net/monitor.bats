#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The host changes under the programs: `lbr run` follows at once (it is to be
# within 0.2 s on a machine that has time; each test prints what it took), and
# where it does not run, `apply` says what is wrong.

# shellcheck disable=SC2030,SC2031,SC2154 # `run`

bats_require_minimum_version 1.5.0
load lib
load run

setup() {
	services "$BATS_TEST_TMPDIR/services.yaml"
}

teardown() {
	run_end
}

namespace() {
	echo "$LB-$TOPO_RUN"
}

begin() {
	run_begin "$BATS_TEST_TMPDIR/services.yaml"
}

# deletes eth0 and makes it again, with everything that was on it
again() {
	local lb
	lb=$(namespace)
	ip -n "$lb" link del eth0
	ip link add "$LB-eth0" netns "wires-$TOPO_RUN" type veth peer name eth0 netns "$lb"
	ip -n "wires-$TOPO_RUN" link set "$LB-eth0" master front up
	ip -n "$lb" link set eth0 address 02:42:ac:11:00:02
	addresses
}

addresses() {
	local lb
	lb=$(namespace)
	ip -n "$lb" address replace 172.17.0.2/16 dev eth0
	ip -n "$lb" address replace 2001:db8:17::2/64 dev eth0 nodad
	ip -n "$lb" link set eth0 up
	ip -n "$lb" route replace 172.19.0.0/16 via 172.17.0.3
	ip -n "$lb" -6 route replace 2001:db8:19::/64 via 2001:db8:17::3
}

managed() { # COUNT
	(($(on "$LB" ip neigh show | grep -c managed) >= $1))
}

# said_of_flushed REGEX: flushes the neighbours. Until `run` has looked for the
# first time, it only finds a neighbour missing, and does not report that it was
# there.
said_of_flushed() {
	on "$LB" ip neigh flush all
	on "$LB" ip -6 neigh flush all
	run_said "$1"
}

@test "neighbours that are flushed become managed again; also after a loss of carrier" {
	managed 1 || skip "no managed neighbours before Linux 5.16"
	begin
	followed said_of_flushed '172.17.0.3 dev eth0: was gone; managed again'
	followed said_of_flushed '2001:db8:17::3 dev eth0: was gone; managed again'
	followed managed 1
	ip -n "$(namespace)" link set eth0 down
	addresses
	followed get "$VIP4" --max-time 0.5
	followed get "$VIP6" --max-time 0.5
}

@test "an interface that is made again is attached again, and its settings are made again" {
	begin
	again
	followed run_said 'eth0: xdp_lbr is no longer attached'
	followed run_said 'eth0: xdp_lbr attached again, generic'
	followed get "$VIP4" --max-time 0.5
	followed get "$VIP6" --max-time 0.5
	[[ $(lbr show -j interfaces | jq -r '.interfaces[].interface') == eth0 ]]
	on "$LB" curl -s http://127.0.0.1:8404/metrics | grep -qx 'lbr_attached_interfaces 1'
	[[ $(on "$LB" cat /proc/sys/net/ipv4/conf/eth0/forwarding) == 1 ]]
}

detach() { # detaches the link, as somebody else would
	on "$LB" bpftool link detach pinned "/sys/fs/bpf/l3dsr/lbr-$LAYOUT/link-eth0"
}

@test "detached by somebody else, the program is attached again; the second time it is left alone" {
	begin
	detach
	wait_for 8 run_said 'eth0: xdp_lbr attached again, generic'
	get "$VIP4" >/dev/null
	detach
	wait_for 8 run_said 'xdp_lbr on eth0: changed back twice within 60 s'
	run -1 lbr apply "$BATS_TEST_TMPDIR/services.yaml"
	lbr doctor | grep -A1 'eth0: the interface was removed, or xdp_lbr from it' | grep -q 'lbr up'
	lbr up >/dev/null
	get "$VIP4" >/dev/null
	lbr doctor | grep -q 'nobody has set anything back'
}

@test "... without lbr run, apply fails and says what helps, and up mends it" {
	again
	run -1 lbr apply "$BATS_TEST_TMPDIR/services.yaml"
	[[ $output == *"cannot find xdp_lbr on eth0: the interface was removed, or xdp_lbr from it"*"try: lbr up"* ]]
	lbr doctor | grep -A1 'eth0: the interface was removed' | grep -q 'lbr up'
	lbr up >/dev/null
	get "$VIP4" >/dev/null
	lbr apply "$BATS_TEST_TMPDIR/services.yaml"
}

@test "an interface that is gone for good is forgotten after down -i" {
	on "$LB" ip link add spare0 type veth peer name spare1
	lbr up -i eth0 -i spare0 >/dev/null
	on "$LB" ip link del spare0
	run -1 lbr apply "$BATS_TEST_TMPDIR/services.yaml"
	[[ $output == *"down -i spare0"* ]]
	lbr down -i spare0
	lbr apply "$BATS_TEST_TMPDIR/services.yaml"
}

# keeps_the_gone HOST TOOL: attached to eth0 and to an interface that is then
# deleted
keeps_the_gone() {
	local program=xdp_$2 tool=("$2")
	[[ $2 == lbr ]] || tool=(bkd "$1")
	on "$1" ip link add spare0 type veth peer name spare1
	"${tool[@]}" up -i eth0 -i spare0 >/dev/null
	on "$1" ip link del spare0
	run -0 "${tool[@]}" down -i eth0
	[[ $output == *"eth0: $program detached"* ]]
	[[ $output == *"spare0: gone; $program stays up for it (to end that: $2 down)"* ]]
	"${tool[@]}" show >/dev/null
	# once it is made again, up attaches to it
	on "$1" ip link add spare0 type veth peer name spare1
	run -0 "${tool[@]}" up
	[[ $output == *"spare0: $program attached"* && $output != *eth0:* ]]
	"${tool[@]}" up -i eth0 >/dev/null
	get "$VIP4" >/dev/null
	# if it is given up with down -i, only eth0 remains
	on "$1" ip link del spare0
	"${tool[@]}" down -i spare0
	"${tool[@]}" show >/dev/null
	"${tool[@]}" down -i eth0
	run -1 "${tool[@]}" show
	"${tool[@]}" up >/dev/null
}

@test "down -i of the last interface that exists: up stays for one that is gone for now" {
	keeps_the_gone "$LB" lbr
	keeps_the_gone backend0x bkd
	get "$VIP4" >/dev/null
}

@test "a renamed interface has its new name everywhere, and down puts back its settings" {
	local verb
	on "$LB" ip link set eth0 name wan0 ||
		skip "this kernel renames nothing that is up (Linux 6.2 does)"
	[[ $(lbr show -j interfaces | jq -r '.interfaces[].interface') == wan0 ]]
	run -0 lbr apply "$BATS_TEST_TMPDIR/services.yaml"
	[[ $output == *"eth0: is called wan0 now"* ]]
	for verb in up "up -i wan0"; do
		# shellcheck disable=SC2086
		run -0 lbr $verb
		[[ $output == *"wan0: xdp_lbr attached"* ]]
	done
	run ! grep -q eth0 <<<"$(lbr doctor)"
	get "$VIP4" >/dev/null
	begin_renamed
	run -0 lbr down
	[[ $(on "$LB" cat /proc/sys/net/ipv4/conf/eth0/forwarding) == 0 ]]
	lbr up -c "$BATS_TEST_TMPDIR/services.yaml" >/dev/null
}

# lbr run reports the new name
begin_renamed() {
	run_begin "$BATS_TEST_TMPDIR/services.yaml"
	on "$LB" ip link set wan0 name eth0
	followed run_said 'wan0: is called eth0 now'
	run_signal TERM
	run_status >/dev/null
}

@test "a MAC address that changes: frames for the new one are accepted" {
	begin
	on "$LB" ip link set eth0 address 02:42:ac:11:00:22
	followed run_said 'eth0: frames for 02:42:ac:11:00:22 are taken'
	on "$CLIENT" ip neigh flush all
	followed get "$VIP4" --max-time 0.5
	on "$LB" ip link set eth0 address 02:42:ac:11:00:02
	followed run_said 'eth0: frames for 02:42:ac:11:00:02 are taken'
	on "$CLIENT" ip neigh flush all
	on "$ROUTER" ip neigh flush all
	get "$VIP4" >/dev/null
}

# shellcheck disable=SC2016
syns_again() { # SYNs that the client has sent again
	on "$CLIENT" awk '/^TcpExt:/ && !n { n = split($0, name) ; next }
		/^TcpExt:/ { for (i = 1; i <= n; i++) if (name[i] == "TCPSynRetrans") print $i }' \
		/proc/net/netstat
}

# keepalived's use_vmac: frames come for the macvlan's MAC address. Left to
# itself, the kernel would drop those that it has to forward, because forwarding
# is off there and rp_filter is strict.
@test "a macvlan that appears: frames for it are accepted, and the kernel forwards those that are handed to it" {
	local mac=00:00:5e:00:01:07 vip before sent_again
	# Before 5.13, generic XDP does not tell the kernel that a rewritten
	# frame is for this host.
	since 5.13 || skip "what is handed up keeps its MAC address before Linux 5.13"
	begin
	on "$LB" sysctl -qw net.ipv4.conf.all.rp_filter=1
	on "$LB" ip link add vrrp7 link eth0 address "$mac" type macvlan mode private
	on "$LB" ip link set vrrp7 up
	followed run_said "eth0: frames for $mac are taken"
	run_end
	on "$CLIENT" ip neigh replace 172.17.0.2 dev eth0 lladdr "$mac" nud permanent
	on "$CLIENT" ip neigh replace 2001:db8:17::2 dev eth0 lladdr "$mac" nud permanent
	for vip in "$VIP4" "$VIP6"; do
		on "$LB" ip neigh flush all
		on "$LB" ip -6 neigh flush all
		aged
		before=$(lbr show -j reasons) sent_again=$(syns_again)
		get "$vip"
		[[ $(syns_again) == "$sent_again" ]] # no SYN was lost
		(($(rose neighbour_unresolved) > 0))
	done
	on "$LB" ip link del vrrp7
	on "$LB" sysctl -qw net.ipv4.conf.all.rp_filter=0
	on "$CLIENT" ip neigh del 172.17.0.2 dev eth0
	on "$CLIENT" ip neigh del 2001:db8:17::2 dev eth0
	lbr apply "$BATS_TEST_TMPDIR/services.yaml"
}

@test "addresses added after up are used as sources; a VIP never is" {
	local lb
	lb=$(namespace)
	sed -i 's/forward: rewrite.*/forward: ipip/' "$BATS_TEST_TMPDIR/services.yaml"
	echo 'lb-sources: [172.17.0.2, "2001:db8:17::2"]' >>"$BATS_TEST_TMPDIR/services.yaml"
	ip -n "$lb" -4 address flush dev eth0
	ip -n "$lb" address add "$VIP4/32" dev eth0
	lbr up -c "$BATS_TEST_TMPDIR/services.yaml" >/dev/null
	for host in "${BACKENDS[@]}"; do bkd "$host" apply "$BATS_TEST_TMPDIR/services.yaml"; done
	begin
	addresses
	followed run_said 'eth0: IPv4 is sent from 172.17.0.2, not nowhere'
	followed get "$VIP4" --max-time 0.5
	# its ICMP errors come from that address, too
	[[ $(on "$CLIENT" /usr/bin/python3 tests/net/offender.py "$VIP4" udp 1) == "172.17.0.2 11 0" ]]
	ip -n "$lb" address del "$VIP4/32" dev eth0
	run_end
	services "$BATS_TEST_TMPDIR/services.yaml"
	attach generic "$BATS_TEST_TMPDIR/services.yaml"
}

@test "with a second next hop, or a rule, next hops are cached for each flow; afterwards for each backend again" {
	begin
	on "$LB" ip route replace 172.19.0.0/16 nexthop via 172.17.0.3 nexthop via 172.17.0.4
	followed run_said 'next hops: one for each flow now: a route'
	! managed 1 || followed run_said 'neighbour 172.17.0.4 dev eth0: managed'
	cached_by flow
	on "$LB" ip route replace 172.19.0.0/16 via 172.17.0.3
	followed run_said 'next hops: one for each backend now'
	on "$LB" ip rule add from 10.0.0.0/8 lookup main
	# the second, if it came too soon after the last look for all to be read again
	followed run_said 'next hops: one for each flow now: a (rule|route or a rule)'
	on "$LB" ip rule del from 10.0.0.0/8 lookup main
	followed cached_by backend
}

cached_by() { # HOW
	[[ $(lbr show -j next-hops | jq -r '."next-hops"[0]."cached-by"') == "$1" ]]
}

@test "without lbr run, doctor says that routes have changed since up or apply" {
	on "$LB" ip route replace 172.19.0.0/16 nexthop via 172.17.0.3 nexthop via 172.17.0.4
	lbr doctor | grep -A1 'a route has several next hops' | grep -q 'lbr apply'
	on "$LB" ip route replace 172.19.0.0/16 via 172.17.0.3
	run ! grep -q 'several next hops' <<<"$(lbr doctor)"
}

# ticks NAME: CPU time that lbr run has used, in units of 10 ms
ticks() {
	awk '{ print $14 + $15 }' "/proc/$(<"$RUN.pid")/stat"
}

@test "four thousand routes that lead to no backend: lbr run does nothing" {
	local i before
	begin
	for ((i = 0; i < 4000; i++)); do
		echo "route add 10.$((i >> 8)).$((i & 255)).0/24 via 172.17.0.3"
	done >"$BATS_TEST_TMPDIR/routes"
	before=$(ticks)
	on "$LB" ip -batch "$BATS_TEST_TMPDIR/routes"
	sed -i 's/ add / del /' "$BATS_TEST_TMPDIR/routes"
	on "$LB" ip -batch "$BATS_TEST_TMPDIR/routes"
	# it still hears of changes
	on "$LB" ip neigh flush all
	followed run_said 'was gone; managed again'
	echo "$(($(ticks) - before)) ticks"
	(($(ticks) - before < 100))
	run ! run_said 'next hops'
}

lost() { # netlink messages for which a socket had no room
	# shellcheck disable=SC2016
	on "$LB" awk 'NR > 1 { n += $9 } END { print n + 0 }' /proc/net/netlink
}

@test "where lbr run cannot listen and messages are lost, it looks at everything" {
	local i
	begin
	run_signal STOP
	for ((i = 0; i < 6000; i++)); do
		echo "link set dev lo txqueuelen $((1000 + i % 2))"
	done >"$BATS_TEST_TMPDIR/links"
	on "$LB" ip -batch "$BATS_TEST_TMPDIR/links"
	on "$LB" ip route replace 172.19.0.0/16 nexthop via 172.17.0.3 nexthop via 172.17.0.4
	(($(lost) > 0))
	run_signal CONT
	followed run_said 'next hops: one for each flow now'
	on "$LB" ip route replace 172.19.0.0/16 via 172.17.0.3
	followed run_said 'next hops: one for each backend now'
}

setting() {
	on "$LB" cat "/proc/sys/net/ipv4/conf/eth0/$1"
}

settled() { # NAME VALUE
	[[ $(setting "$1") == "$2" ]]
}

# the time of day, for what is started by clock=(...) below
clock_ahead() { # SECONDS
	echo "$1" >"$BATS_TEST_TMPDIR/ahead"
}

@test "a setting that somebody sets back is set again; the second time it is left alone" {
	local clock=$BATS_TEST_TMPDIR/clock.so
	cc -shared -fPIC -o "$clock" tests/net/clock.c
	clock=(env LD_PRELOAD="$clock" CLOCK_AHEAD="$BATS_TEST_TMPDIR/ahead")
	clock_ahead 0
	run_begin "$BATS_TEST_TMPDIR/services.yaml" "${clock[@]}"
	on "$LB" sysctl -qw net.ipv4.conf.eth0.forwarding=0
	followed settled forwarding 1
	# no event tells about this setting
	on "$LB" sysctl -qw net.ipv4.conf.eth0.send_redirects=1
	wait_for 8 settled send_redirects 0
	# The time of day is set meanwhile, which makes a second no hour.
	clock_ahead 3600
	on "$LB" sysctl -qw net.ipv4.conf.eth0.forwarding=0
	followed run_said 'eth0/forwarding: changed back twice within 60 s by somebody else'
	settled forwarding 0
	lbr doctor | grep -A1 'eth0/forwarding: somebody else has set it back twice' |
		grep -q 'lbr apply'
	lbr apply "$BATS_TEST_TMPDIR/services.yaml"
	settled forwarding 1
	lbr doctor | grep -q 'nobody has set anything back'
	# What was a moment ago still was, by the new time.
	on "$LB" "${clock[@]}" LoadBalancer/lbr show -j backends |
		jq -e --argjson at "$(date +%s)" '[.backends[].since] | min > $at + 1800 and max <= $at + 3600'
}
