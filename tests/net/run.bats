#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# `lbr run`: a service among others, that forwarding does not depend on.

# shellcheck disable=SC2016 # wait_for's eval

load lib
load run
bats_require_minimum_version 1.5.0

setup() {
	services "$BATS_TEST_TMPDIR/services.yaml"
}

teardown() {
	run_end
}

# The service manager's end of the socket: prints the first line that it gets.
manager() {
	/usr/bin/python3 - "$1" <<-'EOF'
		import socket, sys

		s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		s.bind(sys.argv[1])
		s.settimeout(5)
		for _ in range(4):
		    print(s.recv(100).decode(), flush=True)
	EOF
}

@test "it says that it is ready, reloads and ends, with status 0" {
	local socket=$BATS_TEST_TMPDIR/notify said=$BATS_TEST_TMPDIR/said
	manager "$socket" >"$said" 2>&1 3>&- &
	wait_for 5 test -S "$socket"
	NOTIFY_SOCKET=$socket run_begin "$BATS_TEST_TMPDIR/services.yaml"
	wait_for 5 grep -qx READY=1 "$said"
	run_signal HUP
	wait_for 5 grep -qx RELOADING=1 "$said"
	run_signal TERM
	wait_for 5 grep -qx STOPPING=1 "$said"
	[[ $(run_status) == 0 ]]
}

@test "SIGHUP applies the file; one that is refused changes nothing" {
	local file=$BATS_TEST_TMPDIR/services.yaml
	run_begin "$file"
	sed -i 's/weight: 1}/weight: 7}/' "$file"
	run_signal HUP
	wait_for 5 run_said '~ backend 172.19.0.3 of .* weight 1 -> 7'
	[[ $(lbr show -j backends | jq '.backends[0].weight') == 7 ]]
	echo 'nonsense: 1' >>"$file"
	run_signal HUP
	wait_for 5 run_said 'unknown key "nonsense"'
	[[ $(lbr show -j backends | jq '.backends[0].weight') == 7 ]]
	run_signal TERM
	[[ $(run_status) == 0 ]]
	services "$file"
	lbr apply "$file"
}

@test "killed, it is missed by no packet; started again, it continues" {
	run_begin "$BATS_TEST_TMPDIR/services.yaml"
	run_signal KILL
	[[ $(run_status) == 137 ]]
	balanced "$VIP4" 20 1 19
	run_begin "$BATS_TEST_TMPDIR/services.yaml"
}

@test "it runs once, and only where xdp_lbr is up" {
	run_begin "$BATS_TEST_TMPDIR/services.yaml"
	run ! lbr run
	[[ $output == "lbr: cannot run: another \`lbr run\` does"* ]]
	run_end
	lbr down >/dev/null
	run ! lbr run
	[[ $output == *"it is not up here"*"try: lbr up"* ]]
	lbr up >/dev/null
}

@test "a lock's name that any process may take does not keep it from running" {
	on "$LB" setpriv --reuid 65534 --clear-groups /usr/bin/python3 -c 'import os, socket, time
s = socket.socket(socket.AF_UNIX)
s.bind(b"\0l3dsr/lbr-run")
s.listen(1)
print(os.getpid(), flush=True)
time.sleep(60)' >"$BATS_TEST_TMPDIR/bound" 3>&- &
	wait_for 5 test -s "$BATS_TEST_TMPDIR/bound"
	# Doctor does not take that process for lbr run either.
	sed -i 's/^\( *\)protocol: tcp/&\n\1check: {type: http}/' "$BATS_TEST_TMPDIR/services.yaml"
	lbr doctor -c "$BATS_TEST_TMPDIR/services.yaml" -j | jq -e \
		'[.examinations[] | select(.examination == "run")][0].result == "warn"'
	run_begin "$BATS_TEST_TMPDIR/services.yaml"
	lbr doctor -c "$BATS_TEST_TMPDIR/services.yaml" -j | jq -e \
		'[.examinations[] | select(.examination == "run")][0].result == "ok"'
	kill "$(<"$BATS_TEST_TMPDIR/bound")"
}

