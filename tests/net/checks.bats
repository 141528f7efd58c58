#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Health checks: they go the way that a client's packets go, so they fail where
# a client's would, whatever the application says to who asks it directly.

# shellcheck disable=SC2030,SC2031,SC2154 # `run` and its friends

load lib
load run
load status
load checks
bats_require_minimum_version 1.5.0

# are_found FINDING ADDRESS...: what checks found, when `state` says something
# else
are_found() {
	local address
	for address in "${@:2}"; do
		[[ $(lbr show -j backends | jq -r --arg address "$address" \
			'.backends[] | select(.backend == $address).health' | sort -u) == "$1" ]] || return 1
	done
}

# Ask the application directly.
is_fine() {
	[[ $(on "$LB" curl -sS --max-time 2 "http://$X4:8080/") == fine ]]
}

# fails_until_mended BREAK MEND: between the two, only the path of X is bad
fails_until_mended() {
	run_begin "$FILE"
	wait_for 10 answered
	eval "$1"
	wait_for 5 are down "$X4" "$X6"
	run_said "80/tcp: backend $X4 is down: sent to the backend; no answer from the VIP"
	wait_for 5 are up 172.19.0.4 2001:db8:19::4
	is_fine
	[[ $(answers "$VIP4" 10) == 'backend0y 10' ]]
	[[ $(echoes "$VIP6" 10) == 'backend0y 10' ]]
	eval "$2"
	wait_for 5 are up "$X4" "$X6"
}

@test "a check goes to the VIP through its backend, and the answer comes from the VIP" {
	sniff wire wires "$X-eth0" 'tcp port 80'
	run_begin "$FILE"
	wait_for 5 seen wire "192\.168\.25\.10\.80 > 172\.17\.0\.2\.[0-9]+: Flags \[S\.\]"
	wait_for 5 seen wire "2001:db8:25::10\.80 > 2001:db8:17::2\.[0-9]+: Flags \[S\.\]"
	seen wire "172\.17\.0\.2\.[0-9]+ > 172\.19\.0\.3\.80: Flags \[S\]"
	seen wire "2001:db8:17::2\.[0-9]+ > 2001:db8:19::3\.80: Flags \[S\]"
	sniff_end
	run ! seen wire "172\.17\.0\.2\.[0-9]+ > 172\.19\.0\.4"
	wait_for 5 on "$X" grep -q '^172.17.0.2 [0-9]* 192.168.25.10 80 200 GET / ' /run/nginx/access.log
	# Checks are not in the counters of clients' packets.
	[[ $(lbr show -j backends | jq '[.backends[].packets] | add') == 0 ]]
	wait_for 5 are up "$X4" "$X6" 172.19.0.4 2001:db8:19::4
}

@test "xdp_bkd detached: the path fails, the application is fine" {
	fails_until_mended "bkd $X down" "bkd $X up >/dev/null"
}

@test "VIP off lo: the path fails, the application is fine" {
	fails_until_mended \
		"on $X ip addr del $VIP4/32 dev lo; on $X ip addr del $VIP6/128 dev lo" \
		"on $X ip addr add $VIP4/32 dev lo; on $X ip addr add $VIP6/128 dev lo"
}

@test "way back from the VIP broken: the path fails, the application is fine" {
	fails_until_mended \
		"on $X ip rule add from $VIP4 blackhole; on $X ip -6 rule add from $VIP6 blackhole" \
		"on $X ip rule del from $VIP4 blackhole; on $X ip -6 rule del from $VIP6 blackhole"
}

@test "the application is dead: the path is good; the backend is out at once, and back when it answers" {
	run_begin "$FILE"
	wait_for 10 answered
	on "$X" nginx -p /run/nginx/ -c "$ROOT/topology/l3dsr/nginx.conf" -s stop
	wait_for 5 run_said "10:80/tcp: backend $X4 is down: Connection refused"
	wait_for 5 is_also down "$X4"
	[[ $(answers "$VIP4" 10) == 'backend0y 10' ]]
	on "$X" nginx -p /run/nginx/ -c "$ROOT/topology/l3dsr/nginx.conf" 3>&-
	wait_for 5 are up "$X4" "$X6"
}

# all_down: takes down every backend of the first service
all_down() {
	sed -i '0,/type: http,/s//type: http, status: 500,/' "$FILE"
	sed -i "0,/ *check:/s//    on-all-down: $1\n&/" "$FILE"
	run_begin "$FILE"
	run_signal HUP
	wait_for 5 run_said "10:80/tcp: backend $X4 is down"
	wait_for 5 run_said '10:80/tcp: backend 172.19.0.4 is down'
}

@test "all down: all backends with a good path serve" {
	all_down all
	wait_for 5 is_also 'last resort' 172.19.0.4
	answers "$VIP4" 10 | awk '{ n += $2 } END { exit n != 10 }'
}

@test "all down: drop, and pass" {
	all_down drop
	wait_for 5 is_also down 172.19.0.4
	wait_for 5 is_also down "$X4"
	rises no_backend on "$CLIENT" curl -s --max-time 1 "http://$VIP4/"
	sed -i 's/on-all-down: drop/on-all-down: pass/' "$FILE"
	run_signal HUP
	wait_for 5 rises no_backend_passed on "$CLIENT" curl -s --max-time 0.2 "http://$VIP4/"
}

# doctor RESULT: what doctor says about whether backends answer
doctor() {
	lbr doctor -j -c "$FILE" | jq -e --arg state "$1" \
		'[.examinations[] | select(.examination == "answers").result] | index($state)' >/dev/null
}

@test "a backend that drains and is down: it drains, its flows move, and then it drains again" {
	sed -i "s/address: $X4,/&  drain: true,/" "$FILE"
	run_begin "$FILE"
	run_signal HUP
	wait_for 5 are draining "$X4"
	lbr drain "$X6"
	lbr drain 172.19.0.4
	are draining "$X6" 172.19.0.4
	doctor ok
	bkd "$X" down >/dev/null
	wait_for 5 are_found 'path down' "$X4" "$X6"
	run_said "~ backend $X4 of 192.168.25.10:80/tcp draining -> draining and down, its flows move"
	are draining "$X4" "$X6"
	# Health states survive a change.
	lbr undrain 172.19.0.4
	are_found 'path down' "$X4" "$X6"
	doctor ok
	bkd "$X" up >/dev/null
	wait_for 5 are_found up "$X4" "$X6"
	are draining "$X4" "$X6"
	# A verb overrides the state.
	lbr undrain "$X4"
	are up "$X4"
	bkd "$X" down >/dev/null
	wait_for 5 are_found 'path down' "$X4" "$X6"
	are down "$X4"
	doctor fail
	lbr undrain "$X6"
	lbr drain "$X4" | grep "~ backend $X4 of .* down, its flows move -> draining and down, its flows move, takes back"
	are draining "$X4"
	are down "$X6"
	bkd "$X" up >/dev/null
	# An override that was set while the backend was down holds.
	wait_for 5 are up "$X6"
	are draining "$X4"
	lbr undrain "$X4"
	bkd "$X" down >/dev/null
	wait_for 5 are down "$X4" "$X6"
	# The file's state holds again.
	lbr apply "$FILE"
	bkd "$X" up >/dev/null
	wait_for 5 are up "$X6"
	are draining "$X4"
}

# skipped COUNT: at least so many checks were not made. Before each look, no file
# descriptor is free for a moment.
skipped() {
	local pid
	pid=$(<"$RUN.pid")
	prlimit --pid "$pid" --nofile=3:4096
	are up "$X4" "$X6" 172.19.0.4 2001:db8:19::4
	prlimit --pid "$pid" --nofile=1024:4096
	(($(metric lbr_check_skipped_total) >= $1))
}

@test "no file descriptors left: a check that cannot be made takes no backend out" {
	run_begin "$FILE"
	wait_for 10 answered
	wait_for 20 skipped 40
	run ! run_said 'is down'
	are up "$X4" "$X6" 172.19.0.4 2001:db8:19::4
}

@test "where network namespaces are forbidden, run says what is missing" {
	run -1 on "$LB" /usr/bin/python3 - LoadBalancer/lbr run -l none -c "$FILE" <<-'EOF'
		import ctypes, os, platform, struct, sys

		# unshare(2) is refused, as seccomp profiles of containers do.
		number = {"x86_64": 272, "aarch64": 97}[platform.machine()]
		program = b"".join(struct.pack("=HBBI", *row) for row in (
		    (0x20, 0, 0, 0),  # load the system call's number
		    (0x15, 0, 1, number),
		    (0x06, 0, 0, 0x00050001),  # errno: EPERM
		    (0x06, 0, 0, 0x7FFF0000)))  # allowed
		kept = ctypes.create_string_buffer(program)
		filters = struct.pack("@HP", 4, ctypes.addressof(kept))
		libc = ctypes.CDLL(None, use_errno=True)
		assert not libc.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
		assert not libc.prctl(22, 2, filters, 0, 0)  # PR_SET_SECCOMP
		os.execv(sys.argv[1], sys.argv[1:])
	EOF
	[[ $output == *'lbr: cannot make a network namespace for health checks: unshare: Operation not permitted'* ]]
	[[ $output == *'CAP_SYS_ADMIN'*'unshare and setns'* ]]
}

# Everything that checks might change on this host: links, rules, routes,
# sysctls.
host_state() {
	# shellcheck disable=SC2016
	on "$LB" bash -c 'ip -o link | sed "s/^[0-9]*: //" | cut -d " " -f 1,2
		for family in -4 -6; do
			ip $family rule
			ip $family route show table all
		done
		grep -r . /proc/sys/net/ipv{4,6}/conf/ 2>/dev/null' | sed 's/ expires .*//' | sort
}

host_is_as_before() {
	host_state | diff "$BATS_TEST_TMPDIR/before" -
}

@test "what checks found survives lbr run; what they need does not, killed or not" {
	host_state >"$BATS_TEST_TMPDIR/before"
	run_begin "$FILE"
	on "$LB" ip link show lbr-check1 >/dev/null
	run ! on "$LB" ip link show lbr-check0
	wait_for 5 answered
	host_state | grep -v lbr-check1 | diff "$BATS_TEST_TMPDIR/before" -
	# If somebody removes the veth, it is made again.
	on "$LB" ip link del lbr-check1
	wait_for 5 on "$LB" ip link show lbr-check1 >/dev/null
	wait_for 5 answered
	bkd "$X" down >/dev/null
	wait_for 5 are down "$X4" "$X6"
	run_signal KILL
	run_status
	wait_for 5 host_is_as_before
	lbr apply "$FILE"
	are down "$X4" "$X6"
	[[ $(answers "$VIP4" 10) == 'backend0y 10' ]]
	# The backends are checked again, from the beginning.
	bkd "$X" up >/dev/null
	run_begin "$FILE"
	wait_for 5 are up "$X4" "$X6"
	run_end
	host_is_as_before
}

@test "what an older version left behind of its checks is removed" {
	host_state >"$BATS_TEST_TMPDIR/before"
	on "$LB" ip link add lbr-check0 type veth peer lbr-check1
	on "$LB" ip rule add fwmark 0x6c6272 pref 1 lookup 7103090
	on "$LB" ip -6 rule add fwmark 0x6c6272 pref 1 lookup 7103090
	run_begin "$FILE"
	wait_for 5 answered
	run_end
	host_is_as_before
}