@test "a page whose port is taken is served later; everything else goes on" {
	on "$LB" /usr/bin/python3 -c 'import os, socket, time
s = socket.create_server(("127.0.0.1", 8404))
print(os.getpid(), flush=True)
time.sleep(60)' >"$BATS_TEST_TMPDIR/bound" 3>&- &
	wait_for 5 test -s "$BATS_TEST_TMPDIR/bound"
	run_begin "$BATS_TEST_TMPDIR/services.yaml"
	run_said '^lbr: warning: cannot listen on 127.0.0.1:8404: Address already in use'
	kill "$(<"$BATS_TEST_TMPDIR/bound")"
	wait_for 10 run_said '^status on 127.0.0.1:8404'
	[[ $(on "$LB" curl -so /dev/null -w '%{http_code}' http://127.0.0.1:8404/) == 200 ]]
}

# aside: how many chunks of tables there are, whether packets go by them or not
aside() {
	on "$LB" bpftool -j map dump pinned "/sys/fs/bpf/l3dsr/lbr-$LAYOUT/tables" | jq length
}

aside_is() { # COUNT
	(($(aside) == $1))
}

said_times() { # REGEX COUNT
	(($(grep -cE -- "$1" "$RUN.out") >= $2))
}

@test "changes of all kinds that fail, over and over, leave nothing behind" {
	local i memory files before file=$BATS_TEST_TMPDIR/services.yaml
	lbr down >/dev/null # a map that was frozen stays frozen
	sed -i 's/^\( *\)protocol: tcp/&\n\1check: {type: http, status: 418, interval: 400ms, timeout: 200ms}/' "$file"
	lbr up -c "$file" >/dev/null
	before=$(aside)
	on "$LB" bpftool map freeze pinned "/sys/fs/bpf/l3dsr/lbr-$LAYOUT/generations"
	run -1 lbr weight 172.19.0.3 7
	[[ $output == *"cannot write a generation: Operation not permitted"* ]]
	run -1 lbr up -c "$file"
	(($(aside) == before))
	# results of checks, which are tried again every second
	run_begin "$file"
	wait_for 20 said_times 'cannot write a generation' 2
	sed -i 's/weight: 1}/weight: 7}/' "$file"
	for i in {3..40}; do
		run_signal HUP
		wait_for 10 said_times 'cannot write a generation' "$i"
		((i != 20)) || memory=$(run_memory) files=$(find "/proc/$(<"$RUN.pid")/fd" -type l | wc -l)
	done
	# not in the middle of a change that is tried again
	wait_for 10 aside_is "$before"
	(($(run_memory) <= memory + 2048)) # a generation would take more
	(($(find "/proc/$(<"$RUN.pid")/fd" -type l | wc -l) <= files + 4)) # of checks under way
	run_end
	lbr down >/dev/null
	services "$file"
	lbr up -c "$file" >/dev/null
}

# inherited PID: the descriptors that its children would inherit, except the
# standard ones
inherited() {
	local fd flags open=0
	for fd in "/proc/$1/fdinfo/"*; do
		flags=$(awk '/^flags:/ { print $2 }' "$fd" 2>/dev/null) || continue
		((${fd##*/} > 2)) || continue
		open=$((open + 1))
		((0$flags & 02000000)) ||
			echo "$fd: $(readlink "/proc/$1/fd/${fd##*/}")"
	done
	((open > 5)) || echo "no descriptors of $1?"
}

@test "a program that it starts inherits no descriptor" {
	local port file=$BATS_TEST_TMPDIR/services.yaml
	sed -i 's/^\( *\)protocol: tcp/&\n\1check: {type: http, interval: 400ms, timeout: 200ms}/' "$file"
	lbr apply "$file" >/dev/null
	for port in 8404 8405; do
		[[ $port == 8404 ]] || run_of backend0x
		# without bats' own descriptors
		run_begin "$file" bash -c 'for fd in "/proc/$$/fd/"*; do
			((${fd##*/} < 3)) || eval "exec ${fd##*/}>&-"
			done; exec "$@"' -
		# a client that sends no request
		on "$RUN_HOST" bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$1"; echo $$; exec sleep 60' \
			- "$port" >"$RUN.client" 3>&- &
		wait_for 5 test -s "$RUN.client"
		for _ in {1..20}; do inherited "$(<"$RUN.pid")"; done >"$RUN.inherited"
		kill "$(<"$RUN.client")"
		diff /dev/null "$RUN.inherited"
	done
	services "$file"
	lbr apply "$file" >/dev/null
}
